/** Cancel and timeout: lines 27 to 32 of ARCHITECTURE.md §4. */
import { describe, expect, it } from 'vitest';
import { Context, Depends, isQTasksError, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, rejection } from '../support/promises.js';
import { traced } from '../support/traced.js';

describe('the reason', () => {
  it("27 aborts the run's signal with the caller's reason, by each way to cancel", async () => {
    const app = new QTasks({ clock: new ManualClock() });
    const reason = { why: 'enough' };
    const seen: unknown[] = [];
    const dep = Depends(function* () {
      try {
        yield;
      } catch (error) {
        seen.push(error);
        throw error;
      }
    });
    const waits = app.task('t', { dep, ctx: Context }, async ({ ctx }, inside: boolean) => {
      if (inside) ctx.cancel(reason);
      await ctx.sleep(1_000).catch((error) => seen.push(error));
      seen.push(ctx.signal.reason);
    });
    const controller = new AbortController();
    const byRun = waits(false);
    const bySignal = app.with({ signal: controller.signal }).run(waits, false);
    const bySession = app.session('ann').with({ signal: controller.signal }).run(waits, false);
    byRun.cancel(reason);
    controller.abort(reason);
    for (const run of [byRun, bySignal, bySession, waits(true)]) {
      const { status, error } = await run.settled;
      expect(status).toBe('cancel');
      expect(error).toBe(reason);
      expect(await rejection(run)).toBe(reason);
    }
    expect(seen).toHaveLength(12);
    expect(seen.every((error) => error === reason)).toBe(true);
  });

  it('27 is TASK_CANCELLED where none is given, and what the signal brings where that has one', async () => {
    const app = new QTasks();
    const waits = app.task('t', { ctx: Context }, ({ ctx }) => {
      return new Promise((_, reject) => {
        ctx.signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    });
    const byRun = waits();
    byRun.cancel();
    expect(isQTasksError(await rejection(byRun), 'TASK_CANCELLED')).toBe(true);
    const controller = new AbortController();
    const bySignal = app.with({ signal: controller.signal }).run(waits);
    controller.abort();
    expect(await rejection(bySignal)).toBe(controller.signal.reason);
  });

  it('27 keeps the first reason', async () => {
    const app = new QTasks();
    const run = app.task('t', { ctx: Context }, async ({ ctx }) => {
      ctx.cancel('first');
      ctx.cancel('second');
      await settle();
      ctx.cancel('third');
      return ctx.signal.reason;
    })();
    run.cancel('fourth');
    expect(await rejection(run)).toBe('first');
  });

  it('27 takes falsy reasons as they are', async () => {
    const app = new QTasks();
    for (const reason of [null, 0, '', false]) {
      const run = app.task(`t${reason}`, () => settle())();
      run.cancel(reason);
      expect(await run.settled).toMatchObject({ status: 'cancel', error: reason });
    }
  });

  it('27 ends "cancel" whatever the handler still returns or throws', async () => {
    const app = new QTasks();
    const endings = {
      returns: () => 'value',
      throws: () => {
        throw new Error('another');
      },
    };
    for (const [name, end] of Object.entries(endings)) {
      const run = app.task(name, async () => {
        await settle();
        return end();
      })();
      run.cancel('stop');
      expect(await run.settled).toEqual({
        status: 'cancel',
        error: 'stop',
        attempts: 1,
        cleanupErrors: [],
      });
    }
  });

  it('27 is never retried', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    let calls = 0;
    const task = app.task(
      't',
      { ctx: Context },
      ({ ctx }) => {
        calls++;
        ctx.cancel('stop');
        throw new Error('no');
      },
      { retry: 5 },
    );
    const run = task();
    await clock.advance(60_000);
    expect(await run.settled).toMatchObject({ status: 'cancel', attempts: 1 });
    expect(calls).toBe(1);
  });
});

describe('grace', () => {
  it('28 settles without a body that ignores the signal, after teardown; its result is dropped', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 50, concurrency: 1 });
    app.on('run:return', ({ task }) => log.push(`${task} returned`));
    app.on('run:cancel', ({ task }) => log.push(`${task} cancelled`));
    const body = gate<string>();
    const db = Depends(() => traced(log, 'db'));
    const run = app.task('t', { db }, () => body.promise)();
    const next = app.task('next', () => 'next')();
    await settle();
    run.cancel('stop');
    await clock.advance(49);
    expect(run.status).toBe('process');
    expect(next.status).toBe('new');
    await clock.advance(1);
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop' });
    expect(await next).toBe('next');
    body.resolve('late');
    await settle();
    expect(run.status).toBe('cancel');
    expect(log).toEqual(['+db', '!db stop', 't cancelled', 'next returned']);
    const slow = app.task('slow', () => settle());
    const last = [slow(), slow()];
    expect(last.map(({ status }) => status)).toEqual(['process', 'new']);
    await Promise.all(last);
  });

  it('28 drops what such a body throws late, and leaves no rejection unhandled', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 0 });
    const errors: unknown[] = [];
    app.on('error', ({ error }) => errors.push(error));
    const body = gate();
    const run = app.task('t', () => body.promise)();
    run.cancel('stop');
    await clock.advance(0);
    expect(run.status).toBe('cancel');
    body.reject(new Error('late'));
    await settle();
    expect(errors).toEqual([]);
  });

  it("28 takes the task's own grace before the app's, and 1,000 ms by default", async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const usual = app.task('usual', () => never)();
    const quick = app.task('quick', () => never, { grace: 10 })();
    const patient = app.task('patient', () => never, { grace: Number.POSITIVE_INFINITY })();
    for (const run of [usual, quick, patient]) run.cancel();
    await clock.advance(10);
    expect([usual.status, quick.status]).toEqual(['process', 'cancel']);
    await clock.advance(989);
    expect(usual.status).toBe('process');
    await clock.advance(1);
    expect(usual.status).toBe('cancel');
    await clock.advance(1_000_000);
    expect(patient.status).toBe('process');
  });

  it('28 lets go of its timer when the body ends in time', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const run = app.task('t', { ctx: Context }, ({ ctx }) => ctx.sleep(500))();
    run.cancel();
    await run.settled;
    expect(clock.pending).toBe(0);
  });
});

