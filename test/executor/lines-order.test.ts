/** Middleware, order and retries: lines 1 to 3 of ARCHITECTURE.md §5. */
import { describe, expect, it } from 'vitest';
import {
  type Clock,
  Context,
  Depends,
  type Middleware,
  QTasks,
  type Run,
} from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { type Gate, gate } from '../support/promises.js';
import { traced } from '../support/traced.js';

/** Middleware that writes down when it is entered and left, and for which attempt. */
const layer =
  (log: string[], name: string): Middleware =>
  async (run, next) => {
    log.push(`${name}${run.attempt}(`);
    try {
      return await next();
    } finally {
      log.push(`)${name}${run.attempt}`);
    }
  };

describe('middleware', () => {
  it('1 is one onion around opening, handler and teardown, the first outermost', async () => {
    const log: string[] = [];
    const app = new QTasks({ middleware: [layer(log, 'a'), layer(log, 'b')] });
    const dep = Depends(() => traced(log, 'dep'));
    const work = app.task('work', { dep }, () => log.push('body'));
    await work();
    expect(log).toEqual(['a1(', 'b1(', '+dep', 'body', '-dep', ')b1', ')a1']);
  });

  it("1 of the app, given or used, lies outside the task's own", async () => {
    const log: string[] = [];
    const app = new QTasks({ middleware: layer(log, 'a') });
    const middleware = [layer(log, 'c'), layer(log, 'd')];
    const work = app.task('work', () => 'value', { middleware });
    app.use(layer(log, 'b'));
    expect(await work()).toBe('value');
    expect(log.join('')).toBe('a1(b1(c1(d1()d1)c1)b1)a1');
  });

  it('1 is passed through anew by each attempt, not by the wait between them', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock, middleware: layer(log, 'a') });
    const dep = Depends(() => traced(log, 'dep'));
    const flaky = app.task(
      'flaky',
      { dep, ctx: Context },
      ({ ctx }) => {
        if (ctx.attempt === 1) throw new Error('no');
        return ctx.attempt;
      },
      { retry: { limit: 1, delay: 100, jitter: false } },
    );
    const run = flaky();
    run.then(() => {});
    await clock.advance(99);
    expect(log).toEqual(['a1(', '+dep', '!dep no', ')a1']);
    await clock.advance(1);
    expect(await run).toBe(2);
    expect(log.slice(4)).toEqual(['a2(', '+dep', '-dep', ')a2']);
  });

  it('1 decides the outcome of the attempt by what it returns or throws', async () => {
    const app = new QTasks();
    const no = new Error('no');
    const wrap: Middleware = async (_run, next) => `<${await next()}>`;
    const fail: Middleware = async (_run, next) => {
      await next();
      throw no;
    };
    const answer: Middleware = async (_run, next) => {
      try {
        return await next();
      } catch (error) {
        return error;
      }
    };
    const text = app.task('text', () => 'text', { middleware: wrap });
    const failed = app.task('failed', () => 'text', { middleware: fail });
    const saved = app.task('saved', () => 'text', { middleware: [answer, fail] });
    expect(await text()).toBe('<text>');
    expect(await failed().settled).toMatchObject({ status: 'error', error: no, attempts: 1 });
    expect(await saved().settled).toMatchObject({ status: 'success', value: no });
  });
});

/** Numbers that look random and are the same each time. */
function* numbers(seed: number): Generator<number, never, undefined> {
  let state = seed;
  for (;;) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    yield state;
  }
}

describe('priority', () => {
  it('2 is looked at once a slot is free: the smallest by then goes, the oldest among equals', async () => {
    const app = new QTasks({ concurrency: 1 });
    const order: string[] = [];
    const gates = new Map<string, Gate<void>>();
    const work = app.task('work', async (name: string) => {
      order.push(name);
      await gates.get(name)?.promise;
    });
    const start = (name: string, priority: number): Run<void> => {
      gates.set(name, gate());
      return app.with({ priority }).run(work, name);
    };
    const runs = [start('first', 9), start('late', 5), start('even', 0), start('odd', 0)];
    await settle();
    expect(order).toEqual(['first']);
    runs.push(start('urgent', -1));
    gates.get('first')?.resolve();
    await settle();
    expect(order).toEqual(['first', 'urgent']);
    runs.push(start('more urgent', -2));
    for (const { resolve } of gates.values()) resolve();
    await Promise.all(runs);
    expect(order).toEqual(['first', 'urgent', 'more urgent', 'even', 'odd', 'late']);
  });

  it('2 is honoured under load: each slot goes to the smallest that waits', async () => {
    const random = numbers(7);
    const app = new QTasks({ concurrency: 3 });
    const waiting = new Map<string, { readonly priority: number; readonly order: number }>();
    const wrong: string[] = [];
    app.on('run:start', ({ run }) => {
      const own = waiting.get(run);
      waiting.delete(run);
      const smaller = [...waiting.values()].filter(({ priority, order }) => {
        return own && (priority < own.priority || (priority === own.priority && order < own.order));
      });
      if (smaller.length > 0) wrong.push(run);
    });
    const work = app.task('work', async (turns: number) => {
      for (let turn = 0; turn < turns; turn++) await settle();
      return turns;
    });
    const runs: Run<number>[] = [];
    for (let count = 0; count < 300; count++) {
      const priority = random.next().value % 10;
      const id = `run ${count}`;
      // Where a slot is free a run does not wait, and nothing is chosen.
      waiting.set(id, { priority, order: count });
      runs.push(app.with({ priority, id }).run(work, random.next().value % 3));
      if (count % 7 === 0) await settle();
      if (count % 11 === 0) runs.at(-3)?.cancel();
      for (const run of runs) if (run.status === 'cancel') waiting.delete(run.id);
    }
    const ends = await Promise.all(runs.map(({ settled }) => settled));
    expect(ends.filter(({ status }) => status === 'success').length).toBeGreaterThan(250);
    expect(wrong).toEqual([]);
    expect(waiting.size).toBe(0);
  });

  it('2 is honoured also where a run is started as a slot becomes free', async () => {
    const app = new QTasks({ concurrency: 1 });
    const order: string[] = [];
    const { promise, resolve } = gate();
    const busy = app.task('busy', () => promise);
    const work = app.task('work', (name: string) => order.push(name));
    app.on('run:success', ({ task }) => {
      if (task === 'busy') void app.with({ priority: 1 }).run(work, 'new');
    });
    const runs = [busy(), work('waiting'), app.with({ priority: 2 }).run(work, 'last')];
    resolve();
    await Promise.all(runs);
    expect(order).toEqual(['waiting', 'new', 'last']);
  });

  it('2 counts again for the next attempt of a run that waited for its retry', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ concurrency: 1, clock });
    const order: string[] = [];
    const flaky = app.task(
      'flaky',
      { ctx: Context },
      async ({ ctx }) => {
        order.push(`flaky ${ctx.attempt}`);
        if (ctx.attempt === 1) throw new Error('no');
      },
      { retry: { limit: 1, delay: 10, jitter: false }, priority: 1 },
    );
    const slow = app.task('slow', { ctx: Context }, async ({ ctx }, name: string) => {
      order.push(name);
      await ctx.sleep(20);
    });
    const runs = [flaky(), slow('a'), slow('b')];
    runs.push(app.with({ priority: 2 }).run(slow, 'c'));
    await clock.advance(100);
    await Promise.all(runs);
    expect(order).toEqual(['flaky 1', 'a', 'b', 'flaky 2', 'c']);
  });
});

