/** Runs that are part of another: what `ctx.run` shares with it, and how each ends with the other. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { Context, Depends, isQTasksError, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { overlap } from '../support/overlap.js';
import { gate, never, rejection } from '../support/promises.js';
import { traced } from '../support/traced.js';

const no = new Error('no');

describe('a child run', () => {
  it('is of the same session and has an id and attempts of its own', async () => {
    const app = new QTasks();
    const about = ({ ctx }: { readonly ctx: Context }) => ({
      session: ctx.session,
      id: ctx.runId,
      attempt: ctx.attempt,
      task: ctx.taskName,
    });
    const inner = app.task('inner', { ctx: Context }, about);
    const outer = app.task('outer', { ctx: Context }, async (needs) => {
      return [about(needs), await needs.ctx.run(inner), await needs.ctx.run('inner')];
    });
    const run = app.session('ann').with({ id: 'outer id' }).run(outer);
    const [own, byTask, byName] = (await run) as ReturnType<typeof about>[];
    expect(own).toEqual({ session: 'ann', id: 'outer id', attempt: 1, task: 'outer' });
    for (const child of [byTask, byName]) {
      expect(child).toMatchObject({ session: 'ann', attempt: 1, task: 'inner' });
    }
    expect(new Set([own?.id, byTask?.id, byName?.id]).size).toBe(3);
  });

  it('passes arguments and results, and the very error, as any run', async () => {
    const app = new QTasks();
    const inner = app.task('inner', (value: object) => value);
    const fails = app.task('fails', () => Promise.reject(no));
    const given = {};
    const outer = app.task('outer', { ctx: Context }, async ({ ctx }) => [
      await ctx.run(inner, given),
      await rejection(ctx.run(fails)),
    ]);
    const [value, error] = await outer();
    expect(value).toBe(given);
    expect(error).toBe(no);
  });

  it('never throws as it is called, whatever it is called with', async () => {
    const app = new QTasks({ name: 'shop' });
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const outer = app.task('outer', { ctx: Context }, async ({ ctx }) => {
      const targets: unknown[] = ['nobody', '__proto__', '', null, undefined, 7, {}, proxy];
      const run = (target: unknown): PromiseLike<unknown> =>
        Reflect.apply(ctx.run, undefined, [target]);
      return Promise.all(targets.map((target) => rejection(run(target))));
    });
    const errors = await outer();
    expect(errors).toHaveLength(8);
    // A proxy that is revoked answers nothing, and throws an error of its own.
    for (const error of errors.slice(0, 7)) expect(isQTasksError(error, 'TASK_UNKNOWN')).toBe(true);
  });

  it("runs in its parent's slot, however deep, and before all that wait", async () => {
    const app = new QTasks({ concurrency: 1 });
    const order: string[] = [];
    const nest = app.task('nest', { ctx: Context }, async ({ ctx }, depth: number) => {
      await settle();
      if (depth > 0) await ctx.run('nest', depth - 1);
      order.push(`nest ${depth}`);
    });
    const waits = app.task('waits', () => order.push('waits'));
    const runs = [nest(3), app.with({ priority: -1 }).run(waits)];
    await Promise.all(runs);
    expect(order).toEqual(['nest 0', 'nest 1', 'nest 2', 'nest 3', 'waits']);
    expect(await Promise.all([nest(0), nest(0)])).toHaveLength(2);
  });

  it('may be one of thousands at the same time', async () => {
    const app = new QTasks({ concurrency: 1 });
    const inner = app.task('inner', async (value: number) => {
      await null;
      return value;
    });
    const outer = app.task('outer', { ctx: Context }, async ({ ctx }) => {
      const values = Array.from({ length: 2_000 }, (_, value) => ctx.run(inner, value));
      return (await Promise.all(values)).reduce((sum, value) => sum + value, 0);
    });
    expect(await outer()).toBe(1_999_000);
    expect(app.inspect().runs).toEqual([]);
  });

  it('is retried by its own policy while its parent waits', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const inner = app.task(
      'inner',
      { ctx: Context },
      ({ ctx }) => {
        if (ctx.attempt < 3) throw no;
        return ctx.attempt;
      },
      { retry: 2 },
    );
    const outer = app.task('outer', { ctx: Context }, ({ ctx }) => ctx.run(inner));
    const run = outer();
    run.then(() => {});
    await clock.advance(10_000);
    expect(await run.settled).toMatchObject({ value: 3, attempts: 1 });
  });

  it('streams to its parent, who may pass it on or leave it', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const dep = Depends(() => traced(log, 'dep'));
    const count = app.task('count', { dep }, async function* () {
      for (let value = 0; ; value++) yield value;
    });
    const outer = app.task('outer', { ctx: Context }, async function* ({ ctx }) {
      const child = ctx.run(count);
      for await (const value of child) {
        if (value === 3) break;
        yield value;
      }
      return child.status;
    });
    const run = outer();
    const values: number[] = [];
    for await (const value of run) values.push(value);
    expect(values).toEqual([0, 1, 2]);
    expect(await run).toBe('cancel');
    expect(log).toHaveLength(2);
  });
});

describe('a start', () => {
  it('after the abort is refused with the reason: nothing runs, status "cancel"', async () => {
    const app = new QTasks();
    let calls = 0;
    const inner = app.task('inner', () => ++calls);
    const ends: unknown[] = [];
    const late = Depends({ ctx: Context }, async function* ({ ctx }) {
      try {
        yield;
      } finally {
        ends.push(await ctx.run(inner).settled);
      }
    });
    const outer = app.task('outer', { late, ctx: Context }, async ({ ctx }) => {
      ctx.cancel('stop');
      ends.push(await ctx.run(inner).settled);
    });
    expect(await rejection(outer())).toBe('stop');
    const refused = { status: 'cancel', error: 'stop', attempts: 0, cleanupErrors: [] };
    expect(ends).toEqual([refused, refused]);
    expect(calls).toBe(0);
  });

  it('during the opening and the teardown, after a success or a failure, runs within it', async () => {
    for (const isFailing of [true, false]) {
      const log: string[] = [];
      const app = new QTasks({ concurrency: 1 });
      const inner = app.task('inner', async (what: string) => {
        log.push(`+${what}`);
        await settle();
        log.push(`-${what}`);
      });
      const dep = Depends({ ctx: Context }, async function* ({ ctx }) {
        await ctx.run(inner, 'opening');
        try {
          yield;
        } finally {
          await ctx.run(inner, 'closing');
          // Not awaited, it still ends within the run.
          void ctx.run(inner, 'left');
        }
      });
      const outer = app.task('outer', { dep }, () => {
        log.push('body');
        if (isFailing) throw no;
      });
      const { status } = await outer().settled;
      expect(status).toBe(isFailing ? 'error' : 'success');
      const all = ['+opening', '-opening', 'body', '+closing', '-closing', '+left', '-left'];
      expect(log).toEqual(all);
    }
  });

  it('after the end of its parent, also of one that was left behind, is OPTION_INVALID', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    let calls = 0;
    const inner = app.task('inner', () => ++calls);
    let kept: Context | undefined;
    const { promise, resolve } = gate();
    const outer = app.task('outer', { ctx: Context }, async ({ ctx }, waits: boolean) => {
      kept = ctx;
      if (waits) await promise;
      return waits ? ctx.run(inner).settled : undefined;
    });
    await outer(false);
    expect(isQTasksError(await rejection(kept?.run(inner) ?? never), 'OPTION_INVALID')).toBe(true);
    const behind = outer(true);
    await settle();
    behind.cancel('stop');
    await clock.advance(1_000);
    expect(behind.status).toBe('cancel');
    resolve();
    await settle();
    expect(isQTasksError(await rejection(kept?.run(inner) ?? never), 'OPTION_INVALID')).toBe(true);
    expect(calls).toBe(0);
  });

  it('is allowed while the app or the session drains, and shares what its parent has open', async () => {
    for (const closes of ['app', 'session'] as const) {
      const log: string[] = [];
      const clock = new ManualClock();
      const app = new QTasks({ clock });
      const shared = Depends(() => traced(log, 'shared'), { scope: 'session' });
      const inner = app.task('inner', { shared }, () => log.push('inner'));
      const { promise, resolve } = gate();
      const outer = app.task('outer', { shared, ctx: Context }, async ({ ctx }) => {
        await promise;
        return ctx.run(inner);
      });
      const ann = app.session('ann');
      const run = ann.run(outer);
      await settle();
      const closing = closes === 'app' ? app.close() : ann.close();
      resolve();
      await run;
      await closing;
      expect(log).toEqual(['+shared', 'inner', '-shared']);
      expect(clock.pending).toBe(0);
    }
  });
});

describe('holds', () => {
  it("are the parent's: an exclusive child of an exclusive parent does not wait for it", async () => {
    const { dep, seen } = overlap();
    const storage = memory();
    const app = new QTasks({ storage });
    const inner = app.task('inner', () => settle(), { exclusive: true });
    const between = app.task('between', { ctx: Context }, ({ ctx }) => ctx.run(inner));
    const outer = app.task(
      'outer',
      { dep, ctx: Context },
      ({ ctx }) => Promise.all([ctx.run(inner), ctx.run(inner), ctx.run(between)]),
      { exclusive: true },
    );
    await Promise.all([
      outer(),
      outer(),
      new QTasks({ storage }).task('other', { dep }, () => 1, { exclusive: true })(),
    ]);
    expect(seen).toEqual({ entered: 3, now: 0, most: 1 });
  });

  it('are taken by the exclusive children of a parent that has none, one after the other', async () => {
    const { dep, seen } = overlap();
    const app = new QTasks({ storage: memory() });
    const inner = app.task('inner', { dep }, () => settle(), { exclusive: true });
    const outer = app.task('outer', { ctx: Context }, ({ ctx }) =>
      Promise.all([ctx.run(inner), ctx.run(inner)]),
    );
    await Promise.all([outer(), inner(), outer()]);
    expect(seen).toEqual({ entered: 5, now: 0, most: 1 });
  });
});
