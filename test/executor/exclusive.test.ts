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
import { FaultyStorage, failWith } from '../support/faulty.js';
import { isFree } from '../support/holds.js';
import { overlap } from '../support/overlap.js';
import { gate, never, rejection } from '../support/promises.js';

const no = new Error('no');
const exclusive = { exclusive: true };

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
