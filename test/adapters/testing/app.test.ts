/** `testApp`: its time, its events and its options. What passes its boundary: parity.test.ts. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { ManualClock, type TestApp, testApp } from '../../../adapters/testing/index.js';
import { AsyncState, Context, Depends, QTasks, task } from '../../../src/index.js';
import { rejection, turn } from '../../support/promises.js';
import { traced } from '../../support/traced.js';

class Visits extends AsyncState<{ count: number }> {
  static readonly id = 'visits';
  static readonly ttl = 3_600_000;
}

const visit = task('visit', { visits: Visits }, async ({ visits }) => {
  const { count } = await visits.update((now) => ({ count: (now.count ?? 0) + 1 }));
  return count;
});
const sleep = task('sleep', { ctx: Context }, async ({ ctx }, duration: number) => {
  await ctx.sleep(duration);
  return 'slept';
});
const tasks = { visit, sleep, fails: task('fails', () => Promise.reject(new Error('no'))) };

/** The types of its events, and where they are of a dependency, its name. */
const told = (app: TestApp<object>): string[] =>
  app.events.map((event) =>
    'dependency' in event ? `${event.type} ${event.dependency}` : event.type,
  );

describe('a test app', () => {
  it('is an app with a clock and a storage', async () => {
    const app = testApp({ tasks });
    expect(app).toBeInstanceOf(QTasks);
    expect(app.clock).toBeInstanceOf(ManualClock);
    expect(await app.run('visit')).toBe(1);
    expect(await app.session('ann').run(visit)).toBe(1);
    expect(await app.run(visit)).toBe(2);
    expect(await app.state(Visits).get('count')).toBe(2);
    const hello = app.task('hello', (name: string) => `hello ${name}`);
    expect(await hello('Ann')).toBe('hello Ann');
    await app.close();
  });

  it('needs no options', async () => {
    const app = testApp();
    expect(app.inspect().tasks).toEqual([]);
    await app.close();
  });

  it('takes those of an app, a storage of its own among them', async () => {
    const lines: string[] = [];
    const line = (text: string): void => void lines.push(text);
    const storage = memory();
    const logger = { info: line, warn: line, error: line };
    const app = testApp({ name: 'shop', tasks, storage, logger, concurrency: 1 });
    await Promise.all([app.run(visit), app.run(visit)]);
    expect(await testApp({ name: 'shop', tasks, storage }).run(visit)).toBe(3);
    expect(lines[0]).toBe('[shop] visit started');
    expect(lines[1]).toBe('[shop] visit completed');
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'testApp: the options must be an object; received null'],
    ['a text', 'app', 'testApp: the options must be an object; received a string'],
    [
      'an unknown one',
      { task: {} },
      'testApp: there is no option "task"; expected parity, errors,',
    ],
    [
      'a clock',
      { clock: new ManualClock() },
      'testApp: there is no option "clock"; expected parity',
    ],
    ['parity', { parity: 'yes' }, 'testApp: option "parity" must be a boolean; received a string'],
    ['errors', { errors: [Error] }, 'testApp: option "errors" must be a record of classes that'],
    [
      'a class of none',
      { errors: { A: class {} } },
      'testApp: option "errors" must be a record of',
    ],
    ['a storage', { storage: null }, 'new QTasks: option "storage" must be a storage adapter'],
    ['concurrency', { concurrency: 0 }, 'new QTasks: option "concurrency" must be a whole number'],
  ])('refuses wrong options: %s', (_name, options, message) => {
    const make = (): unknown => Reflect.apply(testApp, undefined, [options]);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});

describe('the time of a test app', () => {
  it('passes by itself in no case', async () => {
    const app = testApp({ tasks });
    const run = app.run('sleep', 1);
    await turn();
    expect(run.status).toBe('process');
    await app.clock.advance(1);
    expect(run.status).toBe('success');
  });

  it('lets sleep what sleeps', async () => {
    const app = testApp({ tasks });
    const [short, long] = [app.run('sleep', 1_000), app.run('sleep', 86_400_000)];
    await app.clock.advance(999);
    expect([short.status, long.status]).toEqual(['process', 'process']);
    await app.clock.advance(1);
    expect([short.status, long.status]).toEqual(['success', 'process']);
    await app.clock.advance(86_400_000);
    expect(await long).toBe('slept');
  });

  it('brings retries, each after its longest delay', async () => {
    const app = testApp();
    const flaky = app.task(
      'flaky',
      { ctx: Context },
      ({ ctx }) => {
        if (ctx.attempt < 4) throw new Error('not yet');
        return ctx.attempt;
      },
      { retry: { limit: 5, delay: 1_000, factor: 10, maxDelay: 50_000 } },
    );
    const run = flaky();
    const attempts: (number | undefined)[] = [];
    for (const wait of [0, 999, 1, 9_999, 1, 49_999, 1]) {
      await app.clock.advance(wait);
      attempts.push(app.events.filter(({ type }) => type === 'run:start').length);
    }
    expect(attempts).toEqual([1, 1, 2, 2, 3, 3, 4]);
    expect(await run).toBe(4);
  });

  it('ends attempts that take too long', async () => {
    const app = testApp({ tasks });
    const run = app.with({ timeout: 50 }).run('sleep', 51);
    const error = rejection(run);
    await app.clock.advance(49);
    expect(run.status).toBe('process');
    await app.clock.advance(1);
    expect(await error).toMatchObject({ code: 'TASK_TIMEOUT' });
  });

  it('lets states expire', async () => {
    const app = testApp({ tasks });
    await app.run('visit');
    await app.clock.advance(3_599_999);
    expect(await app.run('visit')).toBe(2);
    await app.clock.advance(3_600_000);
    expect(await app.run('visit')).toBe(1);
  });

  it('ends what a handler that ignores its signal is left', async () => {
    const app = testApp({ grace: 500 });
    const deaf = app.task('deaf', () => new Promise<never>(() => {}));
    const run = deaf();
    run.cancel('enough');
    await app.clock.advance(499);
    expect(run.status).toBe('process');
    await app.clock.advance(1);
    expect((await run.settled).error).toBe('enough');
  });

  it('forgets the ids of runs', async () => {
    const app = testApp({ tasks, remember: { ttl: 1_000 } });
    const once = app.with({ id: 'order 7' });
    expect(await once.run('visit')).toBe(1);
    await app.clock.advance(999);
    expect(await once.run('visit')).toBe(1);
    await app.clock.advance(1);
    expect(await once.run('visit')).toBe(2);
  });

  it('lets the app be closed around what goes on', async () => {
    const app = testApp({ tasks });
    const run = app.run('sleep', 60_000);
    const closing = app.close({ drain: 1_000 });
    await app.clock.advance(1_000);
    await closing;
    expect(await rejection(run)).toMatchObject({ code: 'APP_CLOSED' });
    expect(app.clock.pending).toBe(0);
  });
});

describe('the events of a test app', () => {
  it('are all that happened, in order', async () => {
    const app = testApp({ tasks });
    const db = Depends(() => traced([], 'db'));
    const page = Depends({ db }, ({ db }) => db);
    const needs = { page, visits: Visits, ctx: Context };
    const count = app.task(
      'count',
      needs,
      async function* ({ visits, ctx }) {
        if (ctx.attempt === 1) throw new Error('not yet');
        await visits.set('count', 1);
        yield 'half';
        return 'done';
      },
      { retry: 1 },
    );
    const start = app.clock.now();
    const run = app.session('ann').run(count);
    await app.clock.advance(200);
    expect(await run).toBe('done');

    const attempt = (number: number) => ({
      run: run.id,
      task: 'count',
      session: 'ann',
      attempt: number,
    });
    const [first, second] = [
      { at: start, ...attempt(1) },
      { at: start + 200, ...attempt(2) },
    ];
    expect(app.events).toEqual([
      { type: 'run:start', ...first },
      { type: 'dependency:open', dependency: 'page > db', ...first },
      { type: 'dependency:open', dependency: 'page', ...first },
      { type: 'dependency:close', dependency: 'page > db', ...first },
      { type: 'run:retry', error: new Error('not yet'), delay: 200, ...first },
      { type: 'run:start', ...second },
      { type: 'dependency:open', dependency: 'page > db', ...second },
      { type: 'dependency:open', dependency: 'page', ...second },
      {
        type: 'state:change',
        at: start + 200,
        state: 'visits',
        session: 'ann',
        changed: ['count'],
        deleted: [],
        origin: 'local',
      },
      { type: 'run:yield', value: 'half', ...second },
      { type: 'run:return', value: 'done', ...second },
      { type: 'dependency:close', dependency: 'page > db', ...second },
      { type: 'run:success', value: 'done', ...second },
    ]);
  });

  it('grow as things happen, in one list', async () => {
    const app = testApp({ tasks });
    const { events } = app;
    expect(events).toEqual([]);
    const run = app.run('sleep', 1);
    expect(events.map(({ type }) => type)).toEqual(['run:start']);
    run.cancel('enough');
    await run.settled;
    expect(events.map(({ type }) => type)).toEqual(['run:start', 'run:cancel']);
    expect(app.events).toBe(events);
  });

  it('of a failing teardown are there too', async () => {
    const app = testApp();
    const bad = Depends(async function* () {
      yield 1;
      throw new Error('stuck');
    });
    const use = app.task('use', { bad }, () => 'used');
    expect(await rejection(use())).toMatchObject({ code: 'CLEANUP_FAILED' });
    expect(told(app)).toEqual([
      'run:start',
      'dependency:open bad',
      'run:return',
      'dependency:error bad',
      'run:error',
    ]);
  });

  it('without "error": a listener of it, if there is one, is told of what nobody looks at', async () => {
    const app = testApp({ tasks });
    const errors: unknown[] = [];
    app.on('error', ({ error }) => errors.push(error));
    void app.run('fails');
    await turn();
    expect(errors).toEqual([new Error('no')]);
    expect(told(app)).toEqual(['run:start', 'run:error']);
  });
});
