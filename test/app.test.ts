/** The app as a whole: its tasks, sessions, settings, lines, events, slots and end. */
import { describe, expect, it } from 'vitest';
import { memory } from '../adapters/memory.js';
import {
  type Clock,
  Context,
  Depends,
  type EventMap,
  type EventName,
  isQTasksError,
  type Logger,
  QTasks,
  task,
} from '../src/index.js';
import { ManualClock, settle } from './support/clock.js';
import { gate, rejection, turn } from './support/promises.js';
import { traced } from './support/traced.js';

/** A logger that writes down its lines. */
function lines(log: unknown[]): Logger {
  const line = (level: string) => (text: string, error?: unknown) => {
    log.push(error === undefined ? `${level}: ${text}` : [`${level}: ${text}`, error]);
  };
  return { info: line('info'), warn: line('warn'), error: line('error') };
}

/** What a call throws. */
function refusal(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('it was not refused');
}

describe('tasks', () => {
  it('takes a module of tasks under their own names, and ignores its other exports', async () => {
    const add = task('add', (a: number, b: number) => a + b);
    const hello = task('say hello', async (name: string) => `Hello, ${name}`);
    const module = Object.freeze({
      plus: add,
      alias: add,
      hello,
      default: hello,
      version: '1.0',
      nothing: null,
      missing: undefined,
      helper: () => 1,
      db: Depends(() => 1),
      Context,
      list: [add],
    });
    const app = new QTasks({ tasks: module });
    expect(await app.run('add', 1, 2)).toBe(3);
    expect(await app.run(add, 3, 4)).toBe(7);
    expect(await app.run('say hello', 'Ann')).toBe('Hello, Ann');
    const byKey = app.run('plus' as 'add', 1, 2);
    expect(isQTasksError(await rejection(byKey), 'TASK_UNKNOWN')).toBe(true);
  });

  it('takes a real module namespace', async () => {
    const module = await import('./support/module.js');
    const app = new QTasks({ tasks: module });
    expect(await app.run('double', 21)).toBe(42);
    expect(await app.run(module.double, 4)).toBe(8);
    expect(module.version).toBe('1.0');
  });

  it('takes a task that is bound to another app, and runs it as its own', async () => {
    const first = new QTasks({ name: 'first' });
    const who = first.task('who', { ctx: Context }, ({ ctx }) => ctx.taskName);
    const second = new QTasks({ name: 'second', tasks: { who } });
    const seen: string[] = [];
    second.on('run:success', ({ task }) => seen.push(task));
    expect(await who()).toBe('who');
    expect(seen).toEqual([]);
    expect(await second.run(who)).toBe('who');
    expect(seen).toEqual(['who']);
  });

  it('refuses a second task of the same name, and keeps the first', async () => {
    const one = task('t', () => 1);
    const two = task('t', () => 2);
    const both = refusal(() => new QTasks({ tasks: { one, two } }));
    expect(isQTasksError(both, 'TASK_DUPLICATE')).toBe(true);
    const app = new QTasks({ tasks: { one } });
    expect(
      isQTasksError(
        refusal(() => app.task('t', () => 2)),
        'TASK_DUPLICATE',
      ),
    ).toBe(true);
    expect(await app.run('t')).toBe(1);
  });

  it('rejects the run of a task that is not registered, and of a namesake', async () => {
    const one = task('t', () => 1);
    const namesake = task('t', () => 2);
    const app = new QTasks({ tasks: { one } });
    const unknown = [namesake, task('other', () => 3), 'nobody', '', undefined, null, {}, () => 1];
    for (const target of unknown) {
      const run = app.run(target as typeof one);
      expect(run.status).toBe('error');
      expect(isQTasksError(await rejection(run), 'TASK_UNKNOWN')).toBe(true);
    }
  });

  it('gives a callable with the name and the options of the task', () => {
    const app = new QTasks();
    const options = { tags: ['a'], description: 'says hello', meta: { level: 1 } };
    const hello = app.task('say hello', () => 'hello', options);
    expect(hello.name).toBe('say hello');
    expect(hello.options).toEqual(options);
    expect(Object.isFrozen(hello)).toBe(true);
  });

  it('calls the handler with its needs first and all arguments after them', async () => {
    const app = new QTasks();
    const collect = app.task('collect', (...args: unknown[]) => args);
    const db = Depends(() => 'db');
    const needing = app.task('needing', { db }, ({ db }, ...args: unknown[]) => [db, ...args]);
    const given = [undefined, null, { a: 1 }, [2]];
    expect(await collect(...given)).toEqual(given);
    expect(await collect()).toEqual([]);
    expect(await needing(...given)).toEqual(['db', ...given]);
    expect(await needing()).toEqual(['db']);
  });
});

