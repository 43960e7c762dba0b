/** How runs and the runs that are part of them end with each other. */
import { describe, expect, it } from 'vitest';
import { Context, Depends, isQTasksError, QTasks, type Run } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, rejection, turn } from '../support/promises.js';
import { traced } from '../support/traced.js';

const no = new Error('no');

describe('the end of its parent', () => {
  /** A task with a child that ends when a gate says so, or earlier by its signal. */
  const family = (end: (ctx: Context) => unknown = () => 'value') => {
    const clock = new ManualClock();
    const log: string[] = [];
    const app = new QTasks({ clock });
    const [outerDep, innerDep] = ['outer', 'inner'].map((name) => Depends(() => traced(log, name)));
    const { promise, resolve } = gate();
    const children: Run<unknown>[] = [];
    if (!outerDep || !innerDep) throw no;
    const inner = app.task('inner', { innerDep, ctx: Context }, async ({ ctx }) => {
      await Promise.race([
        promise,
        new Promise((_resolve, reject) => {
          ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason));
        }),
      ]);
      return 'inner';
    });
    const outer = app.task(
      'outer',
      { outerDep, ctx: Context },
      async ({ ctx }) => {
        const child = ctx.run(inner);
        void child.settled;
        children.push(child);
        return end(ctx);
      },
      { timeout: 100 },
    );
    return { clock, log, app, inner, outer, children, resolve };
  };

  it('waits for it, before its teardown', async () => {
    const { log, app, outer, children, resolve } = family();
    const events: string[] = [];
    app.on('run:return', ({ task }) => events.push(task));
    const run = outer();
    await settle();
    expect(run.status).toBe('process');
    expect(log).toEqual(['+outer', '+inner']);
    resolve();
    expect(await run).toBe('value');
    expect(log).toEqual(['+outer', '+inner', '-inner', '-outer']);
    expect(children[0]?.status).toBe('success');
    expect(events).toEqual(['inner', 'outer']);
  });

  it('by a failure of its own cancels it with that error and waits for it', async () => {
    const { log, outer, children } = family(() => Promise.reject(no));
    expect(await rejection(outer())).toBe(no);
    expect(await children[0]?.settled).toMatchObject({ status: 'cancel', error: no });
    expect(log).toEqual(['+outer', '+inner', '!inner no', '!outer no']);
  });

  it('by a cancel cancels it with the same reason, also after its handler has returned', async () => {
    for (const end of [() => never, () => 'value']) {
      const { clock, log, outer, children } = family(end);
      const run = outer();
      await settle();
      run.cancel(no);
      await clock.advance(1_000);
      expect(await rejection(run)).toBe(no);
      expect(await children[0]?.settled).toMatchObject({ status: 'cancel', error: no });
      expect(log).toEqual(['+outer', '+inner', '!inner no', '!outer no']);
      expect(clock.pending).toBe(0);
    }
  });

  it('by its timeout cancels it with TASK_TIMEOUT, also after its handler has returned', async () => {
    for (const end of [() => never, () => 'value']) {
      const { clock, outer, children } = family(end);
      const { settled } = outer();
      await clock.advance(2_000);
      const { status, error } = await settled;
      expect(status).toBe('error');
      expect(isQTasksError(error, 'TASK_TIMEOUT')).toBe(true);
      expect(await children[0]?.settled).toMatchObject({ status: 'cancel', error });
      expect(clock.pending).toBe(0);
    }
  });

  it('reaches a child of a child, and one that waits for its retry', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const ends: unknown[] = [];
    app.on('run:cancel', ({ task, reason, attempt }) => ends.push([task, reason, attempt]));
    const fails = app.task('fails', () => Promise.reject(no), { retry: 3 });
    const sleeps = app.task('sleeps', { ctx: Context }, ({ ctx }) => ctx.sleep(1_000));
    const both = app.task('both', { ctx: Context }, ({ ctx }) =>
      Promise.all([ctx.run(fails), ctx.run(sleeps)]),
    );
    const outer = app.task('outer', { ctx: Context }, ({ ctx }) => ctx.run(both));
    const run = outer();
    await settle();
    run.cancel('stop');
    expect(await rejection(run)).toBe('stop');
    expect(ends).toEqual([
      ['fails', 'stop', 1],
      ['sleeps', 'stop', 1],
      ['both', 'stop', 1],
      ['outer', 'stop', 1],
    ]);
    await clock.advance(60_000);
    expect(clock.pending).toBe(0);
  });

  it('waits for one that ignores the cancel for as long as that has grace', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const deaf = app.task('deaf', () => never, { grace: 300 });
    const outer = app.task('outer', { ctx: Context }, ({ ctx }) => ctx.run(deaf), { grace: 50 });
    const run = outer();
    await settle();
    run.cancel('stop');
    await clock.advance(299);
    expect(run.status).toBe('process');
    await clock.advance(1);
    expect(run.status).toBe('cancel');
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop', attempts: 1 });
    await clock.advance(10_000);
    expect(app.inspect().counts).toMatchObject({ calls: 2, cancel: 2 });
    expect(clock.pending).toBe(0);
  });

  it('by a close of the app reaches the one that its teardown has started meanwhile', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const { promise, resolve } = gate();
    const sleeps = app.task('sleeps', { ctx: Context }, ({ ctx }) => ctx.sleep(Infinity));
    const ends: unknown[] = [];
    const dep = Depends({ ctx: Context }, async function* ({ ctx }) {
      yield;
      await promise;
      ends.push((await ctx.run(sleeps).settled).error);
    });
    const run = app.task('work', { dep }, () => 'value')();
    await settle();
    let isClosed = false;
    void app.close({ drain: 100 }).then(() => {
      isClosed = true;
    });
    resolve();
    await clock.advance(2_000);
    expect(isClosed).toBe(true);
    expect(isQTasksError(ends[0], 'APP_CLOSED')).toBe(true);
    expect(await run).toBe('value');
  });

  it('starts with new ones at each attempt', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const seen: string[] = [];
    const inner = app.task('inner', { ctx: Context }, async ({ ctx }, attempt: number) => {
      seen.push(`+${attempt}`);
      await ctx.sleep(10).catch((error) => {
        seen.push(`!${attempt} ${error}`);
        throw error;
      });
      seen.push(`-${attempt}`);
    });
    const outer = app.task(
      'outer',
      { ctx: Context },
      async ({ ctx }) => {
        const child = ctx.run(inner, ctx.attempt);
        void child.settled;
        if (ctx.attempt === 1) throw 'first';
        await child;
      },
      { retry: 1 },
    );
    const run = outer();
    run.then(() => {});
    await clock.advance(1_000);
    expect(run.status).toBe('success');
    expect(seen).toEqual(['+1', '!1 first', '+2', '-2']);
  });
});