describe('retries', () => {
  const failing = (part = 1) => {
    const clock = Object.assign(new ManualClock(), { random: () => part });
    const app = new QTasks({ concurrency: 1, clock });
    const seen: { readonly id: string; readonly attempt: number; readonly at: number }[] = [];
    const delays: number[] = [];
    app.on('run:retry', ({ delay }) => delays.push(delay));
    const fails = app.task(
      'fails',
      { ctx: Context },
      ({ ctx }) => {
        seen.push({ id: ctx.runId, attempt: ctx.attempt, at: clock.now() });
        throw new Error('no');
      },
      { retry: { limit: 4, delay: 100, maxDelay: 500 } },
    );
    return { app, clock, fails, seen, delays };
  };

  it('3 keep the id of the run and count its attempts', async () => {
    const { clock, fails, seen } = failing();
    const run = fails();
    const { id, settled } = run;
    await clock.advance(5_000);
    expect(await settled).toMatchObject({ status: 'error', attempts: 5 });
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(seen.map((one) => one.id))).toEqual(new Set([id]));
    expect(run.id).toBe(id);
  });

  it('3 add up what the teardown of all attempts threw, in order', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const unclean = Depends({ ctx: Context }, async function* ({ ctx }) {
      try {
        yield;
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: what a bad teardown does
        throw `teardown ${ctx.attempt}`;
      }
    });
    const work = app.task('work', { unclean }, () => 'value', { retry: 2 });
    const { settled } = work();
    await clock.advance(1_000);
    const cleanupErrors = ['teardown 1', 'teardown 2', 'teardown 3'];
    expect(await settled).toMatchObject({ status: 'error', attempts: 3, cleanupErrors });
  });

  it('3 wait without a slot', async () => {
    const { app, clock, fails } = failing();
    const { settled } = fails();
    await settle();
    const quick = app.task('quick', () => 'value');
    expect(await quick()).toBe('value');
    expect(app.inspect().runs).toMatchObject([{ task: 'fails', waitsFor: 'backoff' }]);
    await clock.advance(5_000);
    expect((await settled).status).toBe('error');
  });

  it('3 use full jitter: any part of a wait that doubles up to its bound', async () => {
    for (const part of [0, 0.25, 0.999]) {
      const { clock, fails, seen, delays } = failing(part);
      const { settled } = fails();
      await clock.advance(5_000);
      await settled;
      expect(delays).toEqual([100, 200, 400, 500].map((longest) => longest * part));
      const waits = seen.slice(1).map(({ at }, index) => at - (seen[index]?.at ?? 0));
      waits.forEach((wait, index) => {
        expect(wait).toBeCloseTo(delays[index] ?? -1);
      });
    }
  });

  it('3 take a random part where the clock brings none, so that many do not come back together', async () => {
    const clock = new ManualClock();
    const timers: Clock = {
      now: () => clock.now(),
      setTimeout: (callback, delay) => clock.setTimeout(callback, delay),
      clearTimeout: (timer) => clock.clearTimeout(timer),
    };
    const app = new QTasks({ clock: timers });
    const delays: number[] = [];
    app.on('run:retry', ({ delay }) => delays.push(delay));
    const retry = { limit: 1, delay: 100 };
    const fails = app.task('fails', () => Promise.reject(new Error('no')), { retry });
    const runs = Array.from({ length: 50 }, () => fails().settled);
    await clock.advance(100);
    await Promise.all(runs);
    expect(delays).toHaveLength(50);
    expect(delays.every((delay) => delay >= 0 && delay < 100)).toBe(true);
    expect(new Set(delays).size).toBeGreaterThan(40);
    expect(clock.pending).toBe(0);
  });
});