describe('timeout', () => {
  it('29 aborts the attempt with TASK_TIMEOUT and counts as its failure', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const db = Depends({ ctx: Context }, ({ ctx }) => traced(log, `db${ctx.attempt}`));
    const slow = app.task(
      't',
      { db, ctx: Context },
      async ({ ctx }) => {
        if (ctx.attempt === 3) return 'value';
        await ctx.sleep(1_000).catch((error) => {
          log.push(error === ctx.signal.reason ? error.code : 'another');
        });
        return 'too late';
      },
      { timeout: 100, retry: { limit: 2, delay: 10, factor: 1, jitter: false } },
    );
    const run = slow();
    const { settled } = run;
    await clock.advance(99);
    expect(log).toEqual(['+db1']);
    await clock.advance(1);
    expect(run.status).toBe('retry');
    await clock.advance(1_000);
    expect(await settled).toMatchObject({ status: 'success', value: 'value', attempts: 3 });
    const lines = log.map((line) => line.replace(/ .*/, ''));
    expect(lines).toEqual([
      ...['+db1', 'TASK_TIMEOUT', '!db1'],
      ...['+db2', 'TASK_TIMEOUT', '!db2'],
      ...['+db3', '-db3'],
    ]);
  });

  it('29 ends "error" where there is no retry, with a body that ignores it past grace too', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 10 });
    const { settled } = app.task('t', () => never, { timeout: 100 })();
    await clock.advance(110);
    const { status, error } = await settled;
    expect(status).toBe('error');
    expect(isQTasksError(error, 'TASK_TIMEOUT')).toBe(true);
  });

  it('29 counts from the moment the dependencies start to open, not while waiting for a slot', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock, concurrency: 1 });
    const first = app.task('first', { ctx: Context }, ({ ctx }) => ctx.sleep(500))();
    const slow = Depends({ ctx: Context }, async function* ({ ctx }) {
      await ctx.sleep(60);
      yield* traced(log, 'slow');
    });
    const second = app.task('second', { slow, ctx: Context }, ({ ctx }) => ctx.sleep(60), {
      timeout: 100,
    })();
    const { settled } = second;
    await clock.advance(500);
    await first;
    await clock.advance(99);
    expect(second.status).toBe('process');
    await clock.advance(1);
    const { error } = await settled;
    expect(isQTasksError(error, 'TASK_TIMEOUT')).toBe(true);
    expect(log).toEqual(['+slow', `!slow ${(error as Error).message}`]);
  });

  it('29 ends an opening that takes too long', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const slow = Depends({ ctx: Context }, ({ ctx }) => ctx.sleep(1_000));
    const { settled } = app.task('t', { slow }, () => 'value', { timeout: 100 })();
    await clock.advance(100);
    expect(isQTasksError((await settled).error, 'TASK_TIMEOUT')).toBe(true);
  });

  it('29 does not count the teardown', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const closing = gate();
    const dep = Depends(async function* () {
      yield;
      await closing.promise;
    });
    const run = app.task('t', { dep }, () => 'value', { timeout: 100 })();
    await settle();
    expect(clock.pending).toBe(0);
    await clock.advance(1_000);
    closing.resolve();
    expect(await run).toBe('value');
  });

  it('29 can be set for one call, and holds for it alone', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const task = app.task('t', { ctx: Context }, ({ ctx }) => ctx.sleep(200), { timeout: 100 });
    const usual = task().settled;
    const longer = app.with({ timeout: 300 }).run(task).settled;
    await clock.advance(300);
    expect([(await usual).status, (await longer).status]).toEqual(['error', 'success']);
    expect(clock.pending).toBe(0);
  });
});