describe('records of needs', () => {
  it('are made for each run, also where there are none', async () => {
    const app = new QTasks();
    const keep = (needs: object): string[] => {
      const names = Object.keys(needs);
      try {
        Object.assign(needs, { kept: true });
      } catch {
        // frozen is as good
      }
      return names;
    };
    const none = app.task('none', {}, keep);
    const some = app.task('some', { db: Depends(() => 1) }, keep);
    for (let run = 0; run < 2; run++) expect([await none(), await some()]).toEqual([[], ['db']]);
  });
});

describe('sessions and settings', () => {
  it('takes any non-empty string for a session', async () => {
    const app = new QTasks();
    const who = app.task('who', { ctx: Context }, ({ ctx }) => ctx.session);
    const ids = ['ann', ' ', '__proto__', 'constructor', 'a:b', '😀', '\uD800', '0'];
    for (const id of ids) expect(await app.session(id).run(who)).toBe(id);
    expect(await app.run(who)).toBe('');
    for (const wrong of ['', undefined, null, 7, {}]) {
      const error = refusal(() => app.session(wrong as string));
      expect(isQTasksError(error, 'OPTION_INVALID')).toBe(true);
    }
  });

  it('keeps the settings of with in a session and the session in with', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const waits = app.task('waits', { ctx: Context }, async ({ ctx }) => {
      await ctx.sleep(100);
      return ctx.session;
    });
    const runs = [
      app.with({ timeout: 50 }).session('ann').run(waits),
      app.session('ann').with({ timeout: 50 }).run(waits),
      app.with({ timeout: 50 }).with({ priority: 1 }).run(waits),
      app.with({ timeout: 50 }).with({ timeout: 200 }).session('ann').run(waits),
      app.session('bob').session('ann').run(waits),
    ];
    const all = Promise.all(runs.map(({ settled }) => settled));
    await clock.advance(100);
    const seen = (await all).map(({ status, value }) => [status, value]);
    const [late, good] = [
      ['error', undefined],
      ['success', 'ann'],
    ];
    expect(seen).toEqual([late, late, late, good, good]);
  });

  it('leaves the client alone on which with is called', async () => {
    const app = new QTasks();
    const ann = app.session('ann');
    ann.with({ signal: AbortSignal.abort('stop') });
    expect(await ann.run(app.task('t', () => 'value'))).toBe('value');
  });

  it('opens session scope afresh after the session was closed', async () => {
    const log: string[] = [];
    let opened = 0;
    const app = new QTasks();
    const own = Depends(() => traced(log, `own${++opened}`), { scope: 'session' });
    const use = app.task('use', { own }, ({ own }) => own);
    const ann = app.session('ann');
    expect(await ann.run(use)).toBe('own1');
    await ann.close();
    expect(log).toEqual(['+own1', '-own1']);
    expect(await ann.run(use)).toBe('own2');
    await app.session('nobody').close();
    await app.session('ann')[Symbol.asyncDispose]();
    expect(log).toEqual(['+own1', '-own1', '+own2', '-own2']);
    expect(await app.session('bob').run(use)).toBe('own3');
  });

  it('rejects the close of a session whose dependencies fail to close', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const told: unknown[] = [];
    app.on('dependency:error', ({ dependency, session, error }) =>
      told.push([dependency, session, error]),
    );
    const good = Depends(() => traced(log, 'good'), { scope: 'session' });
    const bad = Depends(
      function* () {
        yield;
        throw 'broke';
      },
      { scope: 'session' },
    );
    const ann = app.session('ann');
    await ann.run(app.task('t', { good, bad }, () => {}));
    const error = await rejection(ann.close());
    if (!isQTasksError(error, 'CLEANUP_FAILED')) throw error;
    expect(error.data.errors).toEqual(['broke']);
    expect(told).toEqual([['bad', 'ann', 'broke']]);
    expect(log).toEqual(['+good', '-good']);
    await app.close();
  });
});

