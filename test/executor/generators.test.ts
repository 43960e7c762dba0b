/** Generators that stream: sync ones, those that yield promises, and objects that only look like one. */
import { describe, expect, it } from 'vitest';
import { Context, Depends, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, rejection } from '../support/promises.js';
import { collect, read } from '../support/read.js';
import { traced } from '../support/traced.js';

const no = new Error('no');

describe('a sync generator', () => {
  it('streams as an async one does, and a promise that it yields is awaited', async () => {
    const app = new QTasks();
    const work = app.task('work', function* () {
      yield 1;
      yield Promise.resolve(2);
      yield settle().then(() => 3);
      return settle().then(() => 'end');
    });
    const run = work();
    expect(await collect(run)).toEqual([1, 2, 3]);
    expect(await run).toBe('end');
  });

  it('gets a promise that rejects thrown in at the yield, and may go on', async () => {
    const app = new QTasks();
    const caught: unknown[] = [];
    const work = app.task('work', function* () {
      try {
        yield Promise.reject(no);
      } catch (error) {
        caught.push(error);
      }
      yield 'after';
      yield Promise.reject(no);
    });
    const run = work();
    const values: unknown[] = [];
    const loop = async (): Promise<void> => {
      for await (const value of run) values.push(value);
    };
    expect(await rejection(loop())).toBe(no);
    expect(values).toEqual(['after']);
    expect(caught).toEqual([no]);
  });

  it('takes any thenable for a promise: one that throws, or calls back twice', async () => {
    const app = new QTasks();
    const throwing = {
      // biome-ignore lint/suspicious/noThenProperty: odd on purpose
      then(): never {
        throw no;
      },
    } as unknown as PromiseLike<number>;
    const twice = {
      // biome-ignore lint/suspicious/noThenProperty: odd on purpose
      then(yes: (value: number) => void, refuse: (error: unknown) => void) {
        yes(1);
        yes(2);
        refuse(no);
      },
    } as unknown as PromiseLike<number>;
    const work = app.task('work', function* () {
      yield twice;
      yield throwing;
    });
    const run = work();
    const reader = run[Symbol.asyncIterator]();
    expect(await reader.next()).toEqual({ done: false, value: 1 });
    expect(await rejection(reader.next())).toBe(no);
  });

  it('leaves a promise that it waits for as the run is cancelled, and ends', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    const app = new QTasks({ clock });
    const dep = Depends(() => traced(log, 'dep'));
    const work = app.task('work', { dep }, function* () {
      try {
        yield never;
      } finally {
        log.push('finally');
      }
    });
    const run = work();
    await settle();
    run.cancel('stop');
    expect(await rejection(run)).toBe('stop');
    expect(log).toEqual(['+dep', 'finally', '!dep stop']);
    expect(clock.pending).toBe(0);
  });

  it('streams nothing any more of a promise that is there after the abort', async () => {
    const app = new QTasks();
    const seen: unknown[] = [];
    app.on('run:yield', ({ value }) => seen.push(value));
    const { promise, resolve } = gate<string>();
    const work = app.task('work', function* () {
      yield 'first';
      yield promise;
    });
    const run = work();
    await settle();
    run.cancel('stop');
    resolve('late');
    expect(await read(run)).toEqual([['first'], 'stop']);
    expect(seen).toEqual(['first']);
  });

  it('ends by its own error after the abort as a cancelled one', async () => {
    const app = new QTasks();
    const work = app.task('work', function* () {
      try {
        yield* [1, 2];
        yield settle();
        yield 3;
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: what a bad handler does
        throw no;
      }
    });
    const run = work();
    run.cancel('stop');
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop', cleanupErrors: [] });
  });
});

