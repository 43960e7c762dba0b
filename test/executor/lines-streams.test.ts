/** Generator tasks: line 7 of ARCHITECTURE.md §5. */
import { describe, expect, it } from 'vitest';
import { Context, Depends, isQTasksError, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, rejection } from '../support/promises.js';
import { collect } from '../support/read.js';
import { traced } from '../support/traced.js';

/** An app with a task that counts up to a number and writes down how far it has come. */
function counting() {
  const app = new QTasks({ clock: new ManualClock() });
  const seen = { made: 0 };
  const count = app.task('count', async function* (end: number) {
    while (seen.made < end) yield seen.made++;
    return 'done';
  });
  return { app, seen, count };
}

describe('with a reader', () => {
  it('7 streams every value in order to the reader, then ends; the result is the return value', async () => {
    const { count } = counting();
    const run = count(1_000);
    expect(await collect(run)).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect(await run).toBe('done');
  });

  it('7 lets the producer be 16 values ahead of its reader, and no further', async () => {
    const { seen, count } = counting();
    const run = count(1_000);
    const reader = run[Symbol.asyncIterator]();
    for (let read = 0; read < 100; read++) {
      expect(await reader.next()).toEqual({ done: false, value: read });
      await settle();
      expect(seen.made).toBe(read + 1 + 16);
    }
    await reader.return?.();
  });

  it('7 lets the producer go on as soon as the reader has taken one', async () => {
    const { seen, count } = counting();
    const reader = count(1_000)[Symbol.asyncIterator]();
    await settle();
    expect(seen.made).toBe(16);
    await reader.next();
    await settle();
    expect(seen.made).toBe(17);
    await reader.return?.();
  });

  it('7 lets a macrotask pass also where reader and producer never wait for anything', async () => {
    const { count } = counting();
    let isPassed = false;
    setTimeout(() => {
      isPassed = true;
    }, 0);
    for await (const _value of count(Infinity)) if (isPassed) break;
    expect(isPassed).toBe(true);
  });
});

describe('without a reader', () => {
  it('7 lets nobody wait: awaiting the run drains it', async () => {
    const { seen, count } = counting();
    expect(await count(10_000)).toBe('done');
    expect(seen.made).toBe(10_000);
  });

  it('7 keeps the newest 16 values for whoever comes late', async () => {
    for (const [end, first] of [
      [10, 0],
      [16, 0],
      [17, 1],
      [1_000, 984],
    ] as const) {
      const { count } = counting();
      const run = count(end);
      await run;
      const kept = await collect(run);
      expect(kept).toEqual(Array.from({ length: end - first }, (_, index) => first + index));
    }
  });

  it('7 keeps them in their order before those that come while it is read', async () => {
    const app = new QTasks();
    const { promise, resolve } = gate();
    const work = app.task('work', async function* () {
      for (let value = 0; value < 20; value++) yield value;
      await promise;
      for (let value = 20; value < 40; value++) yield value;
    });
    const run = work();
    await settle();
    const all = collect(run);
    await settle();
    resolve();
    expect(await all).toEqual(Array.from({ length: 36 }, (_, index) => index + 4));
  });

  it('7 loses nothing from the moment that somebody iterates', async () => {
    const app = new QTasks();
    const { promise, resolve } = gate();
    const work = app.task('work', async function* () {
      for (let value = 0; value < 16; value++) yield value;
      await promise;
      for (let value = 16; value < 20; value++) yield value;
    });
    const run = work();
    await settle();
    const reader = run[Symbol.asyncIterator]();
    resolve();
    await settle();
    for (let value = 0; value < 20; value++) {
      expect(await reader.next()).toEqual({ done: false, value });
    }
    expect((await reader.next()).done).toBe(true);
  });

  it('7 lets a macrotask pass every 256 values of an endless producer', async () => {
    for (const kind of ['async', 'sync'] as const) {
      const app = new QTasks({ clock: new ManualClock() });
      let made = 0;
      const generators = {
        async *async() {
          for (;;) yield ++made;
        },
        *sync() {
          for (;;) yield ++made;
        },
      };
      const endless: () => AsyncGenerator<number> | Generator<number> = generators[kind];
      const run = app.task('endless', () => endless())();
      const counts: number[] = [];
      for (let turns = 0; turns < 20; turns++) {
        await new Promise<void>((resolve) => setTimeout(resolve, 0));
        counts.push(made);
      }
      run.cancel('enough');
      expect(await rejection(run)).toBe('enough');
      expect(made).toBeGreaterThan(256);
      expect(counts.every((count) => count % 256 === 0)).toBe(true);
    }
  });
});