describe('exactly one outcome', () => {
  it('30 gives one outcome for a cancel in the tick of success', async () => {
    for (let ticks = 0; ticks < 12; ticks++) {
      const log: string[] = [];
      const app = new QTasks();
      for (const type of ['run:success', 'run:error', 'run:cancel'] as const) {
        app.on(type, () => log.push(type));
      }
      const db = Depends(() => traced(log, 'db'));
      const body = gate<string>();
      const run = app.task('t', { db }, () => body.promise)();
      let outcomes = 0;
      const count = () => {
        outcomes++;
      };
      run.then(count, count);
      const { settled } = run;
      await settle();
      body.resolve('value');
      for (let tick = 0; tick < ticks; tick++) await undefined;
      run.cancel('stop');
      const { status } = await settled;
      await settle();
      expect(outcomes).toBe(1);
      expect(['success', 'cancel']).toContain(status);
      expect(run.status).toBe(status);
      expect(log).toEqual(['+db', status === 'success' ? '-db' : '!db stop', `run:${status}`]);
    }
  });

  it('30 takes both a cancel before and a cancel after that tick at their word', async () => {
    const app = new QTasks();
    const body = gate();
    const early = app.task('early', () => body.promise)();
    early.cancel('stop');
    body.resolve();
    expect((await early.settled).status).toBe('cancel');
    const late = app.task('late', () => 'value')();
    late.cancel('stop');
    expect((await late.settled).status).toBe('success');
  });

  it('30 gives one outcome when the timeout and the cancel fall into one instant', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 10 });
    const run = app.task('t', () => never, { timeout: 100 })();
    const { settled } = run;
    clock.setTimeout(() => run.cancel('stop'), 100);
    await clock.advance(200);
    const { status, error } = await settled;
    expect(status).toBe('error');
    expect(isQTasksError(error, 'TASK_TIMEOUT')).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

describe('a cancel among other failures', () => {
  it('27 ends a wait for siblings of a failed opening after grace, and is not retried', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 10 });
    const needs = { bad: Depends(() => Promise.reject('no')), stuck: Depends(() => never) };
    const run = app.task('t', needs, () => {}, { retry: 3 })();
    const { settled } = run;
    await settle();
    run.cancel('stop');
    await clock.advance(10);
    expect(await settled).toMatchObject({ status: 'cancel', error: 'stop', attempts: 1 });
  });

  it('30 gives one outcome for a cancel by a listener of run:retry', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const ends: string[] = [];
    const fails = app.task(
      't',
      async () => {
        await settle();
        throw 'no';
      },
      { retry: 2 },
    );
    const run = fails();
    app.on('run:retry', () => run.cancel('stop'));
    app.on('run:cancel', ({ type }) => ends.push(type));
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop' });
    await clock.advance(10_000);
    expect(ends).toEqual(['run:cancel']);
  });

  it('30 gives one outcome for a cancel by `when`, and harms no other run', async () => {
    const app = new QTasks();
    const ends: string[] = [];
    for (const type of ['run:cancel', 'run:error'] as const) {
      app.on(type, ({ task }) => ends.push(`${task} ${type}`));
    }
    const body = gate();
    const other = app.task('other', () => body.promise)();
    const when = (): boolean => {
      run.cancel('stop');
      return true;
    };
    const fails = app.task(
      't',
      async () => {
        await settle();
        throw 'no';
      },
      { retry: { limit: 3, when } },
    );
    const run = fails();
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop' });
    expect(ends).toEqual(['t run:cancel']);
    let closed = false;
    const closing = app.close().then(() => {
      closed = true;
    });
    await settle();
    expect(closed).toBe(false);
    body.resolve();
    await Promise.all([other, closing]);
  });

  it('31 runs nothing of a run that a logger aborts as it starts', async () => {
    const controller = new AbortController();
    const info = (): void => controller.abort('stop');
    const app = new QTasks({ logger: { info, warn() {}, error() {} } });
    const log: string[] = [];
    for (const type of ['run:success', 'run:cancel'] as const) app.on(type, () => log.push(type));
    const task = app.task('t', () => log.push('body'));
    const run = app.with({ signal: controller.signal }).run(task);
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop' });
    await settle();
    expect(log).toEqual(['run:cancel']);
  });
});

