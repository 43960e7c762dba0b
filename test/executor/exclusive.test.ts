/** `exclusive` beyond its two lines: locks that fail, come late or are not there, and who waits for them. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import {
  Context,
  isQTasksError,
  type LockPlace,
  QTasks,
  QTasksError,
  type StorageAdapter,
  task,
} from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { answerAfter, FaultyStorage, failWith, passAfter } from '../support/faulty.js';
import { overlap } from '../support/overlap.js';
import { gate, never, rejection } from '../support/promises.js';
import { countedSignal } from '../support/signals.js';

const no = new Error('no');
const exclusive = { exclusive: true };

/** Whether an exclusive run of the default session gets its hold at once. */
async function isFree(storage: StorageAdapter): Promise<boolean> {
  const probe = new QTasks({ storage }).task('probe', () => 'value', exclusive)();
  await settle();
  const { status } = probe;
  probe.cancel();
  return status === 'success';
}

/** A storage that has no locks. */
function lockless(): StorageAdapter {
  const inner = memory();
  return {
    name: 'lockless',
    scope: 'runtime',
    read: (bucket, options) => inner.read(bucket, options),
    commit: (bucket, commit, options) => inner.commit(bucket, commit, options),
    list: (prefix) => inner.list(prefix),
    close: () => inner.close(),
  };
}

describe('a storage without locks', () => {
  it('refuses an exclusive run with STORAGE_MISSING before anything starts', async () => {
    const storage = lockless();
    const app = new QTasks({ storage });
    const events: string[] = [];
    app.on('run:start', ({ type }) => events.push(type));
    const work = app.task('work', () => 'value', { exclusive: true, retry: 3 });
    const { status, error, attempts } = await work().settled;
    expect({ status, attempts }).toEqual({ status: 'error', attempts: 0 });
    expect(isQTasksError(error, 'STORAGE_MISSING') && error.message).toMatch(/"work".*"lockless"/);
    expect(events).toEqual([]);
  });

  it('refuses an exclusive child, too, and no other run', async () => {
    const app = new QTasks({ storage: lockless() });
    const inner = app.task('inner', () => 'value', exclusive);
    const outer = app.task('outer', { ctx: Context }, ({ ctx }) => rejection(ctx.run(inner)));
    expect(isQTasksError(await outer(), 'STORAGE_MISSING')).toBe(true);
  });
});

describe('without a storage', () => {
  it('runs of one app and session are apart, those of two apps are not', async () => {
    const { dep, seen } = overlap();
    const work = task('work', { dep }, () => settle(), exclusive);
    const [one, other] = [new QTasks({ tasks: { work } }), new QTasks({ tasks: { work } })];
    await Promise.all([one.run(work), one.run(work), one.run(work)]);
    expect(seen.most).toBe(1);
    await Promise.all([one.run(work), other.run(work)]);
    expect(seen.most).toBe(2);
  });

  it('sessions of any name are told apart', async () => {
    const app = new QTasks();
    const { promise, resolve } = gate();
    let started = 0;
    const work = app.task(
      'work',
      () => {
        started++;
        return promise;
      },
      exclusive,
    );
    const names = ['__proto__', 'constructor', 'a:b', 'a', ':b', 'b', '\u0000', '\ud800', ' '];
    const runs = names.map((name) => app.session(name).run(work));
    await settle();
    expect(started).toBe(names.length);
    resolve();
    await Promise.all([...runs, work()]);
  });
});

describe('the place that is locked', () => {
  it('is the app and the session, without a state, once for each attempt', async () => {
    const storage = new FaultyStorage();
    const app = new QTasks({ name: 'a:b', storage });
    const work = app.task('work', () => 'value', exclusive);
    await Promise.all([work(), app.session('__proto__').run(work), app.session('c:d').run(work)]);
    const places: LockPlace[] = [
      { app: 'a:b', session: '' },
      { app: 'a:b', session: '__proto__' },
      { app: 'a:b', session: 'c:d' },
    ];
    expect(storage.locks).toEqual(places);
  });

  it('is asked for with a signal that aborts as the run is cancelled, with its reason', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const storage: StorageAdapter = Object.assign(lockless(), {
      lock: (_place: LockPlace, { signal }: { signal?: AbortSignal }) => {
        signals.push(signal);
        return never;
      },
    });
    const run = new QTasks({ storage }).task('work', () => 'value', exclusive)();
    await settle();
    expect(signals[0]?.aborted).toBe(false);
    run.cancel('stop');
    expect(await rejection(run)).toBe('stop');
    expect(signals[0]?.reason).toBe('stop');
  });
});