describe('the end of an app', () => {
  it('disposes by closing', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const pool = Depends(() => traced(log, 'pool'), { scope: 'worker' });
    const use = app.task('use', { pool }, () => {});
    await use();
    await app[Symbol.asyncDispose]();
    expect(log).toEqual(['+pool', '-pool']);
    expect(isQTasksError(await rejection(use()), 'APP_CLOSED')).toBe(true);
  });

  it('has nothing to wait for where nothing runs, and closes at once', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    let closed = false;
    void app.close({ drain: Number.POSITIVE_INFINITY }).then(() => {
      closed = true;
    });
    await settle();
    expect(closed).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('gives runs no time with drain: 0, and all time with drain: Infinity', async () => {
    for (const drain of [0, Number.POSITIVE_INFINITY]) {
      const clock = new ManualClock();
      const app = new QTasks({ clock });
      const run = app.task('t', { ctx: Context }, ({ ctx }) => ctx.sleep(1_000_000))();
      const { settled } = run;
      const closing = app.close({ drain });
      await clock.advance(0);
      expect(run.status).toBe(drain === 0 ? 'cancel' : 'process');
      await clock.advance(1_000_000);
      await closing;
      expect((await settled).status).toBe(drain === 0 ? 'cancel' : 'success');
    }
  });

  it('leaves a handler alone that ends within drain, and one behind that ignores its signal', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 20 });
    const stuck = gate();
    const db = Depends(() => traced(log, 'db'));
    const first = app.task('first', { ctx: Context }, ({ ctx }) => ctx.sleep(50))();
    const second = app.task('second', { db }, () => stuck.promise)();
    let closed = false;
    const closing = app.close({ drain: 100 }).then(() => {
      closed = true;
    });
    await clock.advance(100);
    expect([first.status, second.status, closed]).toEqual(['success', 'process', false]);
    await clock.advance(20);
    await closing;
    expect(second.status).toBe('cancel');
    expect(log).toHaveLength(2);
    stuck.resolve();
  });

  it('refuses wrong options and stays open', async () => {
    const app = new QTasks();
    const use = app.task('use', () => 'value');
    for (const drain of [-1, Number.NaN, '10']) {
      const error = await rejection(app.close({ drain: drain as number }));
      expect(isQTasksError(error, 'OPTION_INVALID')).toBe(true);
    }
    expect(await use()).toBe('value');
  });

  it('takes the drain of the first call where close is called again', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const run = app.task('t', { ctx: Context }, ({ ctx }) => ctx.sleep(1_000))();
    const closing = Promise.all([app.close({ drain: 500 }), app.close({ drain: 0 })]);
    await clock.advance(499);
    expect(run.status).toBe('process');
    await clock.advance(1);
    await closing;
    expect(run.status).toBe('cancel');
  });

  it('does not close the storage, which belongs to who made it', async () => {
    const storage = memory();
    let closed = 0;
    const app = new QTasks({ storage: { ...bound(storage), close: async () => void closed++ } });
    await app.close();
    expect(closed).toBe(0);
  });

  it('lets a run that waits for a retry go on while it drains', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const flaky = app.task(
      'flaky',
      { ctx: Context },
      ({ ctx }) => {
        if (ctx.attempt === 1) throw new Error('no');
        return 'value';
      },
      { retry: { limit: 1, delay: 100, jitter: false } },
    );
    const run = flaky();
    const { settled } = run;
    await settle();
    const closing = app.close();
    await clock.advance(100);
    expect(await settled).toMatchObject({ status: 'success', value: 'value' });
    await closing;
  });
});