describe('before the start', () => {
  it('31 runs nothing where the signal has aborted already', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const db = Depends(() => traced(log, 'db'));
    const task = app.task('t', { db }, () => log.push('body'));
    app.on('run:start', () => log.push('run:start'));
    const signal = AbortSignal.abort('stop');
    const run = app.with({ signal }).run(task);
    expect(run.status).toBe('cancel');
    expect(await run.settled).toEqual({
      status: 'cancel',
      error: 'stop',
      attempts: 0,
      cleanupErrors: [],
    });
    expect(log).toEqual([]);
  });

  it('31 runs nothing of a run that is cancelled while it waits for a slot', async () => {
    const log: string[] = [];
    const app = new QTasks({ concurrency: 1 });
    const ends = gate();
    const first = app.task('first', () => ends.promise)();
    const task = app.task('t', (name: string) => log.push(name));
    const controller = new AbortController();
    const [a, b, c] = [
      task('a'),
      app.with({ signal: controller.signal }).run(task, 'b'),
      task('c'),
    ];
    a.cancel('stop');
    controller.abort('stop');
    expect(await a.settled).toMatchObject({ status: 'cancel', error: 'stop', attempts: 0 });
    expect(await b.settled).toMatchObject({ status: 'cancel', error: 'stop', attempts: 0 });
    ends.resolve();
    await Promise.all([first, c]);
    expect(log).toEqual(['c']);
  });

  it('31 runs nothing more of a run that is cancelled while it waits for a retry', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    let calls = 0;
    const flaky = app.task(
      't',
      () => {
        calls++;
        throw new Error('no');
      },
      { retry: 3 },
    );
    const run = flaky();
    await settle();
    run.cancel('stop');
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop', attempts: 1 });
    await clock.advance(60_000);
    expect(calls).toBe(1);
    expect(clock.pending).toBe(0);
  });
});