describe('the end of a child', () => {
  it('by a failure or a cancel is for its parent to see, and ends no parent', async () => {
    const app = new QTasks();
    const fails = app.task('fails', () => Promise.reject(no));
    const waits = app.task('waits', { ctx: Context }, ({ ctx }) => ctx.sleep(1_000));
    const outer = app.task('outer', { ctx: Context }, async ({ ctx }) => {
      const cancelled = ctx.run(waits);
      cancelled.cancel('child only');
      const ends = [await ctx.run(fails).settled, await cancelled.settled];
      return [...ends.map(({ error }) => error), ctx.signal.aborted];
    });
    expect(await outer()).toEqual([no, 'child only', false]);
  });

  it('by a failure that nobody looks at surfaces once, as that of any run', async () => {
    const app = new QTasks();
    const errors: unknown[] = [];
    app.on('error', ({ task, error }) => errors.push([task, error]));
    const fails = app.task('fails', () => Promise.reject(no));
    const outer = app.task('outer', { ctx: Context }, ({ ctx }) => {
      void ctx.run(fails);
      return 'value';
    });
    expect(await outer()).toBe('value');
    await turn();
    expect(errors).toEqual([['fails', no]]);
  });

  it('may cancel its parent, and end with it', async () => {
    const app = new QTasks();
    let parent: Run<unknown> | undefined;
    const inner = app.task('inner', { ctx: Context }, async ({ ctx }) => {
      parent?.cancel('by the child');
      return ctx.signal.reason;
    });
    const ends: unknown[] = [];
    const outer = app.task('outer', { ctx: Context }, async ({ ctx }) => {
      await settle();
      ends.push((await ctx.run(inner).settled).error);
    });
    parent = outer();
    expect(await rejection(parent)).toBe('by the child');
    expect(ends).toEqual(['by the child']);
  });
});