/** The methods of a storage as own properties. */
function bound(storage: ReturnType<typeof memory>) {
  return {
    name: storage.name,
    scope: storage.scope,
    read: storage.read.bind(storage),
    commit: storage.commit.bind(storage),
    list: storage.list.bind(storage),
  };
}

describe('lines', () => {
  it('are the start, the completion and nothing else of a success, before the teardown', async () => {
    const log: unknown[] = [];
    const app = new QTasks({ name: 'signup', logger: lines(log) });
    const db = Depends(async function* () {
      try {
        yield;
      } finally {
        log.push('close...');
      }
    });
    const call = app.task('call', { db }, async () => {
      log.push('Call completed');
    });
    await call();
    expect(log).toEqual([
      'info: [signup] call started',
      'Call completed',
      'info: [signup] call completed',
      'close...',
    ]);
    log.length = 0;
    await app.session('ann').run(call);
    expect(log[0]).toBe('info: [signup] call (ann) started');
  });

  it('tell of each retry and of the failure, with its error', async () => {
    const log: unknown[] = [];
    const clock = new ManualClock();
    const no = new Error('no');
    const app = new QTasks({ name: 'app', logger: lines(log), clock });
    const fails = app.task(
      'fails',
      () => {
        throw no;
      },
      { retry: { limit: 1, delay: 100, jitter: false } },
    );
    const { settled } = fails();
    await clock.advance(100);
    await settled;
    expect(log).toEqual([
      'info: [app] fails started',
      'warn: [app] fails failed, next attempt in 100 ms',
      ['error: [app] fails failed', no],
    ]);
  });

  it('tell of a failed teardown after the completion', async () => {
    const log: unknown[] = [];
    const app = new QTasks({ name: 'app', logger: lines(log) });
    const bad = Depends(function* () {
      yield;
      throw 'broke';
    });
    const error = await rejection(app.task('t', { bad }, () => {})());
    expect(log).toEqual([
      'info: [app] t started',
      'info: [app] t completed',
      ['error: [app] t failed', error],
    ]);
  });

  it('change nothing where the logger throws', async () => {
    const log: string[] = [];
    const fail = () => {
      throw new Error('the logger is broken');
    };
    const clock = new ManualClock();
    const app = new QTasks({ logger: { info: fail, warn: fail, error: fail }, clock });
    app.on('run:start', fail);
    const db = Depends(() => traced(log, 'db'));
    const good = app.task('good', { db }, () => 'value');
    expect(await good()).toBe('value');
    const bad = app.task('bad', { db }, () => Promise.reject('no'), { retry: 1 });
    const { settled } = bad();
    await clock.advance(1_000);
    expect(await settled).toMatchObject({ status: 'error', error: 'no', attempts: 2 });
    expect(log).toEqual(['+db', '-db', '+db', '!db no', '+db', '!db no']);
    await app.close();
  });
});

const names: readonly EventName[] = [
  'run:start',
  'run:return',
  'run:retry',
  'run:success',
  'run:error',
  'run:cancel',
  'dependency:open',
  'dependency:close',
  'dependency:error',
  'error',
];

/** Writes down all events of an app. */
function listen(app: QTasks): EventMap[EventName][] {
  const events: EventMap[EventName][] = [];
  for (const name of names) app.on(name, (event) => events.push(event));
  return events;
}