/** A signal that counts the listeners on it. */
function counted() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  let most = 0;
  const add = signal.addEventListener.bind(signal) as (...args: unknown[]) => void;
  const remove = signal.removeEventListener.bind(signal) as (...args: unknown[]) => void;
  Object.assign(signal, {
    addEventListener(...args: unknown[]) {
      most = Math.max(most, ++listeners);
      add(...args);
    },
    removeEventListener(...args: unknown[]) {
      listeners--;
      remove(...args);
    },
  });
  return { controller, signal, count: () => ({ listeners, most }) };
}

describe("a caller's signal", () => {
  it('32 has no listener left after 100,000 runs, and never more than one', async () => {
    const { signal, count } = counted();
    const app = new QTasks();
    const quick = app.task('quick', () => 'value');
    const slow = app.task('slow', () => settle());
    const client = app.with({ signal });
    for (let batch = 0; batch < 100; batch++) {
      await Promise.all([
        ...Array.from({ length: 990 }, () => client.run(quick)),
        ...Array.from({ length: 10 }, () => client.run(slow)),
      ]);
    }
    expect(count()).toEqual({ listeners: 0, most: 1 });
  });

  it('32 cancels all runs that hang on it, and none that have ended', async () => {
    const { controller, signal, count } = counted();
    const app = new QTasks();
    const waits = app.task('waits', { ctx: Context }, ({ ctx }) => {
      return new Promise((_, reject) => {
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason));
      });
    });
    const client = app.with({ signal });
    const over = client.run(app.task('quick', () => 'value'));
    const runs = Array.from({ length: 1_000 }, () => client.run(waits));
    expect(count().listeners).toBe(1);
    controller.abort('stop');
    const all = await Promise.all(runs.map(({ settled }) => settled));
    expect(all.every(({ status, error }) => status === 'cancel' && error === 'stop')).toBe(true);
    expect(over.status).toBe('success');
    expect(count().listeners).toBe(0);
  });

  it('32 lets go of it as failed and cancelled runs end, too', async () => {
    const { signal, count } = counted();
    const app = new QTasks();
    const client = app.with({ signal });
    const fails = app.task('fails', () => {
      throw new Error('no');
    });
    await rejection(client.run(fails));
    const run = client.run(app.task('slow', () => settle()));
    run.cancel();
    await rejection(run);
    expect(count().listeners).toBe(0);
  });
});

describe('cancel in every phase', () => {
  it('27 closes what is open, once, and settles once', async () => {
    const phases = ['opening', 'body', 'closing', 'over'] as const;
    for (const phase of phases) {
      const log: string[] = [];
      const gates = { opening: gate(), body: gate(), closing: gate(), over: gate() };
      const app = new QTasks({ clock: new ManualClock() });
      const dep = Depends(async function* () {
        await gates.opening.promise;
        try {
          yield* traced(log, 'dep');
        } finally {
          await gates.closing.promise;
        }
      });
      const run = app.task('t', { dep }, () => gates.body.promise)();
      for (const before of phases.slice(0, phases.indexOf(phase))) gates[before].resolve();
      await settle();
      run.cancel('stop');
      await settle();
      for (const one of Object.values(gates)) one.resolve();
      const cancelled = phase === 'opening' || phase === 'body';
      expect((await run.settled).status).toBe(cancelled ? 'cancel' : 'success');
      expect(log).toEqual(['+dep', cancelled ? '!dep stop' : '-dep']);
    }
  });
});
