import { describe, expect, it } from 'vitest';
import { Context, Depends, isQTasksError, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, rejection } from '../support/promises.js';
import { traced } from '../support/traced.js';

describe('defects that were found once stay mended', () => {
  it('a generator that yields again and then hangs in finally is bounded by closeTimeout', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const outer = Depends(() => traced(log, 'outer'));
    const dep = Depends(
      { outer },
      async function* () {
        try {
          yield 1;
          yield 2;
        } finally {
          await never;
        }
      },
      { closeTimeout: 20 },
    );
    const run = app.task('t', { dep }, () => 'value')();
    void run.settled;
    await clock.advance(1_000);
    expect(run.status).toBe('error');
    expect(log).toHaveLength(2);
  });

  it('context.defer calls its callback without arguments', async () => {
    const app = new QTasks();
    const seen: unknown[][] = [];
    await app.task('t', { ctx: Context }, ({ ctx }) => {
      ctx.defer((...args: unknown[]) => seen.push(args));
    })();
    expect(seen).toEqual([[]]);
  });

  it('signal stays unaborted in teardown after the handler own failure (first looked at there)', async () => {
    const app = new QTasks({ clock: new ManualClock() });
    const seen: unknown[] = [];
    for (const early of [true, false]) {
      const dep = Depends({ ctx: Context }, async function* ({ ctx }) {
        if (early) seen.push(ctx.signal.aborted);
        try {
          yield;
        } catch {
          seen.push(ctx.signal.aborted);
        }
      });
      await rejection(app.task(`t${early}`, { dep }, () => Promise.reject('no'))());
    }
    expect(seen).toEqual([false, false, false]);
  });

  it('when cancels its own run: settles once', async () => {
    const app = new QTasks();
    const events: string[] = [];
    app.on('run:cancel', ({ task }) => events.push(task));
    app.on('run:error', ({ task }) => events.push(task));
    const ends = gate();
    const other = app.task('other', () => ends.promise)();
    const holder: { run?: { cancel(reason?: unknown): void } } = {};
    const when = () => {
      holder.run?.cancel('stop');
      return true;
    };
    const run = app.task(
      't',
      async () => {
        await settle();
        throw 'no';
      },
      { retry: { limit: 3, when } },
    )();
    holder.run = run;
    await run.settled;
    await settle();
    expect(events).toEqual(['t']);
    let closed = false;
    void app.close().then(() => {
      closed = true;
    });
    await settle();
    expect(closed).toBe(false);
    ends.resolve();
    await other;
  });

  it('a logger that aborts the signal as a run starts', async () => {
    const controller = new AbortController();
    const info = () => controller.abort('stop');
    const app = new QTasks({ logger: { info, warn() {}, error() {} } });
    const events: string[] = [];
    for (const name of ['run:start', 'run:success', 'run:cancel'] as const)
      app.on(name, ({ type }) => events.push(type));
    const log: string[] = [];
    const run = app.with({ signal: controller.signal }).run(app.task('t', () => log.push('body')));
    expect((await run.settled).status).toBe('cancel');
    await settle();
    expect(events.filter((type) => type !== 'run:start')).toEqual(['run:cancel']);
    expect(log).toEqual([]);
  });

  it('a run that a listener starts does not overtake those that wait', async () => {
    const app = new QTasks({ concurrency: 1 });
    const order: string[] = [];
    const work = app.task('work', (name: string) => {
      order.push(name);
    });
    const ends = gate();
    const blocker = app.task('blocker', () => ends.promise);
    app.on('run:success', ({ task }) => {
      if (task === 'blocker') void app.with({ priority: 5 }).run(work, 'late and low');
    });
    const first = blocker();
    const waiting = work('waiting');
    ends.resolve();
    await Promise.all([first, waiting]);
    await settle();
    expect(order).toEqual(['waiting', 'late and low']);
  });

  it('app.close() waits for a session that is closing (worker scope outlives session scope)', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const closing = gate();
    const pool = Depends(() => traced(log, 'pool'), { scope: 'worker' });
    const own = Depends(
      { pool },
      async function* () {
        yield;
        log.push('own closes');
        await closing.promise;
        log.push('own closed');
      },
      { scope: 'session' },
    );
    const ann = app.session('ann');
    await ann.run(app.task('t', { own }, () => {}));
    const one = ann.close();
    await settle();
    const two = app.close();
    await settle();
    expect(log).toEqual(['+pool', 'own closes']);
    closing.resolve();
    await Promise.all([one, two]);
    expect(log).toEqual(['+pool', 'own closes', 'own closed', '-pool']);
  });

  it('a second close of a session waits for the first', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const closing = gate();
    const own = Depends(
      async function* () {
        yield;
        await closing.promise;
        log.push('closed');
      },
      { scope: 'session' },
    );
    const ann = app.session('ann');
    await ann.run(app.task('t', { own }, () => {}));
    const all = [ann.close().then(() => log.push('one')), ann.close().then(() => log.push('two'))];
    await settle();
    expect(log).toEqual([]);
    closing.resolve();
    await Promise.all(all);
    expect(log[0]).toBe('closed');
  });

  it('handler past its grace still sees its own attempt', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 0 });
    const seen: number[] = [];
    const release = gate();
    const task = app.task(
      't',
      { ctx: Context },
      async ({ ctx }) => {
        if (ctx.attempt === 2) return release.promise;
        await release.promise;
        seen.push(ctx.attempt);
      },
      { timeout: 10, retry: { limit: 1, delay: 0 } },
    );
    const run = task();
    await clock.advance(10);
    await clock.advance(5);
    expect(run.status).toBe('process');
    release.resolve();
    await run;
    await settle();
    expect(seen).toEqual([1]);
  });

  it('dependency:error of a late resource names the attempt it belongs to', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 0 });
    const told: unknown[] = [];
    app.on('dependency:error', ({ attempt }) => told.push(attempt));
    const release = gate();
    const hold = gate();
    const dep = Depends({ ctx: Context }, async function* ({ ctx }) {
      if (ctx.attempt === 1) await release.promise;
      yield;
    });
    const run = app.task('t', { dep }, () => hold.promise, {
      timeout: 10,
      retry: { limit: 1, delay: 0 },
    })();
    await clock.advance(10);
    await clock.advance(1);
    expect(run.status).toBe('process');
    release.resolve();
    await settle();
    hold.resolve();
    await run;
    expect(told).toEqual([1]);
  });

  it('place keys cannot collide', async () => {
    let opened = 0;
    const app = new QTasks();
    const own = Depends(() => ++opened, { scope: 'worker', cache: false });
    const middle = Depends({ c: own }, ({ c }) => c);
    const task = app.task('a', { b: middle, 'b > c': own }, (all) => Object.values(all));
    expect(new Set(await task()).size).toBe(2);
    const other = app.task('a > b', { c: own }, ({ c }) => c);
    expect(await task()).not.toContain(await other());
  });

  it('the record of needs is not shared between runs', async () => {
    const app = new QTasks();
    const task = app.task('t', {}, (needs: Record<string, unknown>) => {
      const had = Object.keys(needs);
      Object.assign(needs, { leaked: true });
      return had;
    });
    await task();
    expect(await task()).toEqual([]);
  });

  it('an opening in a session scope that has closed does not start', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 10 });
    const late = gate();
    const pool = Depends(
      async function* () {
        await late.promise;
        yield* traced(log, 'pool');
      },
      { scope: 'worker' },
    );
    const own = Depends({ pool }, () => traced(log, 'own'), { scope: 'session' });
    const ann = app.session('ann');
    const run = ann.run(app.task('t', { own }, () => {}));
    await settle();
    run.cancel();
    await run.settled;
    const closing = ann.close();
    await clock.advance(10);
    await closing;
    late.resolve();
    await settle();
    expect(log).toEqual(['+pool']);
    await app.close();
  });

  it('a throwing dispose thenable / weird closing thenable with closeTimeout', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const dep = Depends.using(
      () => ({
        [Symbol.asyncDispose]: () =>
          ({
            // biome-ignore lint/suspicious/noThenProperty: odd
            then() {
              throw new Error('odd');
            },
          }) as unknown as PromiseLike<void>,
      }),
      { closeTimeout: 10 },
    );
    const { settled } = app.task('t', { dep }, () => 'value')();
    await settle();
    await clock.advance(100);
    const s = await settled;
    expect(s.status).toBe('error');
    expect(clock.pending).toBe(0);
  });

  it('a replacement that wraps the original through another dependency, in any order of keys', async () => {
    const app = new QTasks();
    const db = Depends(() => 'db');
    const y = Depends({ db }, ({ db }) => `y(${db})`);
    const seen: unknown[] = [];
    const one = app.task('one', { db, y }, (all) => [all.db, all.y]);
    const two = app.task('two', { y, db }, (all) => [all.db, all.y]);
    expect(() =>
      app.override(
        db,
        Depends({ y }, ({ y }) => `fake(${y})`),
      ),
    ).toThrow(expect.objectContaining({ code: 'DEPENDENCY_CYCLE' }));
    seen.push(await one(), await two());
    expect(seen).toEqual([
      ['db', 'y(db)'],
      ['db', 'y(db)'],
    ]);
  });

  it('late plain value is nothing to tell of', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 0 });
    const told: unknown[] = [];
    app.on('dependency:error', (event) => told.push(event));
    const late = gate();
    const dep = Depends(() => late.promise);
    const run = app.task('t', { dep }, () => {})();
    run.cancel();
    await clock.advance(0);
    late.resolve();
    await settle();
    expect(told).toEqual([]);
  });

  it('close() in app while a session is draining waits for its runs with one reason', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const ann = app.session('ann');
    const run = ann.run(app.task('t', { ctx: Context }, ({ ctx }) => ctx.sleep(1_000)));
    const one = ann.close({ drain: 500 });
    const two = app.close({ drain: 100 });
    await clock.advance(100);
    await Promise.all([one, two]);
    expect(isQTasksError(await rejection(run), 'APP_CLOSED')).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('cancel while another failure waits for siblings', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 10 });
    const bad = Depends(async () => {
      throw 'no';
    });
    const stuck = Depends(() => never);
    const run = app.task('t', { bad, stuck }, () => {}, { retry: 3 })();
    const { settled } = run;
    await settle();
    run.cancel('stop');
    await clock.advance(10);
    expect(await settled).toMatchObject({ status: 'cancel', error: 'stop' });
  });

  it('shared scope: an override made while nothing runs, cached subtree elsewhere', async () => {
    const app = new QTasks();
    const base = Depends(() => 'base', { scope: 'worker' });
    const pool = Depends({ base }, ({ base }) => base, { scope: 'worker' });
    const fake = Depends({ base }, ({ base }) => `around ${base}`, { scope: 'worker' });
    const t = app.task('t', { pool, base }, (all) => [all.pool, all.base]);
    expect(await t()).toEqual(['base', 'base']);
    const o = app.override(base, fake);
    expect(await t()).toEqual(['around base', 'around base']);
    o.restore();
    expect(await t()).toEqual(['base', 'base']);
  });
  it('generator re-entrancy: a sync generator that closes its app while opening', async () => {
    const log: string[] = [];
    const app = new QTasks();
    let closing: Promise<void> | undefined;
    const dep = Depends(function* () {
      closing = app.close({ drain: 0 });
      yield;
      log.push('closed');
    });
    const run = app.task('t', { dep }, () => log.push('body'))();
    await run.settled;
    await closing;
    expect(log.at(-1)).toBe('closed');
  });
  it('a run that awaits its own settled/cancel in a listener at run:retry', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const seen: string[] = [];
    const holder: { run?: { cancel(r?: unknown): void } } = {};
    app.on('run:retry', () => holder.run?.cancel('stop'));
    app.on('run:cancel', () => seen.push('cancel'));
    const run = app.task(
      't',
      async () => {
        await settle();
        throw 'no';
      },
      { retry: 2 },
    )();
    holder.run = run;
    expect(await run.settled).toMatchObject({ status: 'cancel' });
    await clock.advance(10_000);
    expect(seen).toEqual(['cancel']);
  });
});
