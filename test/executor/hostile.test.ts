/** What callers, listeners and handlers do at the worst moment: each run still ends once, torn down. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { Context, Depends, type EventName, QTasks, type Run } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { rejection } from '../support/promises.js';
import { schema } from '../support/schemas.js';
import { traced } from '../support/traced.js';

const no = new Error('no');

/** Every event of a run that fails once, streams, has a child and succeeds; and what a cancel in it gives. */
const moments: readonly (readonly [name: EventName, status: string, attempts: number])[] = [
  ['run:start', 'cancel', 1],
  ['dependency:open', 'cancel', 1],
  ['run:yield', 'cancel', 1],
  // The teardown of an attempt that has failed: it is not followed by another one.
  ['dependency:close', 'cancel', 1],
  ['run:retry', 'cancel', 1],
  // The handler has returned: too late.
  ['run:return', 'success', 2],
  ['run:success', 'success', 2],
];

/** An app in which such a run has started; `act` is called in its first event of that name. */
function eventful(name: EventName, hasMiddleware: boolean, act: (app: QTasks) => unknown) {
  const clock = new ManualClock();
  const storage = memory();
  const log: string[] = [];
  const ends: string[] = [];
  const middleware = hasMiddleware ? (_run: unknown, next: () => Promise<unknown>) => next() : [];
  const app = new QTasks({ clock, storage, concurrency: 1, middleware });
  const first = Depends(() => traced(log, 'first'));
  const second = Depends({ first }, () => traced(log, 'second'));
  const child = app.task('child', { first }, async () => {
    await null;
  });
  const work = app.task(
    'work',
    { second, ctx: Context },
    async function* ({ ctx }) {
      yield* [1, 2, 3];
      await ctx.run(child);
      if (ctx.attempt === 1) throw no;
      return 'value';
    },
    { exclusive: true, retry: 1 },
  );
  const seen = { acted: 0 };
  for (const end of ['run:success', 'run:error', 'run:cancel'] as const) {
    app.on(end, ({ type, task }) => {
      if (task === 'work') ends.push(type);
    });
  }
  app.on(name, (event) => {
    if ('task' in event && event.task === 'work' && seen.acted++ === 0) act(app);
  });
  const controller = new AbortController();
  const client = app.session('ann').with({ signal: controller.signal });
  const started = { app, storage, clock, log, ends, seen, controller };
  return Object.assign(started, { run: client.run(work) });
}

describe('in an event', () => {
  for (const [name, status, attempts] of moments) {
    for (const around of ['', ' with middleware around']) {
      it(`${name} a cancel${around} ends the run "${status}", once`, async () => {
        const set = eventful(name, around !== '', () => set.controller.abort('stop'));
        const { run, clock, ends } = set;
        const { settled } = run;
        await clock.advance(10_000);
        expect(run.status).toBe(status);
        expect(await settled).toMatchObject({ status, attempts });
        if (status === 'cancel') expect(await rejection(run)).toBe('stop');
        expect(ends).toEqual([`run:${status}`]);
        await expectAllOver(set);
      });

      it(`${name} a close of the app${around} resolves, and the run ends once`, async () => {
        let closed = 0;
        const close = async (app: QTasks): Promise<void> => {
          await app.close({ drain: 0 });
          closed++;
        };
        const set = eventful(name, around !== '', close);
        void set.run.settled;
        await set.clock.advance(10_000);
        expect(closed).toBe(1);
        expect(['success', 'cancel']).toContain(set.run.status);
        expect(set.ends).toEqual([`run:${set.run.status}`]);
        await expectAllOver(set);
      });

      it(`${name} new runs${around} get their turn, and do not disturb this one`, async () => {
        const order: string[] = [];
        const set = eventful(name, around !== '', (app) => {
          const quick = app.task('quick', (label: string) => order.push(label));
          void quick('second');
          void app.with({ priority: -1 }).run(quick, 'first');
        });
        const { settled } = set.run;
        await set.clock.advance(10_000);
        expect(await settled).toMatchObject({ status: 'success', value: 'value', attempts: 2 });
        // Where the slot is free by then, the first to come is the first to go.
        expect(order.sort()).toEqual(['first', 'second']);
        await expectAllOver(set);
      });
    }
  }

  async function expectAllOver({ storage, clock, log, app, seen }: ReturnType<typeof eventful>) {
    expect(seen.acted).toBeGreaterThan(0);
    const opened = log.filter((line) => line.startsWith('+'));
    expect(log).toHaveLength(opened.length * 2);
    expect(app.inspect().runs).toEqual([]);
    const other = new QTasks({ storage }).task('probe', () => 'free', { exclusive: true });
    expect(await other()).toBe('free');
    expect(clock.pending).toBe(0);
  }

  it('all listeners may be added, stopped and called again from within', async () => {
    const app = new QTasks();
    const seen: string[] = [];
    const work = app.task('work', (name: string) => name);
    const stop = app.on('run:start', ({ run }) => {
      stop();
      app.on('run:success', ({ value }) => seen.push(`${value}`));
      void app.with({ id: `${run} again` }).run(work, 'inner');
    });
    await work('outer');
    await settle();
    expect(seen.sort()).toEqual(['inner', 'outer']);
  });

  it('a chain of 20,000 runs, each started by the end of the one before, does not overflow', async () => {
    const app = new QTasks({ concurrency: 1 });
    let count = 0;
    const work = app.task('work', () => ++count);
    app.on('run:success', () => {
      if (count < 20_000) void work();
    });
    await work();
    for (let wait = 0; count < 20_000 && wait < 100; wait++) await settle();
    await settle();
    expect(app.inspect()).toMatchObject({ runs: [], counts: { success: 20_000, error: 0 } });
  });
});

