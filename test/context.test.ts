/** What a run knows of itself: API.md §6. */
import { describe, expect, it } from 'vitest';
import { Context, Depends, isQTasksError, type Logger, QTasks } from '../src/index.js';
import { ManualClock, settle } from './support/clock.js';
import { gate, rejection } from './support/promises.js';
import { traced } from './support/traced.js';

describe('what it knows', () => {
  it('is the run, the task, the session, the attempt and its signal', async () => {
    const app = new QTasks();
    const show = app.task('show', { ctx: Context }, ({ ctx }) => ({
      runId: ctx.runId,
      taskName: ctx.taskName,
      session: ctx.session,
      attempt: ctx.attempt,
      aborted: ctx.signal.aborted,
    }));
    const run = show();
    const own = { runId: run.id, taskName: 'show', session: '', attempt: 1, aborted: false };
    expect(await run).toEqual(own);
    expect(await app.session('ann').run(show)).toMatchObject({ session: 'ann' });
  });

  it('is one object for the handler and all dependencies of an attempt, another for the next', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const seen: Context[] = [];
    const dep = Depends({ ctx: Context }, ({ ctx }) => ctx);
    const flaky = app.task(
      'flaky',
      { dep, one: Context, two: Context },
      ({ dep, one, two }) => {
        expect(one).toBe(two);
        expect(one).toBe(dep);
        seen.push(one);
        if (seen.length === 1) throw new Error('no');
        return one.attempt;
      },
      { retry: 1 },
    );
    const run = flaky();
    const ids = [run.id];
    await clock.advance(1_000);
    expect(await run).toBe(2);
    expect(seen[0]).not.toBe(seen[1]);
    expect(seen.map(({ runId }) => runId)).toEqual([...ids, ...ids]);
  });

  it('has one signal for an attempt, a fresh one for the next', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const signals: AbortSignal[] = [];
    const slow = app.task(
      'slow',
      { ctx: Context },
      async ({ ctx }) => {
        expect(ctx.signal).toBe(ctx.signal);
        signals.push(ctx.signal);
        if (ctx.attempt === 1) await ctx.sleep(1_000);
        return ctx.signal.aborted;
      },
      { timeout: 100, retry: { limit: 1, delay: 10 } },
    );
    const run = slow();
    run.then(() => {});
    await clock.advance(1_000);
    expect(await run).toBe(false);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it('is never needed from outside: runs at the same time see their own', async () => {
    const app = new QTasks();
    const dep = Depends(
      { ctx: Context },
      async ({ ctx }) => {
        await settle();
        return ctx.session;
      },
      { cache: false },
    );
    const task = app.task('t', { dep, ctx: Context }, ({ dep, ctx }) => dep === ctx.session);
    const ids = ['a', 'b', 'c'];
    expect(await Promise.all(ids.map((id) => app.session(id).run(task)))).toEqual([
      true,
      true,
      true,
    ]);
  });
});

describe('its signal', () => {
  it("does not abort for the handler's own failure, whenever it is looked at first", async () => {
    const app = new QTasks();
    const seen: boolean[] = [];
    for (const early of [true, false]) {
      const dep = Depends({ ctx: Context }, async function* ({ ctx }) {
        if (early) seen.push(ctx.signal.aborted);
        try {
          yield;
        } catch {
          seen.push(ctx.signal.aborted);
          await ctx.sleep(0);
          seen.push(ctx.signal.aborted);
        }
      });
      const run = app.task(`t${early}`, { dep }, () => Promise.reject('no'))();
      expect(await run.settled).toMatchObject({ error: 'no', cleanupErrors: [] });
    }
    expect(seen).toEqual([false, false, false, false, false]);
  });

  it('has aborted where it is looked at after the abort only', async () => {
    const app = new QTasks();
    const seen: unknown[] = [];
    const dep = Depends({ ctx: Context }, function* ({ ctx }) {
      try {
        yield;
      } catch {
        seen.push(ctx.signal.aborted, ctx.signal.reason);
      }
    });
    const run = app.task('t', { dep }, () => settle())();
    run.cancel('stop');
    await run.settled;
    expect(seen).toEqual([true, 'stop']);
  });

  it('and its attempt stay its own for a handler that is past its grace', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 0 });
    const seen: unknown[] = [];
    const body = gate();
    const slow = app.task(
      't',
      { ctx: Context },
      async ({ ctx }) => {
        const own = ctx.attempt;
        await body.promise;
        seen.push([own, ctx.attempt, ctx.signal.aborted]);
      },
      { timeout: 10, retry: { limit: 1, delay: 0 } },
    );
    const run = slow();
    const { settled } = run;
    await clock.advance(15);
    expect(run.status).toBe('process');
    body.resolve();
    await settled;
    expect(seen).toEqual([
      [1, 1, true],
      [2, 2, false],
    ]);
  });
});