describe('events', () => {
  it('of a success come in order, with what they are about', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const events = listen(app);
    const db = Depends(async function* () {
      yield 'db';
    });
    const page = Depends({ db }, function* () {
      yield 'page';
    });
    const run = app.session('ann').run(app.task('t', { page }, () => 'value'));
    await run;
    const about = { at: clock.now(), run: run.id, task: 't', session: 'ann', attempt: 1 };
    expect(events).toEqual([
      { type: 'run:start', ...about },
      { type: 'dependency:open', dependency: 'page > db', ...about },
      { type: 'dependency:open', dependency: 'page', ...about },
      { type: 'run:return', value: 'value', ...about },
      { type: 'dependency:close', dependency: 'page', ...about },
      { type: 'dependency:close', dependency: 'page > db', ...about },
      { type: 'run:success', value: 'value', ...about },
    ]);
  });

  it('of a retry and a failure come in order, each attempt with its number', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const events = listen(app);
    const no = new Error('no');
    const db = Depends(function* () {
      yield;
    });
    const fails = app.task(
      'fails',
      { db },
      () => {
        throw no;
      },
      { retry: { limit: 1, delay: 100, jitter: false } },
    );
    const start = clock.now();
    const run = fails();
    const { settled } = run;
    await clock.advance(100);
    await settled;
    const first = { at: start, run: run.id, task: 'fails', session: '', attempt: 1 };
    const second = { ...first, at: start + 100, attempt: 2 };
    const attempt = (about: object) => [
      { type: 'run:start', ...about },
      { type: 'dependency:open', dependency: 'db', ...about },
      { type: 'dependency:close', dependency: 'db', ...about },
    ];
    expect(events).toEqual([
      ...attempt(first),
      { type: 'run:retry', error: no, delay: 100, ...first },
      ...attempt(second),
      { type: 'run:error', error: no, ...second },
    ]);
  });

  it('of a cancel bring the reason', async () => {
    const app = new QTasks({ clock: new ManualClock() });
    const events = listen(app);
    const waits = app.task('t', { ctx: Context }, ({ ctx }) => ctx.sleep(1_000));
    const run = waits();
    run.cancel('stop');
    await rejection(run);
    expect(events.map(({ type }) => type)).toEqual(['run:start', 'run:cancel']);
    expect(events[1]).toMatchObject({ reason: 'stop', run: run.id, attempt: 1 });
    const early = app.with({ signal: AbortSignal.abort('early') }).run(waits);
    await rejection(early);
    expect(events[2]).toMatchObject({ type: 'run:cancel', reason: 'early', attempt: 0 });
  });

  it('of longer scopes name the dependency, and the session where it is of one', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const events = listen(app);
    const pool = Depends(
      function* () {
        yield;
      },
      { scope: 'worker' },
    );
    const own = Depends(
      { pool },
      function* () {
        yield;
      },
      { scope: 'session' },
    );
    await app.session('ann').run(app.task('t', { own }, () => {}));
    await app.close();
    const at = clock.now();
    expect(events.filter(({ type }) => type.startsWith('dependency'))).toEqual([
      { type: 'dependency:open', at, dependency: 'own > pool' },
      { type: 'dependency:open', at, dependency: 'own', session: 'ann' },
      { type: 'dependency:close', at, dependency: 'own', session: 'ann' },
      { type: 'dependency:close', at, dependency: 'own > pool' },
    ]);
  });

  it('of a late resource bring the attempt that it was opened for', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 0 });
    const attempts: unknown[] = [];
    app.on('dependency:error', ({ attempt }) => attempts.push(attempt));
    const [opening, body] = [gate(), gate()];
    const dep = Depends({ ctx: Context }, async function* ({ ctx }) {
      if (ctx.attempt === 1) await opening.promise;
      yield;
    });
    const options = { timeout: 10, retry: { limit: 1, delay: 0 } };
    const run = app.task('t', { dep }, () => body.promise, options)();
    const { settled } = run;
    await clock.advance(11);
    expect(run.status).toBe('process');
    opening.resolve();
    await settle();
    body.resolve();
    await settled;
    expect(attempts).toEqual([1]);
  });

  it('reach every listener though one throws or rejects, and are told to the logger', async () => {
    const log: unknown[] = [];
    const app = new QTasks({ name: 'app', logger: lines(log) });
    const seen: string[] = [];
    app.on('run:success', () => {
      throw 'sync';
    });
    app.on('run:success', async () => {
      throw 'async';
    });
    app.on('run:success', ({ task }) => seen.push(task));
    expect(await app.task('t', () => 'value')()).toBe('value');
    await settle();
    expect(seen).toEqual(['t']);
    expect(log.slice(2)).toEqual([
      ['error: [app] failed where no run could be told', 'sync'],
      ['error: [app] failed where no run could be told', 'async'],
    ]);
  });

  it('stop for a listener that has stopped, and for no other', async () => {
    const app = new QTasks();
    const seen: string[] = [];
    const listener = (name: string) => () => {
      seen.push(name);
    };
    const stop = app.on('run:start', listener('first'));
    const same = listener('same');
    const stopOne = app.on('run:start', same);
    app.on('run:start', same);
    const run = app.task('t', () => {});
    await run();
    stop();
    stop();
    stopOne();
    await run();
    expect(seen).toEqual(['first', 'same', 'same', 'same']);
  });

  it('are refused under an unknown name', () => {
    const app = new QTasks();
    for (const name of ['run', 'toString', '__proto__', '', undefined]) {
      const error = refusal(() => app.on(name as 'error', () => {}));
      expect(isQTasksError(error, 'OPTION_INVALID')).toBe(true);
    }
  });
});