describe('a logger', () => {
  it('that cancels, starts runs or closes the app is no different from a listener', async () => {
    for (const part of ['started', 'completed', 'failed, next', 'failed']) {
      for (const deed of ['cancel', 'run', 'close'] as const) {
        const clock = new ManualClock();
        const controller = new AbortController();
        const log: string[] = [];
        let isDone = false;
        const act = (line: string): void => {
          if (isDone || !line.includes('work') || !line.includes(part)) return;
          isDone = true;
          if (deed === 'cancel') controller.abort('stop');
          else if (deed === 'run') void quick();
          else void app.close({ drain: 0 });
        };
        const app = new QTasks({
          clock,
          concurrency: 1,
          logger: { info: act, warn: act, error: act },
        });
        const quick = app.task('quick', () => log.push('quick'));
        const dep = Depends(() => traced(log, 'dep'));
        const isFailing = part.startsWith('failed');
        const work = app.task('work', { dep }, () => (isFailing ? Promise.reject(no) : 'value'), {
          retry: part === 'failed, next' ? 1 : 0,
        });
        const run = app.with({ signal: controller.signal }).run(work);
        void run.settled;
        await clock.advance(10_000);
        expect(isDone).toBe(true);
        expect(['success', 'error', 'cancel']).toContain(run.status);
        expect(log.filter((line) => line === 'quick')).toHaveLength(deed === 'run' ? 1 : 0);
        const traces = log.filter((line) => line.includes('dep'));
        expect(traces.length % 2).toBe(0);
        await app.close();
        expect(clock.pending).toBe(0);
      }
    }
  });
});

describe('in code that the executor calls', () => {
  it('a cancel counts: in a schema of the arguments or the result, and in retry.when', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    let current: Run<unknown> | undefined;
    const cancel = (): true => {
      current?.cancel('stop');
      return true;
    };
    const check = schema<[]>(async () => {
      await null;
      return { value: cancel() && [] };
    });
    const when = (): boolean => cancel();
    const later = () => settle();
    const tasks = [
      app.task('input', later, { input: check }),
      app.task('output', (): unknown => settle(), { output: check }),
      app.task('when', () => settle().then(() => Promise.reject(no)), {
        retry: { limit: 2, when },
      }),
    ];
    for (const [index, one] of tasks.entries()) {
      current = Reflect.apply(one, undefined, []) as Run<unknown>;
      const { settled } = current;
      await clock.advance(10_000);
      const attempts = index === 0 ? 0 : 1;
      expect(await settled).toMatchObject({ status: 'cancel', error: 'stop', attempts });
    }
    expect(app.inspect().counts).toMatchObject({ calls: 3, cancel: 3, error: 0, retries: 0 });
    expect(clock.pending).toBe(0);
  });

  it('a cancel within a cancel changes nothing: the first reason stays', async () => {
    const app = new QTasks();
    const reasons: unknown[] = [];
    const work = app.task('work', { ctx: Context }, async ({ ctx }) => {
      ctx.signal.addEventListener('abort', () => {
        ctx.cancel('second');
        run.cancel('third');
        reasons.push(ctx.signal.reason);
      });
      await settle();
    });
    const run = work();
    run.cancel('first');
    expect(await rejection(run)).toBe('first');
    expect(reasons).toEqual(['first']);
  });

  it('a close of the app or the session by a task ends, wherever it stands', async () => {
    const clock = new ManualClock();
    for (const place of ['opening', 'body', 'yield', 'teardown'] as const) {
      const log: string[] = [];
      const app = new QTasks({ clock });
      const closings: Promise<void>[] = [];
      const close = (where: string): void => {
        if (where !== place) return;
        closings.push(app.session('ann').close({ drain: 0 }), app.close({ drain: 0 }));
      };
      const dep = Depends(async function* () {
        close('opening');
        yield* traced(log, 'dep');
        close('teardown');
      });
      const work = app.task('work', { dep }, async function* () {
        close('body');
        yield 1;
        close('yield');
        yield 2;
      });
      const run = app.session('ann').run(work);
      void run.settled;
      await clock.advance(10_000);
      await Promise.all(closings);
      expect(closings).toHaveLength(2);
      expect(['success', 'cancel']).toContain(run.status);
      expect(log).toHaveLength(2);
      expect(clock.pending).toBe(0);
    }
  });
});