describe('logger', () => {
  it("is the app's", async () => {
    const lines: unknown[][] = [];
    const logger: Logger = {
      info: (...line) => lines.push(['info', ...line]),
      warn: (...line) => lines.push(['warn', ...line]),
      error: (...line) => lines.push(['error', ...line]),
    };
    const app = new QTasks({ logger });
    const error = new Error('no');
    await app.task('t', { ctx: Context }, ({ ctx }) => {
      ctx.logger.info('one');
      ctx.logger.warn('two');
      ctx.logger.error('three', error);
    })();
    expect(lines.slice(1, -1)).toEqual([
      ['info', 'one'],
      ['warn', 'two'],
      ['error', 'three', error],
    ]);
  });

  it('is silent where the app has none', async () => {
    const app = new QTasks();
    const task = app.task('t', { ctx: Context }, ({ ctx }) => {
      return [ctx.logger.info('one'), ctx.logger.warn('two'), ctx.logger.error('three')];
    });
    expect(await task()).toEqual([undefined, undefined, undefined]);
  });
});

describe('sleep', () => {
  it("waits on the app's clock", async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const run = app.task('t', { ctx: Context }, async ({ ctx }) => {
      await ctx.sleep(100);
      await ctx.sleep(0);
      return clock.now();
    })();
    const start = clock.now();
    await clock.advance(99);
    expect(run.status).toBe('process');
    await clock.advance(1);
    expect(await run).toBe(start + 100);
    expect(clock.pending).toBe(0);
  });

  it('rejects with the reason as soon as the signal aborts, and lets go of its timer', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const seen: unknown[] = [];
    const run = app.task('t', { ctx: Context }, async ({ ctx }) => {
      seen.push(await rejection(ctx.sleep(100)));
      seen.push(await rejection(ctx.sleep(100)));
    })();
    run.cancel('stop');
    await run.settled;
    expect(seen).toEqual(['stop', 'stop']);
    expect(clock.pending).toBe(0);
  });

  it('leaves no listener on the signal once it is over', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    let listeners = 0;
    const run = app.task('t', { ctx: Context }, async ({ ctx }) => {
      const { signal } = ctx;
      const add = signal.addEventListener.bind(signal) as (...args: unknown[]) => void;
      const remove = signal.removeEventListener.bind(signal) as (...args: unknown[]) => void;
      Object.assign(signal, {
        addEventListener: (...args: unknown[]) => [listeners++, add(...args)],
        removeEventListener: (...args: unknown[]) => [listeners--, remove(...args)],
      });
      for (let count = 0; count < 5; count++) await ctx.sleep(10);
    })();
    await clock.advance(50);
    await run;
    expect(listeners).toBe(0);
  });

  it('refuses what is no duration', async () => {
    const app = new QTasks();
    const task = app.task('t', { ctx: Context }, ({ ctx }, duration: number) => {
      return rejection(ctx.sleep(duration));
    });
    for (const wrong of [-1, Number.NaN, '10' as unknown as number]) {
      expect(isQTasksError(await task(wrong), 'OPTION_INVALID')).toBe(true);
    }
  });
});

describe('cancel', () => {
  it('aborts the signal at once and ends the run "cancel" with the reason', async () => {
    const app = new QTasks();
    const run = app.task('t', { ctx: Context }, ({ ctx }) => {
      ctx.cancel('stop');
      expect(ctx.signal.aborted).toBe(true);
      expect(ctx.signal.reason).toBe('stop');
      return 'value';
    })();
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop' });
  });

  it('gives TASK_CANCELLED where no reason is given', async () => {
    const app = new QTasks();
    const run = app.task('t', { ctx: Context }, ({ ctx }) => ctx.cancel())();
    expect(isQTasksError(await rejection(run), 'TASK_CANCELLED')).toBe(true);
  });
});