describe('a lock that fails', () => {
  it('is a failed attempt with the error of the storage, or STORAGE_UNAVAILABLE around another', async () => {
    const quota = new QTasksError('STORAGE_QUOTA', 'full');
    for (const [error, code] of [
      [quota, 'STORAGE_QUOTA'],
      [no, 'STORAGE_UNAVAILABLE'],
      ['no error', 'STORAGE_UNAVAILABLE'],
      [new QTasksError('TASK_CANCELLED', 'odd'), 'STORAGE_UNAVAILABLE'],
    ] as const) {
      const storage = new FaultyStorage();
      storage.nextLocks.push(failWith(error));
      const ran: string[] = [];
      const work = new QTasks({ storage }).task('work', () => ran.push('body'), exclusive);
      const { status, error: got, attempts } = await work().settled;
      expect({ status, attempts }).toEqual({ status: 'error', attempts: 1 });
      expect(isQTasksError(got) && got.code).toBe(code);
      if (got !== quota) expect(isQTasksError(got) && got.cause).toBe(error);
      expect(ran).toEqual([]);
      expect(await isFree(storage)).toBe(true);
    }
  });

  it('by throwing at once is one, too', async () => {
    const storage: StorageAdapter = Object.assign(lockless(), {
      lock() {
        throw no;
      },
    });
    const error = await rejection(new QTasks({ storage }).task('work', () => 1, exclusive)());
    expect(isQTasksError(error, 'STORAGE_UNAVAILABLE') && error.cause).toBe(no);
  });

  it('is retried by the policy of the task, which sees its error', async () => {
    const clock = new ManualClock();
    const storage = new FaultyStorage();
    storage.nextLocks.push(failWith(no), failWith(no));
    const app = new QTasks({ clock, storage });
    const seen: unknown[] = [];
    const when = (error: unknown) => isQTasksError(error, 'STORAGE_UNAVAILABLE');
    app.on('run:retry', ({ error, attempt }) => seen.push([isQTasksError(error), attempt]));
    const work = app.task('work', { ctx: Context }, ({ ctx }) => ctx.attempt, {
      exclusive: true,
      retry: { limit: 2, when },
    });
    const { settled } = work();
    await clock.advance(1_000);
    expect(await settled).toMatchObject({ status: 'success', value: 3, attempts: 3 });
    expect(seen).toEqual([
      [true, 1],
      [true, 2],
    ]);
  });

  it('takes no slot and starts no run for its listeners', async () => {
    const storage = new FaultyStorage();
    const { promise, reject } = gate<never>();
    storage.nextLocks.push(() => promise);
    const app = new QTasks({ storage, concurrency: 1 });
    const events: string[] = [];
    for (const name of ['run:start', 'run:error'] as const) {
      app.on(name, ({ type, task }) => events.push(`${type} ${task}`));
    }
    const run = app.task('work', () => 'value', exclusive)();
    expect(await app.task('quick', () => 'quick')()).toBe('quick');
    reject(no);
    await rejection(run);
    expect(events).toEqual(['run:start quick', 'run:error work']);
  });
});

