/** Who reads a run: early, late, several values at once, not to the end, or what is no stream at all. */
import { describe, expect, it } from 'vitest';
import { Context, Depends, isQTasksError, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, rejection } from '../support/promises.js';
import { read, waiting } from '../support/read.js';
import { traced } from '../support/traced.js';

const no = new Error('no');
const end = { done: true, value: undefined };

describe('next()', () => {
  it('called several times at once is answered in order, then by the end', async () => {
    const app = new QTasks();
    const work = app.task('work', async function* () {
      yield 1;
      await settle();
      yield* [2, 3];
    });
    const reader = work()[Symbol.asyncIterator]();
    const answers = await Promise.all(Array.from({ length: 6 }, () => reader.next()));
    expect(answers.map(({ value }) => value)).toEqual([1, 2, 3, undefined, undefined, undefined]);
    expect(answers.map(({ done }) => done)).toEqual([false, false, false, true, true, true]);
  });

  it('called several times at once gets the error once, and the end after it', async () => {
    const app = new QTasks();
    const work = app.task('work', async function* () {
      await settle();
      yield 1;
      throw no;
    });
    const run = work();
    const reader = run[Symbol.asyncIterator]();
    const answers = await Promise.allSettled(Array.from({ length: 4 }, () => reader.next()));
    expect(answers).toEqual([
      { status: 'fulfilled', value: { done: false, value: 1 } },
      { status: 'rejected', reason: no },
      { status: 'fulfilled', value: end },
      { status: 'fulfilled', value: end },
    ]);
    expect(await reader.next()).toEqual(end);
    // The run tells everyone who asks.
    expect(await rejection(run)).toBe(no);
  });

  it('gives what was kept before the error or the reason, however late it comes', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const fails = app.task('fails', async function* () {
      yield* [1, 2];
      throw no;
    });
    const hangs = app.task('hangs', async function* () {
      yield* [3, 4];
      await never;
    });
    const failed = fails();
    await failed.settled;
    expect(await read(failed)).toEqual([[1, 2], no]);
    const cancelled = hangs();
    await settle();
    cancelled.cancel('stop');
    await clock.advance(1_000);
    expect(await read(cancelled)).toEqual([[3, 4], 'stop']);
    const timed = app.with({ timeout: 10 }).run(hangs);
    await clock.advance(2_000);
    const [values, error] = await read(timed);
    expect(values).toEqual([3, 4]);
    expect(isQTasksError(error, 'TASK_TIMEOUT')).toBe(true);
  });

  it('takes every value for a value: undefined, null, false, and an error', async () => {
    const app = new QTasks();
    const values = [undefined, null, false, 0, '', no];
    const work = app.task('work', async function* () {
      yield* values;
    });
    expect(await read(work())).toEqual([values, undefined]);
  });

  it('is answered by the first attempt that yields, where attempts before it had nothing', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const work = app.task(
      'work',
      { ctx: Context },
      async function* ({ ctx }) {
        if (ctx.attempt < 3) throw no;
        yield ctx.attempt;
      },
      { retry: 2 },
    );
    const reading = read(work());
    await clock.advance(1_000);
    expect(await reading).toEqual([[3], undefined]);
  });

  it('asked for only after a failure gets the values of the next attempt alone', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const work = app.task(
      'work',
      { ctx: Context },
      async function* ({ ctx }) {
        // More than the window holds: the first attempt is parked until it times out.
        for (let value = 0; value < (ctx.attempt === 1 ? 20 : 3); value++) yield ctx.attempt;
      },
      { retry: 1, timeout: 100 },
    );
    const reader = work()[Symbol.asyncIterator]();
    await clock.advance(1_000);
    const answers = await Promise.all(Array.from({ length: 4 }, () => reader.next()));
    expect(answers.map(({ value }) => value)).toEqual([2, 2, 2, undefined]);
    expect(clock.pending).toBe(0);
  });
});

describe('return()', () => {
  it('before the first value cancels the run, and resolves after its teardown', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const dep = Depends(async function* () {
      yield* traced(log, 'dep');
    });
    const work = app.task('work', { dep, ctx: Context }, async function* ({ ctx }) {
      await new Promise((_resolve, reject) => {
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason));
      });
      yield 1;
    });
    const run = work();
    const reader = run[Symbol.asyncIterator]();
    await settle();
    expect(await reader.return?.()).toEqual(end);
    expect(run.status).toBe('cancel');
    expect(log).toHaveLength(2);
    expect(isQTasksError(await rejection(run), 'TASK_CANCELLED')).toBe(true);
  });

  it('of a run that waits for a slot cancels it before it starts', async () => {
    const { app, work, resolve } = waiting();
    const busy = work();
    const run = app.task('late', async function* () {
      yield 1;
    })();
    const reader = run[Symbol.asyncIterator]();
    expect(await reader.return?.()).toEqual(end);
    expect(await run.settled).toMatchObject({ status: 'cancel', attempts: 0 });
    resolve();
    await busy;
  });

  it('answers what is still asked for by the end, and so it stays', async () => {
    const { clock, work } = waiting();
    const run = work();
    const reader = run[Symbol.asyncIterator]();
    const asked = [reader.next(), reader.next(), reader.return?.(), reader.return?.()];
    asked.push(reader.next());
    await clock.advance(1_000);
    expect(run.status).toBe('cancel');
    expect(await Promise.all(asked)).toEqual([end, end, end, end, end]);
    expect(await reader.next()).toEqual(end);
  });

  it('after the end changes nothing', async () => {
    const app = new QTasks();
    const work = app.task('work', async function* () {
      yield 1;
    });
    const run = work();
    const reader = run[Symbol.asyncIterator]();
    while (!(await reader.next()).done) {}
    expect(await reader.return?.()).toEqual(end);
    expect(run.status).toBe('success');
  });

  it('rejects where the run was past being cancelled and failed in its teardown', async () => {
    const { promise, resolve } = gate();
    const app = new QTasks();
    const unclean = Depends(async function* () {
      yield;
      await promise;
      throw no;
    });
    const work = app.task('work', { unclean }, async function* () {
      yield 1;
    });
    const run = work();
    const reader = run[Symbol.asyncIterator]();
    await reader.next();
    await settle();
    const left = reader.return?.() ?? never;
    resolve();
    const error = await rejection(left);
    expect(isQTasksError(error, 'CLEANUP_FAILED') && error.cause).toBe(no);
    expect(await rejection(run)).toBe(error);
  });

  it('frees the slot for the next run', async () => {
    const { app, work, resolve } = waiting();
    const endless = app.task('endless', async function* () {
      for (;;) yield 1;
    });
    for (let count = 0; count < 3; count++) for await (const _value of endless()) break;
    expect(app.inspect().runs).toEqual([]);
    const next = work();
    expect(next.status).toBe('process');
    resolve();
    await next;
  });
});