describe('a retry', () => {
  const flaky = (yields: number) => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const no = new Error('no');
    const work = app.task(
      'work',
      { ctx: Context },
      async function* ({ ctx }) {
        for (let value = 0; value < yields; value++) yield `${ctx.attempt}.${value}`;
        if (ctx.attempt === 1) throw no;
        return 'done';
      },
      { retry: { limit: 2, delay: 10 } },
    );
    return { clock, no, work };
  };

  it('7 does not follow once a value was delivered: the reader gets the rest and then the error', async () => {
    const { clock, no, work } = flaky(3);
    const run = work();
    const values: string[] = [];
    const reading = rejection(
      (async () => {
        for await (const value of run) values.push(value);
      })(),
    );
    await clock.advance(1_000);
    expect(await reading).toBe(no);
    expect(values).toEqual(['1.0', '1.1', '1.2']);
    expect(await run.settled).toMatchObject({ status: 'error', attempts: 1 });
  });

  it('7 follows where nothing was delivered, to a reader that waits as to none', async () => {
    const { clock, work } = flaky(0);
    const run = work();
    const reading = collect(run);
    await clock.advance(1_000);
    expect(await reading).toEqual([]);
    expect(await run).toBe('done');
    const late = flaky(20);
    const other = late.work();
    other.then(() => {});
    await late.clock.advance(1_000);
    expect(await other.settled).toMatchObject({ status: 'success', attempts: 2 });
    // What the first attempt left is gone.
    const newest = Array.from({ length: 16 }, (_, index) => `2.${index + 4}`);
    expect(await collect(other)).toEqual(newest);
  });
});

describe('leaving the loop', () => {
  const parked = () => {
    const log: string[] = [];
    const app = new QTasks({ clock: new ManualClock() });
    const dep = Depends(() => traced(log, 'dep'));
    const work = app.task('work', { dep }, async function* () {
      try {
        for (let value = 0; ; value++) yield value;
      } catch (error) {
        log.push(isQTasksError(error, 'TASK_CANCELLED') ? 'thrown in' : `wrong: ${error}`);
        throw error;
      } finally {
        await settle();
        log.push('finally');
      }
    });
    return { app, log, work };
  };

  it('7 cancels the run: the parked generator gets throw(reason), its finally blocks run', async () => {
    const { log, work } = parked();
    const run = work();
    for await (const value of run) if (value === 3) break;
    // The loop has waited for all of it.
    expect(run.status).toBe('cancel');
    expect(log).toEqual([
      '+dep',
      'thrown in',
      'finally',
      '!dep task "work": the run was cancelled',
    ]);
    expect(isQTasksError(await rejection(run), 'TASK_CANCELLED')).toBe(true);
  });

  it('7 cancels the run also by an error of the loop, which stays the error', async () => {
    const { log, work } = parked();
    const run = work();
    const own = new Error('own');
    const loop = async (): Promise<void> => {
      for await (const _value of run) throw own;
    };
    expect(await rejection(loop())).toBe(own);
    expect(run.status).toBe('cancel');
    expect(log).toContain('finally');
  });

  it('7 wakes a producer that waits for its reader', async () => {
    const { log, work } = parked();
    const run = work();
    const reader = run[Symbol.asyncIterator]();
    await reader.next();
    await settle();
    run.cancel('stop');
    await rejection(run);
    expect(log).toEqual(['+dep', 'wrong: stop', 'finally', '!dep stop']);
  });

  it('7 lets a generator go that yields on, after a return() too', async () => {
    const log: string[] = [];
    const app = new QTasks({ clock: new ManualClock() });
    const work = app.task('work', async function* () {
      try {
        for (;;) {
          try {
            yield 1;
          } catch {
            log.push('ignored');
          }
        }
      } finally {
        log.push('returned');
        yield 2;
        log.push('never');
      }
    });
    const run = work();
    for await (const _value of run) break;
    expect(run.status).toBe('cancel');
    expect(log).toEqual(['ignored', 'returned']);
  });

  it('7 settles within grace where the generator stands at an await that never ends', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    const app = new QTasks({ clock });
    const dep = Depends(() => traced(log, 'dep'));
    const work = app.task('work', { dep }, async function* () {
      yield 1;
      await never;
    });
    const run = work();
    const reader = run[Symbol.asyncIterator]();
    await reader.next();
    const left = reader.return?.();
    await clock.advance(999);
    expect(run.status).toBe('process');
    await clock.advance(1);
    expect(await left).toEqual({ done: true, value: undefined });
    expect(run.status).toBe('cancel');
    expect(log).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });
});
