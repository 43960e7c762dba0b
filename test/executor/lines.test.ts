/** Listeners, loggers and checked results: lines 5, 9 and 10 of ARCHITECTURE.md §5. */
import { describe, expect, it } from 'vitest';
import {
  Context,
  Depends,
  type EventMap,
  type EventName,
  isQTasksError,
  type Logger,
  QTasks,
} from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { number, schema } from '../support/schemas.js';
import { traced } from '../support/traced.js';

const names: readonly EventName[] = [
  'run:start',
  'run:return',
  'run:retry',
  'run:yield',
  'run:success',
  'run:error',
  'run:cancel',
  'dependency:open',
  'dependency:close',
  'dependency:error',
  'error',
];

const no = new Error('no');

/** What listeners and loggers can do wrong. */
const misdeeds = {
  throws() {
    throw no;
  },
  rejects: () => Promise.reject(no),
  'returns a thenable that throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: odd on purpose
    then() {
      throw no;
    },
  }),
  'throws what cannot be shown': () => {
    throw Object.create(null);
  },
};

/** Runs of every kind on one app; gives how each ended and what was opened and closed. */
async function everything(app: QTasks, clock: ManualClock): Promise<object> {
  const log: string[] = [];
  const dep = Depends(() => traced(log, 'dep'));
  const leaky = Depends(async function* () {
    yield;
    throw no;
  });
  const good = app.task('good', { dep }, () => 'value');
  const stream = app.task('stream', { dep }, function* () {
    yield 1;
    return 'end';
  });
  const flaky = app.task(
    'flaky',
    { dep, ctx: Context },
    ({ ctx }) => {
      if (ctx.attempt === 1) throw no;
      return ctx.attempt;
    },
    { retry: { limit: 1, delay: 10 } },
  );
  const bad = app.task('bad', { dep }, () => Promise.reject(no));
  const unclean = app.task('unclean', { leaky }, () => 'value');
  const slow = app.task('slow', { dep, ctx: Context }, ({ ctx }) => ctx.sleep(1_000));
  const cancelled = slow();
  const runs = [good(), stream(), flaky(), bad(), unclean(), cancelled];
  const ends = Promise.all(runs.map(({ settled }) => settled));
  await settle();
  cancelled.cancel('stop');
  await clock.advance(1_000);
  const outcomes = (await ends).map(({ status, value, error, attempts }) => ({
    status,
    value,
    error: isQTasksError(error) ? error.code : error,
    attempts,
  }));
  return { outcomes, log, pending: clock.pending };
}

describe('listeners and loggers', () => {
  for (const [deed, misdeed] of Object.entries(misdeeds)) {
    it(`5 change no run where every listener ${deed}`, async () => {
      const clock = new ManualClock();
      const expected = await everything(new QTasks({ clock }), clock);
      const app = new QTasks({ clock });
      const heard = new Set<string>();
      for (const name of names) {
        app.on(name, ({ type }) => {
          heard.add(type);
          return misdeed();
        });
      }
      expect(await everything(app, clock)).toEqual(expected);
      expect(heard.size).toBe(names.length - 1);
    });

    it(`5 change no run where the logger ${deed}`, async () => {
      const clock = new ManualClock();
      const expected = await everything(new QTasks({ clock }), clock);
      const logger: Logger = { info: misdeed, warn: misdeed, error: misdeed };
      const app = new QTasks({ clock, logger });
      for (const name of names) app.on(name, misdeed);
      expect(await everything(app, clock)).toEqual(expected);
    });
  }

  it('5 are told to the logger by what they threw', async () => {
    const told: unknown[] = [];
    const logger = {
      info() {},
      warn() {},
      error: (_line: string, error: unknown) => told.push(error),
    };
    const app = new QTasks({ logger });
    app.on('run:start', misdeeds.throws);
    app.on('run:success', misdeeds.rejects);
    await app.task('work', () => 'value')();
    await settle();
    expect(told).toEqual([no, no]);
  });
});