describe('slots and order', () => {
  it('are no more than concurrency, and all are used', async () => {
    const app = new QTasks({ concurrency: 3 });
    let busy = 0;
    let most = 0;
    const work = app.task('work', async () => {
      most = Math.max(most, ++busy);
      await settle();
      busy--;
    });
    await Promise.all(Array.from({ length: 20 }, () => work()));
    expect([most, busy]).toEqual([3, 0]);
  });

  it('go to the smallest priority first, and to the oldest among equals', async () => {
    const app = new QTasks({ concurrency: 1 });
    const order: string[] = [];
    const ends = gate();
    const blocker = app.task('blocker', () => ends.promise)();
    const low = app.task('low', (name: string) => order.push(name), { priority: 10 });
    const usual = app.task('usual', (name: string) => order.push(name));
    const high = app.task('high', (name: string) => order.push(name), { priority: -1 });
    const runs = [
      low('low 1'),
      usual('usual 1'),
      high('high 1'),
      app.with({ priority: -2 }).run(low, 'raised'),
      usual('usual 2'),
      low('low 2'),
      high('high 2'),
    ];
    ends.resolve();
    await Promise.all([blocker, ...runs]);
    expect(order).toEqual(['raised', 'high 1', 'high 2', 'usual 1', 'usual 2', 'low 1', 'low 2']);
  });

  it('go to those that wait before a run that a listener starts', async () => {
    const app = new QTasks({ concurrency: 1 });
    const order: string[] = [];
    const work = app.task('work', (name: string) => void order.push(name));
    const ends = gate();
    const first = app.task('blocker', () => ends.promise)();
    app.on('run:success', ({ task }) => {
      if (task !== 'blocker') return;
      void app.with({ priority: 5 }).run(work, 'low');
      void app.with({ priority: -5 }).run(work, 'high');
    });
    const waiting = work('waiting');
    ends.resolve();
    await Promise.all([first, waiting]);
    await settle();
    expect(order).toEqual(['high', 'waiting', 'low']);
  });

  it('keep the order among 1,000 of which many are cancelled', async () => {
    const app = new QTasks({ concurrency: 1 });
    const order: number[] = [];
    const ends = gate();
    const blocker = app.task('blocker', () => ends.promise)();
    const work = app.task('work', (number: number) => order.push(number));
    const priorities = Array.from({ length: 1_000 }, (_, number) => (number * 7_919) % 101);
    const runs = priorities.map((priority, number) => app.with({ priority }).run(work, number));
    const isKept = (number: number) => number % 3 === 0;
    runs.forEach((run, number) => {
      if (!isKept(number)) run.cancel();
    });
    ends.resolve();
    await blocker;
    await Promise.all(runs.map(({ settled }) => settled));
    const expected = priorities
      .map((priority, number) => ({ priority, number }))
      .filter(({ number }) => isKept(number))
      .sort((one, other) => one.priority - other.priority || one.number - other.number)
      .map(({ number }) => number);
    expect(order).toEqual(expected);
  });

  it('are freed by runs of every end', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, concurrency: 1, grace: 0 });
    const bad = Depends(() => {
      throw 'no';
    });
    const runs = [
      app.task('fails', () => Promise.reject('no'))(),
      app.task('fails to open', { bad }, () => {})(),
      app.task('stuck', () => new Promise(() => {}), { timeout: 10 })(),
      app.task('cancels', { ctx: Context }, ({ ctx }) => ctx.cancel())(),
      app.task('ends', () => 'value')(),
    ];
    const all = Promise.all(runs.map(({ settled }) => settled));
    await clock.advance(10);
    const statuses = (await all).map(({ status }) => status);
    expect(statuses).toEqual(['error', 'error', 'error', 'cancel', 'success']);
  });

  it('are not held by a run that waits for its retry', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, concurrency: 1 });
    const flaky = app.task(
      'flaky',
      { ctx: Context },
      ({ ctx }) => {
        if (ctx.attempt === 1) throw new Error('no');
      },
      { retry: { limit: 1, delay: 100, jitter: false } },
    );
    const run = flaky();
    await settle();
    expect(run.status).toBe('retry');
    expect(await app.task('other', () => 'value')()).toBe('value');
    await clock.advance(100);
    await run;
  });
});