describe('a generator', () => {
  it('in the middle of an await is told by its signal, and by throw at its next yield', async () => {
    const app = new QTasks();
    const seen: unknown[] = [];
    const work = app.task('work', { ctx: Context }, async function* ({ ctx }) {
      await settle();
      seen.push(ctx.signal.reason);
      try {
        yield 'dropped';
      } catch (error) {
        seen.push(error);
      }
      return 'value';
    });
    const run = work();
    run.cancel('stop');
    expect(await rejection(run)).toBe('stop');
    expect(seen).toEqual(['stop', 'stop']);
    const reader = run[Symbol.asyncIterator]();
    expect(await rejection(reader.next())).toBe('stop');
  });

  it('that never yields, or is cancelled before its first line, ends as it does', async () => {
    const app = new QTasks({ concurrency: 1 });
    let started = 0;
    // biome-ignore lint/correctness/useYield: that is the point
    const work = app.task('work', async function* () {
      started++;
      return 'end';
    });
    expect(await work()).toBe('end');
    const controller = new AbortController();
    app.on('run:start', () => controller.abort('stop'));
    const run = app.with({ signal: controller.signal }).run(work);
    expect(await rejection(run)).toBe('stop');
    expect(started).toBe(1);
  });

  it('is what delegates to others, through all of which the reason is thrown', async () => {
    const app = new QTasks();
    const log: string[] = [];
    async function* inner(depth: number): AsyncGenerator<number, void, undefined> {
      try {
        yield depth;
        if (depth < 3) yield* inner(depth + 1);
        for (;;) yield depth;
      } catch (error) {
        log.push(`${depth} ${error}`);
        throw error;
      }
    }
    const run = app.task('work', () => inner(0))();
    await settle();
    run.cancel('stop');
    await rejection(run);
    expect(log).toEqual(['3 stop', '2 stop', '1 stop', '0 stop']);
  });

  it('that a promise resolves to is a value as any other', async () => {
    const app = new QTasks();
    async function* numbers() {
      yield 1;
    }
    const run = app.task('work', async () => numbers())();
    expect(await collect(run)).toEqual([]);
    const result = await run;
    expect(await result.next()).toEqual({ done: false, value: 1 });
  });
});

describe('an object by hand', () => {
  interface ByHand {
    next(): unknown;
    throw(error: unknown): unknown;
    return(): unknown;
  }
  const byHand = (parts: Partial<ByHand>): ByHand => ({
    next: () => ({ done: true, value: 'end' }),
    throw: (error) => Promise.reject(error),
    return: () => ({ done: true }),
    ...parts,
  });
  /** A run of a handler that returns it. */
  const start = (parts: Partial<ByHand>, clock = new ManualClock()) =>
    new QTasks({ clock }).task('work', (): unknown => byHand(parts))();

  it('with next, throw and return is a generator: its answers may be values or promises', async () => {
    let calls = 0;
    const answers = [
      { value: 1 },
      Promise.resolve({ done: false, value: 2 }),
      { done: 0, value: 3 },
      { done: 'yes', value: 'end' },
    ];
    const run = start({ next: () => answers[calls++] });
    expect(await collect(run)).toEqual([1, 2, 3]);
    expect(await run).toBe('end');
  });

  it('without one of them is a value', async () => {
    const app = new QTasks();
    for (const missing of ['next', 'throw', 'return']) {
      const object = { ...byHand({}), [missing]: undefined };
      expect(await app.task(missing, () => object)()).toBe(object);
    }
  });

  it('fails the run with what it throws, or where it answers nothing', async () => {
    const throws = (): never => {
      throw no;
    };
    const bad: Partial<ByHand>[] = [
      { next: throws },
      { next: () => Promise.reject(no) },
      {
        next: () => ({
          get done() {
            return throws();
          },
        }),
      },
      {
        next: () => ({
          get value() {
            return throws();
          },
        }),
      },
    ];
    for (const parts of bad) expect(await rejection(start(parts))).toBe(no);
    for (const nothing of [undefined, null]) {
      expect(await rejection(start({ next: () => nothing }))).toBeInstanceOf(TypeError);
    }
  });

  it('fails the run where looking at it throws', async () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw no;
        },
      },
    );
    const app = new QTasks();
    expect(await rejection(app.task('work', (): unknown => hostile)())).toBe(no);
  });

  it('ends "cancel" whatever its throw and its return do', async () => {
    const throws = (): never => {
      throw no;
    };
    const odd: Partial<ByHand>[] = [
      { throw: throws },
      { throw: () => undefined },
      { throw: () => ({ done: true, value: 'saved' }) },
      { throw: () => ({ done: false, value: 1 }), return: throws },
      { throw: () => ({ done: false, value: 1 }), return: () => ({ done: false, value: 2 }) },
      { throw: () => never },
      { throw: () => ({ done: false }), return: () => never },
    ];
    for (const parts of odd) {
      const clock = new ManualClock();
      const run = start({ next: () => settle().then(() => ({ value: 1 })), ...parts }, clock);
      await settle();
      run.cancel('stop');
      await clock.advance(1_000);
      expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop', attempts: 1 });
      expect(clock.pending).toBe(0);
    }
  });

  it('is never asked again once it has ended', async () => {
    let calls = 0;
    const run = start({
      next() {
        calls++;
        return { done: true, value: 'end' };
      },
    });
    expect(await run).toBe('end');
    run.cancel();
    await settle();
    expect(calls).toBe(1);
    expect(run.status).toBe('success');
  });
});