describe('each listener', () => {
  it('10 is guarded by itself: those after one that throws are called', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const heard: string[] = [];
    for (const name of names) {
      app.on(name, ({ type }: EventMap[EventName]) => heard.push(`${type} before`));
      app.on(name, misdeeds.throws);
      app.on(name, ({ type }: EventMap[EventName]) => heard.push(`${type} after`));
    }
    await everything(app, clock);
    const before = heard.filter((line) => line.endsWith(' before'));
    const after = heard.filter((line) => line.endsWith(' after'));
    expect(new Set(before).size).toBe(names.length - 1);
    expect(after.map((line) => line.replace('after', 'before'))).toEqual(before);
  });

  it('10 may stop itself, another one or add one, and the others are still called', async () => {
    const app = new QTasks();
    const heard: string[] = [];
    const stops: (() => void)[] = [];
    app.on('run:success', () => {
      heard.push('a');
      for (const stop of stops) stop();
      app.on('run:success', () => heard.push('late'));
    });
    stops.push(app.on('run:success', () => heard.push('b')));
    app.on('run:success', () => heard.push('c'));
    const work = app.task('work', () => 'value');
    await work();
    expect(heard.filter((name) => name !== 'b')).toEqual(['a', 'c']);
    heard.length = 0;
    await work();
    expect(heard).toEqual(['a', 'c', 'late']);
  });
});

describe('the result', () => {
  it('9 is validated before teardown: an invalid one rolls back', async () => {
    const log: string[] = [];
    const events: string[] = [];
    const app = new QTasks();
    app.on('run:return', () => events.push('return'));
    app.on('run:error', () => events.push('error'));
    const dep = Depends(() => traced(log, 'dep'));
    const work = app.task('work', { dep }, (): unknown => 'text', { output: number, retry: 3 });
    const { status, error, attempts } = await work().settled;
    expect({ status, attempts }).toEqual({ status: 'error', attempts: 1 });
    expect(isQTasksError(error, 'OUTPUT_INVALID') && error.data).toEqual({
      issues: [{ message: 'is no number', path: ['deep'] }],
    });
    expect(log).toEqual([
      '+dep',
      '!dep task "work": the result: its schema refused the value; data.issues tells why',
    ]);
    expect(events).toEqual(['error']);
  });

  it('9 is validated before teardown: a valid one is replaced by what the schema gives', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const dep = Depends(() => traced(log, 'dep'));
    const output = schema(async (value) => {
      await settle();
      log.push('checked');
      return { value: `<${value}>` };
    });
    const work = app.task('work', { dep }, (_needs, text: string) => text, { output });
    expect(await work('text')).toBe('<text>');
    expect(log).toEqual(['+dep', 'checked', '-dep']);
  });

  it('9 of a generator is what it returns, not what it yields', async () => {
    const app = new QTasks();
    const work = app.task(
      'work',
      async function* (): AsyncGenerator<string, unknown> {
        yield 'text';
        return 1;
      },
      { output: number },
    );
    const run = work();
    const values: string[] = [];
    for await (const value of run) values.push(value);
    expect(values).toEqual(['text']);
    expect(await run).toBe(1);
  });

  it('9 rolls back with what the schema itself throws', async () => {
    for (const validate of [() => Promise.reject(no), misdeeds.throws]) {
      const log: string[] = [];
      const app = new QTasks();
      const dep = Depends(() => traced(log, 'dep'));
      const output = schema<unknown>(validate);
      const run = app.task('work', { dep }, () => 1, { output })();
      expect(await run.settled).toMatchObject({ status: 'error', error: no });
      expect(log).toEqual(['+dep', '!dep no']);
    }
  });

  it('9 is not validated where the handler failed or the run was cancelled', async () => {
    let checks = 0;
    const output = schema((value) => {
      checks++;
      return { value };
    });
    const app = new QTasks();
    const fails = app.task('fails', (): unknown => Promise.reject(no), { output });
    const waits = app.task('waits', { ctx: Context }, ({ ctx }): unknown => ctx.cancel('stop'), {
      output,
    });
    expect(await fails().settled).toMatchObject({ status: 'error', error: no });
    expect(await waits().settled).toMatchObject({ status: 'cancel', error: 'stop' });
    expect(checks).toBe(0);
  });
});