describe('retries', () => {
  /** The waits between the attempts of a task that fails for ever. */
  const waits = async (retry: object, isRandom = false): Promise<number[]> => {
    const clock = new ManualClock();
    const timers: Clock = {
      now: () => clock.now(),
      setTimeout: (callback, delay) => clock.setTimeout(callback, delay),
      clearTimeout: (timer) => clock.clearTimeout(timer),
    };
    const app = new QTasks({ clock: isRandom ? timers : clock });
    const delays: number[] = [];
    app.on('run:retry', ({ delay }) => delays.push(delay));
    const fails = app.task('fails', () => Promise.reject('no'), { retry: retry as { limit: 1 } });
    const { settled } = fails();
    await clock.advance(10_000_000);
    expect(await settled).toMatchObject({ attempts: delays.length + 1 });
    return delays;
  };

  it('wait 200 ms, then twice as long each time, 30 seconds at most', async () => {
    const delays = await waits({ limit: 9, jitter: false });
    expect(delays).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]);
  });

  it('wait as the options say', async () => {
    const options = { limit: 4, delay: 10, factor: 3, maxDelay: 200, jitter: false };
    expect(await waits(options)).toEqual([10, 30, 90, 200]);
    expect(await waits({ limit: 2, delay: 0 })).toEqual([0, 0]);
  });

  it('wait a random part of it by default', async () => {
    const delays = await waits({ limit: 20, factor: 1 }, true);
    expect(delays.every((delay) => delay >= 0 && delay <= 200)).toBe(true);
    expect(new Set(delays).size).toBeGreaterThan(10);
  });

  it('are only for the errors that `when` takes', async () => {
    class Flaky extends Error {}
    const cases = [
      { when: [Flaky], error: new Flaky(), attempts: 3 },
      { when: [Flaky, TypeError], error: new TypeError(), attempts: 3 },
      { when: [Flaky], error: new Error(), attempts: 1 },
      { when: (error: unknown) => error === 'again', error: 'again', attempts: 3 },
      { when: (error: unknown) => error === 'again', error: 'no', attempts: 1 },
    ];
    for (const { when, error, attempts } of cases) {
      const clock = new ManualClock();
      const app = new QTasks({ clock });
      const retry = { limit: 2, when };
      const { settled } = app.task('t', () => Promise.reject(error), { retry })();
      await clock.advance(60_000);
      expect(await settled).toMatchObject({ status: 'error', error, attempts });
    }
  });

  it('end where `when` throws, with the error of the task', async () => {
    const log: unknown[] = [];
    const app = new QTasks({ logger: lines(log) });
    const when = () => {
      throw 'broken';
    };
    const fails = app.task('t', () => Promise.reject('no'), { retry: { limit: 2, when } });
    expect(await fails().settled).toMatchObject({ error: 'no', attempts: 1 });
    expect(log.some((line) => Array.isArray(line) && line[1] === 'broken')).toBe(true);
    await turn();
  });
});