describe('defer', () => {
  it('runs with the teardown, in its place in the reverse order, and is waited for', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const db = Depends(() => traced(log, 'db'));
    const page = Depends({ db, ctx: Context }, async function* ({ ctx }) {
      ctx.defer(() => log.push('deferred by page'));
      yield* traced(log, 'page');
    });
    const run = app.task('t', { page, ctx: Context }, ({ ctx }) => {
      ctx.defer(() => log.push('first'));
      ctx.defer(async () => {
        await settle();
        log.push('second');
      });
      log.push('body');
    })();
    await run;
    expect(log).toEqual([
      ...['+db', '+page', 'body'],
      ...['second', 'first', '-page', 'deferred by page', '-db'],
    ]);
  });

  it('gives its callback nothing', async () => {
    const app = new QTasks();
    const seen: unknown[][] = [];
    for (const fails of [false, true]) {
      const task = app.task(`t${fails}`, { ctx: Context }, ({ ctx }) => {
        ctx.defer((...given: unknown[]) => seen.push(given));
        if (fails) throw 'no';
      });
      await task().settled;
    }
    expect(seen).toEqual([[], []]);
  });

  it('runs after a failure and a cancel too, once for each attempt', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const task = app.task(
      't',
      { ctx: Context },
      ({ ctx }) => {
        ctx.defer(() => log.push(`deferred ${ctx.attempt}`));
        if (ctx.attempt === 2) ctx.cancel('stop');
        throw new Error('no');
      },
      { retry: 3 },
    );
    const run = task();
    await clock.advance(60_000);
    expect(await run.settled).toMatchObject({ status: 'cancel', attempts: 2 });
    expect(log).toEqual(['deferred 1', 'deferred 2']);
  });

  it('runs though a dependency fails to open', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const first = Depends({ ctx: Context }, ({ ctx }) => ctx.defer(() => log.push('deferred')));
    const bad = Depends({ first }, () => {
      throw 'no';
    });
    expect(await rejection(app.task('t', { bad }, () => {})())).toBe('no');
    expect(log).toEqual(['deferred']);
  });

  it('fails a success when it throws or rejects, and is no dependency to tell of', async () => {
    const app = new QTasks();
    const told: unknown[] = [];
    app.on('dependency:error', (event) => told.push(event));
    const task = app.task('t', { ctx: Context }, ({ ctx }) => {
      ctx.defer(() => Promise.reject('second'));
      ctx.defer(() => {
        throw 'first';
      });
      return 'value';
    });
    const { error, cleanupErrors } = await task().settled;
    if (!isQTasksError(error, 'CLEANUP_FAILED')) throw error;
    expect(error.data).toEqual({ errors: ['first', 'second'], value: 'value' });
    expect(cleanupErrors).toEqual(['first', 'second']);
    expect(told).toEqual([]);
  });

  it('never replaces the error of a failure', async () => {
    const app = new QTasks();
    const task = app.task('t', { ctx: Context }, ({ ctx }) => {
      ctx.defer(() => {
        throw 'broke';
      });
      throw 'no';
    });
    expect(await task().settled).toMatchObject({ error: 'no', cleanupErrors: ['broke'] });
  });

  it('refuses a callback once the teardown has begun, and what is no function', async () => {
    const app = new QTasks();
    const seen: unknown[] = [];
    const dep = Depends({ ctx: Context }, function* ({ ctx }) {
      yield;
      try {
        ctx.defer(() => seen.push('never'));
      } catch (error) {
        seen.push(error);
      }
    });
    await app.task('t', { dep, ctx: Context }, ({ ctx }) => {
      try {
        ctx.defer('text' as never);
      } catch (error) {
        seen.push(error);
      }
    })();
    expect(seen).toHaveLength(2);
    expect(seen.every((error) => isQTasksError(error, 'OPTION_INVALID'))).toBe(true);
  });
});
