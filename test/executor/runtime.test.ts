/**
 * What a runtime of tasks owes its users, by the numbers of the survey of such runtimes: those lines
 * that concern one thread. What concerns workers, pages and what outlives them is tested there.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { testApp } from '../../adapters/testing/app.js';
import {
  type Clock,
  Context,
  Depends,
  isQTasksError,
  type Middleware,
  QTasks,
  task,
} from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, rejection, turn } from '../support/promises.js';
import { countedSignal } from '../support/signals.js';
import { traced } from '../support/traced.js';

const no = new Error('no');

describe('parity', () => {
  it('7 of the app for tests copies arguments, yields and results: what a worker would lose is lost', async () => {
    class Money {
      readonly amount = 200;
    }
    const kept: Money[] = [];
    const pay = task('pay', async function* (money: Money, list: number[]) {
      list.push(4);
      kept.push(money);
      yield list;
      return money;
    });
    const app = testApp({ tasks: { pay } });
    const [money, list] = [new Money(), [1, 2, 3]];
    const run = app.run(pay, money, list);
    const values: number[][] = [];
    for await (const value of run) values.push(value);
    const result = await run;
    expect(list).toEqual([1, 2, 3]);
    expect(values).toEqual([[1, 2, 3, 4]]);
    expect(kept[0]).toEqual({ amount: 200 });
    for (const copy of [kept[0], result]) expect(copy).not.toBeInstanceOf(Money);
    expect(result).not.toBe(kept[0]);
  });

  it('7 of the app for tests refuses what a worker could not take, before anything starts', async () => {
    let calls = 0;
    const call = task('call', (_callback: () => void) => ++calls, { retry: 3 });
    const give = task('give', () => () => 'a function');
    const app = testApp({ tasks: { call, give } });
    const refused = await app.run(call, () => {}).settled;
    expect(refused).toMatchObject({ status: 'error', attempts: 0 });
    expect(isQTasksError(refused.error, 'VALUE_UNSUPPORTED')).toBe(true);
    expect(calls).toBe(0);
    expect(isQTasksError(await rejection(app.run(give)), 'VALUE_UNSUPPORTED')).toBe(true);
  });
});

describe('abort', () => {
  it('10 before the start removes a queued run, which rejects with signal.reason and never runs', async () => {
    const app = new QTasks({ concurrency: 1 });
    const ran: string[] = [];
    const { promise, resolve } = gate();
    const work = app.task('work', (name: string) => {
      ran.push(name);
      return promise;
    });
    const controller = new AbortController();
    const first = work('first');
    const queued = app.with({ signal: controller.signal }).run(work, 'queued');
    const next = work('next');
    controller.abort(no);
    expect(await queued.settled).toMatchObject({ status: 'cancel', error: no, attempts: 0 });
    const late = app.with({ signal: controller.signal }).run(work, 'late');
    expect(await rejection(late)).toBe(no);
    resolve();
    await Promise.all([first, next]);
    expect(ran).toEqual(['first', 'next']);
  });

  it('12 after the end does nothing, and the signal has no listener left', async () => {
    const { controller, signal, listeners } = countedSignal();
    const app = new QTasks();
    const events: string[] = [];
    for (const name of ['run:success', 'run:error', 'run:cancel'] as const) {
      app.on(name, ({ type }) => events.push(type));
    }
    const client = app.with({ signal });
    const good = client.run(app.task('good', () => settle()));
    const bad = client.run(app.task('bad', () => Promise.reject(no)));
    expect(listeners.size).toBe(1);
    await Promise.all([good.settled, bad.settled]);
    expect(listeners.size).toBe(0);
    controller.abort('late');
    good.cancel('later');
    await settle();
    expect([good.status, bad.status]).toEqual(['success', 'error']);
    expect(events).toHaveLength(2);
  });
});

describe('timeouts', () => {
  // There is no `queueTimeout`: how long a run may wait is for the caller's signal to say.
  it('13 count from the start of execution, not from the call', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, concurrency: 1 });
    const work = app.task('work', { ctx: Context }, ({ ctx }, time: number) => ctx.sleep(time), {
      timeout: 100,
    });
    const runs = [work(90), work(90), work(110)];
    const ends = Promise.all(runs.map(({ settled }) => settled));
    await clock.advance(1_000);
    expect((await ends).map(({ status }) => status)).toEqual(['success', 'success', 'error']);
    expect(isQTasksError(await rejection(runs[2] ?? never), 'TASK_TIMEOUT')).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('16 and all other timers may fire late, or never: nothing else depends on them', async () => {
    const timers: Clock = { now: () => 0, setTimeout: () => 0, clearTimeout() {} };
    const app = new QTasks({ clock: timers, concurrency: 2, storage: memory() });
    const log: string[] = [];
    const dep = Depends(() => traced(log, 'dep'), { timeout: 1, closeTimeout: 1 });
    const work = app.task('work', { dep }, () => settle(), { timeout: 1, exclusive: true });
    const stream = app.task('stream', async function* () {
      for (let value = 0; value < 2_000; value++) yield value;
    });
    const waits = app.task('waits', { ctx: Context }, async ({ ctx }) => ctx.sleep(1));
    const cancelled = waits();
    const runs = [work(), work(), stream()];
    let count = 0;
    for await (const _value of stream()) count++;
    cancelled.cancel('stop');
    await Promise.all(runs);
    expect(count).toBe(2_000);
    expect(cancelled.status).toBe('cancel');
    expect(log).toEqual(['+dep', '-dep', '+dep', '-dep']);
    await app.close();
  });

  it('16 a timeout that fires late, as the handler is done, changes nothing', async () => {
    const fire: (() => void)[] = [];
    const clock: Clock = {
      now: () => 0,
      setTimeout: (callback) => fire.push(callback),
      clearTimeout() {},
    };
    const app = new QTasks({ clock });
    const { promise, resolve } = gate();
    const dep = Depends(async function* () {
      yield;
      await promise;
    });
    const run = app.task('work', { dep }, () => 'value', { timeout: 1 })();
    await settle();
    for (const callback of fire) callback();
    resolve();
    expect(await run).toBe('value');
    for (const callback of fire) callback();
    expect(await run.settled).toMatchObject({ status: 'success', attempts: 1 });
  });
});

describe('in a hidden page', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('16 a stream goes on where timers of the runtime fire once a minute', async () => {
    const app = new QTasks();
    const stream = app.task('stream', async function* () {
      for (let value = 0; value < 3_000; value++) yield value;
      return 'done';
    });
    vi.stubGlobal('setTimeout', () => 0);
    expect(await stream()).toBe('done');
    let count = 0;
    for await (const _value of stream()) count++;
    expect(count).toBe(3_000);
  });
});

describe('streams', () => {
  // By throw(reason), as a dependency, so that a generator can tell a cancel from an early end; and
  // leaving the loop always cancels.
  it('14 that are cancelled throw the reason into the generator, so that its finally runs', async () => {
    const log: unknown[] = [];
    const app = new QTasks();
    const work = app.task('work', async function* () {
      try {
        for (let value = 0; ; value++) yield value;
      } catch (error) {
        log.push(error);
        throw error;
      } finally {
        log.push('finally');
      }
    });
    const run = work();
    await settle();
    run.cancel(no);
    expect(await rejection(run)).toBe(no);
    expect(log).toEqual([no, 'finally']);
    const left = work();
    for await (const _value of left) break;
    expect(left.status).toBe('cancel');
    expect(log).toHaveLength(4);
  });

  it('15 hold no more than a small window for a reader that is slow, or that never comes', async () => {
    const app = new QTasks();
    let made = 0;
    const work = app.task('work', async function* () {
      for (; made < 100_000; made++) yield made;
    });
    const slow = work();
    const reader = slow[Symbol.asyncIterator]();
    await reader.next();
    for (let wait = 0; wait < 20; wait++) await settle();
    expect(made).toBeLessThanOrEqual(17);
    await reader.return?.();
    const unread = work();
    await unread;
    let kept = 0;
    for await (const _value of unread) kept++;
    expect(kept).toBe(16);
  });
});

describe('ids', () => {
  it('21 are joined while the run goes on and after its success, and are what the task sees', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const seen: unknown[] = [];
    const pay = app.task(
      'pay',
      { ctx: Context },
      async ({ ctx }, amount: number) => {
        seen.push([ctx.runId, ctx.attempt, amount]);
        await settle();
        if (ctx.attempt === 1) throw no;
        return `paid ${amount}`;
      },
      { retry: { limit: 1, delay: 10 } },
    );
    const client = app.with({ id: 'order 1' });
    const first = client.run(pay, 5);
    const again = client.run(pay, 5);
    await clock.advance(100);
    const later = client.run(pay, 5);
    expect(await Promise.all([first, again, later])).toEqual(['paid 5', 'paid 5', 'paid 5']);
    expect(again).toBe(first);
    expect(later).toBe(first);
    expect(seen).toEqual([
      ['order 1', 1, 5],
      ['order 1', 2, 5],
    ]);
  });
});

describe('failures', () => {
  it('22 of a task that always fails end after its attempts, with the last error, and the next one starts', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, concurrency: 1 });
    let calls = 0;
    const poison = app.task('poison', () => Promise.reject(++calls), {
      retry: { limit: 3, delay: 10 },
    });
    const bad = poison().settled;
    const good = app.task('good', () => 'value')();
    await clock.advance(10_000);
    expect(await bad).toMatchObject({ status: 'error', error: 4, attempts: 4 });
    expect(await good).toBe('value');
    await clock.advance(10_000);
    expect(calls).toBe(4);
    expect(app.inspect().runs).toEqual([]);
  });

  // The error names the app and the ways to register; a list of similar names is not promised.
  it('23 of an unknown name come at once and are never retried', async () => {
    const app = new QTasks({ name: 'shop', tasks: { order: task('order', () => 1) } });
    const events: string[] = [];
    app.on('run:retry', ({ type }) => events.push(type));
    for (const name of ['oder', '__proto__', 'constructor', '']) {
      const run: PromiseLike<unknown> = Reflect.apply(app.run, undefined, [name]);
      const error = await rejection(run);
      expect(isQTasksError(error, 'TASK_UNKNOWN') && error.message).toContain('shop');
    }
    expect(events).toEqual([]);
  });

  // In this runtime only: nothing is kept for the next one.
  it('24 are retried after a jittered delay that holds no slot', async () => {
    const clock = Object.assign(new ManualClock(), { random: () => 0.5 });
    const app = new QTasks({ clock, concurrency: 1 });
    const starts: number[] = [];
    const begin = clock.now();
    const flaky = app.task(
      'flaky',
      () => {
        starts.push(clock.now() - begin);
        if (starts.length < 3) throw no;
        return 'value';
      },
      { retry: { limit: 2, delay: 1_000 } },
    );
    const run = flaky();
    const quick = app.task('quick', () => clock.now() - begin)();
    expect(await quick).toBe(0);
    await clock.advance(10_000);
    expect(await run).toBe('value');
    expect(starts).toEqual([0, 500, 1_500]);
  });

  // With the dependency's own error object, not one that has it as its cause.
  it('25 of a dependency fail the task before its body; what is open closes in reverse', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const a = Depends(() => traced(log, 'a'));
    const b = Depends({ a }, async function* () {
      yield* traced(log, 'b');
      log.push('never');
    });
    const unclean = Depends({ b }, async function* () {
      try {
        yield;
      } finally {
        log.push('unclean');
        // biome-ignore lint/correctness/noUnsafeFinally: what a bad teardown does
        throw new Error('teardown');
      }
    });
    const fails = Depends({ unclean }, () => Promise.reject(no));
    const work = app.task('work', { fails }, () => log.push('body'));
    const { status, error, cleanupErrors } = await work().settled;
    expect({ status, error }).toEqual({ status: 'error', error: no });
    expect(error).toBe(no);
    expect(cleanupErrors).toMatchObject([{ message: 'teardown' }]);
    expect(log).toEqual(['+a', '+b', 'unclean', '!b no', '!a no']);
  });

  it('29 of a run that nobody looks at are told to a listener of "error", once', async () => {
    const app = new QTasks();
    const errors: unknown[] = [];
    app.on('error', ({ error }) => errors.push(error));
    void app.task('bad', () => Promise.reject(no))();
    await settle();
    await turn();
    expect(errors).toEqual([no]);
  });

  // A middleware's throw is the outcome of its own attempt, as that is what middleware is for.
  it('30 of listeners change no result and stop no other listener; those of middleware stay its run’s own', async () => {
    const app = new QTasks();
    const heard: string[] = [];
    for (const name of ['run:start', 'run:success', 'run:error'] as const) {
      app.on(name, () => {
        throw no;
      });
      app.on(name, ({ type, task }) => heard.push(`${type} ${task}`));
    }
    const broken: Middleware = () => {
      throw no;
    };
    const good = app.task('good', () => settle().then(() => 'value'));
    const bad = app.task('bad', () => 'value', { middleware: broken });
    const [one, other] = await Promise.all([good().settled, bad().settled]);
    expect(one).toMatchObject({ status: 'success', value: 'value' });
    expect(other).toMatchObject({ status: 'error', error: no });
    expect(heard.sort()).toEqual([
      'run:error bad',
      'run:start bad',
      'run:start good',
      'run:success good',
    ]);
  });
});

describe('order and end', () => {
  // Declared by `exclusive`.
  it('26 two exclusive calls on one session run in call order; sessions never wait for each other', async () => {
    const app = new QTasks({ storage: memory() });
    const order: string[] = [];
    const { promise, resolve } = gate();
    const work = app.task(
      'work',
      async (name: string, isSlow: boolean) => {
        order.push(`+${name}`);
        if (isSlow) await promise;
        order.push(`-${name}`);
      },
      { exclusive: true },
    );
    const ann = app.session('ann');
    const runs = ['a1', 'a2', 'a3'].map((name) => ann.run(work, name, name === 'a1'));
    await app.session('bob').run(work, 'b1', false);
    expect(order).toEqual(['+a1', '+b1', '-b1']);
    resolve();
    await Promise.all(runs);
    expect(order.slice(3)).toEqual(['-a1', '+a2', '-a2', '+a3', '-a3']);
  });

  it('28 a close refuses calls, lets running tasks start others, waits, then aborts, and resolves', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const inner = app.task('inner', () => 'inner');
    const slow = app.task('slow', { ctx: Context }, async ({ ctx }) => {
      await ctx.sleep(50);
      return ctx.run(inner);
    });
    const stuck = app.task('stuck', () => never);
    const runs = [slow().settled, stuck().settled];
    const closing = app.close({ drain: 100 });
    expect(isQTasksError(await rejection(slow()), 'APP_CLOSED')).toBe(true);
    await clock.advance(100 + 1_000);
    await closing;
    const [first, second] = await Promise.all(runs);
    expect(first).toMatchObject({ status: 'success', value: 'inner' });
    expect(second?.status).toBe('cancel');
    expect(isQTasksError(second?.error, 'APP_CLOSED')).toBe(true);
    expect(clock.pending).toBe(0);
  });
});