describe('a cancel', () => {
  it('while it waits for the lock settles at once, and a lock that is granted late is freed', async () => {
    const storage = new FaultyStorage();
    const { promise, resolve } = gate();
    storage.nextLocks.push(answerAfter(() => promise));
    const { controller, signal, listeners } = countedSignal();
    const app = new QTasks({ storage });
    const work = app.task('work', () => 'value', exclusive);
    const run = app.with({ signal }).run(work);
    await settle();
    controller.abort('stop');
    expect(run.status).toBe('cancel');
    expect(await run.settled).toMatchObject({ error: 'stop', attempts: 0 });
    expect(listeners.size).toBe(0);
    expect(await isFree(storage)).toBe(false);
    resolve();
    await settle();
    expect(await isFree(storage)).toBe(true);
  });

  it('while it waits behind others frees none of theirs, and the next in line goes', async () => {
    const storage = memory();
    const app = new QTasks({ storage });
    const order: string[] = [];
    const { promise, resolve } = gate();
    const work = app.task(
      'work',
      (name: string) => {
        order.push(name);
        return promise;
      },
      exclusive,
    );
    const [first, second, third] = [work('first'), work('second'), work('third')];
    await settle();
    second.cancel();
    await settle();
    expect(order).toEqual(['first']);
    resolve();
    await Promise.all([first, third]);
    expect(second.status).toBe('cancel');
    expect(order).toEqual(['first', 'third']);
  });

  it('while it has the hold and waits for a slot gives the hold back', async () => {
    const storage = memory();
    const app = new QTasks({ storage, concurrency: 1 });
    const { promise, resolve } = gate();
    const busy = app.task('busy', () => promise)();
    const run = app.task('work', () => 'value', exclusive)();
    await settle();
    expect(await isFree(storage)).toBe(false);
    run.cancel('stop');
    expect(run.status).toBe('cancel');
    expect(await isFree(storage)).toBe(true);
    resolve();
    await busy;
  });

  it('in the tick in which the lock is granted ends "cancel" and frees it', async () => {
    for (let ticks = 0; ticks < 12; ticks++) {
      const storage = memory();
      let calls = 0;
      const run = new QTasks({ storage }).task('work', () => ++calls, exclusive)();
      for (let tick = 0; tick < ticks; tick++) await null;
      run.cancel('stop');
      const { status } = await run.settled;
      expect(status).toBe(calls === 0 ? 'cancel' : 'success');
      expect(await isFree(storage)).toBe(true);
    }
  });

  it('by the close of the app reaches who waits for the lock', async () => {
    const clock = new ManualClock();
    const storage = memory();
    const app = new QTasks({ clock, storage });
    const other = new QTasks({ storage });
    const { promise, resolve } = gate();
    const holder = other.task('holder', () => promise, exclusive)();
    const run = app.task('work', () => 'value', exclusive)();
    const { settled } = run;
    await settle();
    const closing = app.close({ drain: 0 });
    await clock.advance(0);
    await closing;
    expect(isQTasksError((await settled).error, 'APP_CLOSED')).toBe(true);
    resolve();
    await holder;
    expect(await isFree(storage)).toBe(true);
  });
});

describe('a hold', () => {
  it('that fails to be given back changes no run, and is told to the logger', async () => {
    for (const release of [
      () => Promise.reject(no),
      () => {
        throw no;
      },
    ]) {
      const storage = new FaultyStorage();
      storage.nextLocks.push(async () => release);
      const told: unknown[] = [];
      const logger = {
        info() {},
        warn() {},
        error: (_line: string, error: unknown) => told.push(error),
      };
      const run = new QTasks({ storage, logger }).task('work', () => 'value', exclusive)();
      expect(await run).toBe('value');
      expect(told).toEqual([no]);
    }
  });

  it('is given back once, after teardown and before the run has settled', async () => {
    const log: string[] = [];
    const storage = new FaultyStorage();
    storage.nextLocks.push(async () => async () => {
      await settle();
      log.push('freed');
    });
    const app = new QTasks({ storage, concurrency: 1 });
    app.on('run:success', ({ task }) => log.push(task));
    const work = app.task(
      'work',
      { ctx: Context },
      ({ ctx }) => {
        ctx.defer(() => log.push('teardown'));
      },
      exclusive,
    );
    await work();
    expect(log).toEqual(['teardown', 'freed', 'work']);
  });

  it('is not kept during the backoff, and is not counted in the timeout', async () => {
    const clock = new ManualClock();
    const storage = new FaultyStorage(memory());
    storage.nextLocks.push(passAfter(() => slow.promise));
    const slow = gate();
    const app = new QTasks({ clock, storage });
    const work = app.task(
      'work',
      { ctx: Context },
      async ({ ctx }) => {
        await ctx.sleep(9);
        if (ctx.attempt === 1) throw no;
        return 'value';
      },
      { exclusive: true, timeout: 10, retry: { limit: 1, delay: 1_000 } },
    );
    const run = work();
    run.then(() => {});
    await clock.advance(1_000);
    slow.resolve();
    await clock.advance(500);
    expect(run.status).toBe('retry');
    expect(await isFree(storage)).toBe(true);
    await clock.advance(1_000);
    expect(await run).toBe('value');
    expect(clock.pending).toBe(0);
  });

  it('of a remembered run is taken once for all that join it', async () => {
    const storage = new FaultyStorage();
    const app = new QTasks({ storage });
    const work = app.task('work', () => settle().then(() => 'value'), exclusive);
    const client = app.with({ id: 'one' });
    expect(await Promise.all([client.run(work), client.run(work)])).toEqual(['value', 'value']);
    expect(storage.locks).toHaveLength(1);
  });

  it('is nothing that the lock of a state waits for', async () => {
    const storage = new FaultyStorage();
    const app = new QTasks({ storage });
    const { promise, resolve } = gate();
    const run = app.task('work', () => promise, exclusive)();
    await settle();
    const release = await storage.inner.lock?.({ app: 'qtasks', session: '', state: 's' }, {});
    await release?.();
    resolve();
    await run;
    expect(release).toBeTypeOf('function');
  });
});
