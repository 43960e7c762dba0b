/** Middleware around a cancel and a timeout, and how long it may keep a run, its slot and its hold. */
import { describe, expect, it } from 'vitest';
import { Context, Depends, isQTasksError, type Middleware } from '../../src/index.js';
import { settle } from '../support/clock.js';
import { setUp } from '../support/middleware.js';
import { gate, never, rejection } from '../support/promises.js';

const no = new Error('no');

describe('around a cancel', () => {
  it('cannot turn it into a success or another failure', async () => {
    const { app } = setUp();
    const layers: Middleware[] = [
      (_run, next) => next().catch(() => 'saved'),
      async (_run, next) => {
        await rejection(next());
        throw no;
      },
      async () => {
        await settle();
        return 'answer';
      },
    ];
    for (const [index, middleware] of layers.entries()) {
      const run = app.task(`work ${index}`, () => settle(), { middleware })();
      run.cancel('stop');
      expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop', attempts: 1 });
    }
  });

  it('that comes before it has called next() starts nothing any more', async () => {
    const { promise, resolve } = gate();
    const seen: unknown[] = [];
    const { app, clock, log, dep } = setUp(async (run, next) => {
      await promise;
      seen.push(run.signal.reason);
      return next().catch((error) => {
        seen.push(error);
        return 'saved';
      });
    });
    const run = app.task('work', { dep }, () => log.push('body'))();
    await settle();
    run.cancel('stop');
    resolve();
    expect(await rejection(run)).toBe('stop');
    expect(seen).toEqual(['stop', 'stop']);
    expect(log).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('may go on for grace, before or after next(); then the run settles without it', async () => {
    for (const isBefore of [true, false]) {
      const { promise, reject } = gate<never>();
      const { app, clock } = setUp(async (_run, next) => {
        if (!isBefore) await rejection(next());
        return promise;
      });
      const run = app.task('work', { ctx: Context }, ({ ctx }) => ctx.sleep(1_000), {
        grace: 50,
      })();
      await settle();
      run.cancel('stop');
      await clock.advance(49);
      expect(run.status).toBe('process');
      await clock.advance(1);
      expect(run.status).toBe('cancel');
      expect(app.inspect().runs).toEqual([]);
      // What it still does is nobody's concern.
      reject(no);
      await settle();
      expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop' });
      expect(clock.pending).toBe(0);
    }
  });

  it('has grace after the teardown, however long that took', async () => {
    const { promise, resolve } = gate();
    const { app, clock } = setUp(async (_run, next) => {
      await rejection(next());
      return never;
    });
    const slow = Depends(async function* () {
      try {
        yield;
      } finally {
        await promise;
      }
    });
    const run = app.task('work', { slow, ctx: Context }, ({ ctx }) => ctx.sleep(1), {
      grace: 50,
    })();
    await settle();
    run.cancel('stop');
    await clock.advance(1_000);
    expect(run.status).toBe('process');
    resolve();
    await clock.advance(49);
    expect(run.status).toBe('process');
    await clock.advance(1);
    expect(run.status).toBe('cancel');
  });

  it('that comes behind next() changes no outcome, but bounds how long it is waited for', async () => {
    for (const ending of [true, false]) {
      const { promise, resolve } = gate<string>();
      const { app, clock, log, dep } = setUp(
        async (_run, next) => `${await next()}${await promise}`,
      );
      const run = app.task('work', { dep }, () => 'value', { grace: 50 })();
      await settle();
      expect(log).toEqual(['+dep', '-dep']);
      run.cancel('late');
      if (ending) resolve('!');
      await clock.advance(50);
      expect(await run).toBe(ending ? 'value!' : 'value');
      expect(clock.pending).toBe(0);
    }
  });

  it('by a listener as it starts is never called', async () => {
    let calls = 0;
    const { app, clock } = setUp((_run, next) => {
      calls++;
      return next();
    });
    const work = app.task('work', () => 'value');
    const { signal, abort } = (() => {
      const controller = new AbortController();
      return { signal: controller.signal, abort: () => controller.abort('stop') };
    })();
    app.on('run:start', abort);
    const run = app.with({ signal }).run(work);
    expect(await rejection(run)).toBe('stop');
    expect(calls).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('may come from itself, and by the close of its app', async () => {
    for (const close of [true, false]) {
      const { app, clock, log, dep } = setUp();
      const middleware: Middleware = async (_run, next) => {
        await settle();
        if (close) void app.close({ drain: 0 });
        else run.cancel('own');
        await clock.advance(0);
        return next();
      };
      const work = app.task('work', { dep }, () => log.push('body'), { middleware });
      const run = work();
      const { status } = await run.settled;
      expect(status).toBe('cancel');
      expect(log).toEqual([]);
    }
  });
});

describe('time and room', () => {
  it('of the timeout is that of the attempt alone', async () => {
    const { app, clock } = setUp(async (_run, next) => {
      await before.promise;
      const value = await next();
      await after.promise;
      return value;
    });
    const [before, after] = [gate(), gate()];
    const run = app.task('work', () => 'value', { timeout: 10 })();
    await clock.advance(1_000);
    before.resolve();
    await clock.advance(1_000);
    after.resolve();
    expect(await run).toBe('value');
    expect(clock.pending).toBe(0);
  });

  it('goes on after a timeout, as after any failure, until a cancel gives it grace', async () => {
    const { app, clock } = setUp(async (_run, next) => {
      await rejection(next());
      return never;
    });
    const work = app.task('work', { ctx: Context }, ({ ctx }) => ctx.sleep(1_000), {
      timeout: 10,
      grace: 50,
    });
    const run = work();
    const ended = rejection(run);
    await clock.advance(1_000);
    expect(run.status).toBe('process');
    run.cancel('enough');
    await clock.advance(50);
    expect(isQTasksError(await ended, 'TASK_TIMEOUT')).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('keeps the slot and the hold of the run until it has ended', async () => {
    const { promise, resolve } = gate();
    const { app } = setUp();
    const order: string[] = [];
    const middleware: Middleware = async (_run, next) => {
      await next();
      await promise;
      order.push('ended');
    };
    const first = app.task('first', () => 1, { middleware, exclusive: true })();
    const second = app.task('second', () => order.push('second'), { exclusive: true })();
    await settle();
    expect(app.inspect().runs.map(({ waitsFor }) => waitsFor)).toEqual([null, 'hold']);
    resolve();
    await Promise.all([first, second]);
    expect(order).toEqual(['ended', 'second']);
  });

  it('lets a stream pass as it is, and ends one that it answers itself', async () => {
    const { app } = setUp((run, next) => (run.args[0] ? Promise.resolve('answer') : next()));
    const work = app.task('work', async function* (_isAnswered: boolean) {
      yield 1;
      yield 2;
      return 'end';
    });
    for (const [isAnswered, values, result] of [
      [false, [1, 2], 'end'],
      [true, [], 'answer'],
    ] as const) {
      const run = work(isAnswered);
      const got: number[] = [];
      for await (const value of run) got.push(value);
      expect(got).toEqual(values);
      expect(await run).toBe(result);
    }
  });
});
