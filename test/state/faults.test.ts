/** A storage that conflicts, fails, forgets to answer or holds damaged data. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { AsyncState, type Logger, QTasks, QTasksError } from '../../src/index.js';
import type { BucketId, Commit, CommitResult } from '../../src/storage.js';
import { ManualClock, settle } from '../support/clock.js';
import { FaultyStorage, failWith, passAfter, passThenFail } from '../support/faulty.js';

type Shape = Record<string, unknown>;

class Any extends AsyncState<Shape> {
  static readonly id = 'any';
}

class Counter extends AsyncState<{ count: number }> {
  static readonly id = 'any';
}

const increment = ({ count = 0 }: { count?: number }): { count: number } => ({ count: count + 1 });
const bucket = { app: 'app', session: '', state: 'any' };
const unknownOutcome = new QTasksError('STORAGE_UNKNOWN_OUTCOME', 'no answer');

/** Has room for so many characters in one commit. */
class SmallStorage extends FaultyStorage {
  readonly #room: number;

  constructor(room: number) {
    super();
    this.#room = room;
  }

  override async commit(id: BucketId, commit: Commit): Promise<CommitResult> {
    const length = [...(commit.set ?? [])].join('').length;
    if (length > this.#room) throw new QTasksError('STORAGE_QUOTA', 'full');
    return super.commit(id, commit);
  }
}

/** Notes what is waited for. */
class NotingClock extends ManualClock {
  readonly delays: number[] = [];

  override setTimeout(callback: () => void, delay: number): ReturnType<ManualClock['setTimeout']> {
    this.delays.push(delay);
    return super.setTimeout(callback, delay);
  }
}

interface World {
  readonly storage: FaultyStorage;
  readonly clock: NotingClock;
  readonly app: QTasks;
  /** The same data, past all faults. */
  readonly other: QTasks;
  readonly reported: unknown[];
}

function world(): World {
  const storage = new FaultyStorage();
  const clock = new NotingClock();
  const reported: unknown[] = [];
  const logger: Logger = { info() {}, warn() {}, error: (_, error) => void reported.push(error) };
  return {
    storage,
    clock,
    reported,
    app: new QTasks({ name: 'app', storage, clock, logger }),
    other: new QTasks({ name: 'app', storage: storage.inner }),
  };
}

/** Lets another app write before each of so many commits. */
function disturb({ storage, other }: World, commits: number): void {
  const state = other.state(Counter);
  for (let turn = 0; turn < commits; turn++) {
    storage.nextCommits.push(passAfter(() => state.update(increment)));
  }
}

describe('conflicts', () => {
  it('make an update run again on what is there, without a read', async () => {
    const all = world();
    const { storage, clock, app } = all;
    disturb(all, 5);
    const update = app.state(Counter).update(increment);
    await clock.advance(1_000);
    expect(await update).toEqual({ count: 6 });
    expect([storage.commits.length, storage.reads.length, storage.locks.length]).toEqual([6, 0, 0]);
  });

  it('make the first try anew at once and the later ones after a while of at most 64 ms', async () => {
    const all = world();
    const { storage, clock, app } = all;
    disturb(all, 2);
    const update = app.state(Counter).update(increment);
    await settle();
    expect([storage.commits.length, clock.pending]).toEqual([2, 1]);
    await clock.advance(64);
    expect([storage.commits.length, clock.pending]).toEqual([3, 0]);
    expect(await update).toEqual({ count: 3 });
  });

  it('take the lock of the state after 8 and free it after the commit', async () => {
    const all = world();
    const { storage, clock, app } = all;
    disturb(all, 8);
    const events: string[] = [];
    storage.nextLocks.push(async () => {
      events.push(`locked after ${storage.commits.length}`);
      return async () => void events.push(`freed after ${storage.commits.length}`);
    });
    const update = app.session('s').state(Counter).update(increment);
    const elsewhere = app.state(Counter).update(increment);
    await clock.advance(1_000);
    await Promise.all([update, elsewhere]);
    expect(events).toEqual([]);
    storage.commits.length = 0;
    disturb(all, 8);
    const late = app.state(Counter).update(increment);
    await clock.advance(1_000);
    expect(await late).toEqual({ count: 18 });
    expect(events).toEqual(['locked after 8', 'freed after 9']);
    expect(storage.locks).toEqual([expect.objectContaining(bucket)]);
  });

  it('do not wait any more while the lock is held', async () => {
    const all = world();
    disturb(all, 50);
    const update = all.app.state(Counter).update(increment);
    await all.clock.advance(1_000);
    expect(await update).toEqual({ count: 51 });
    expect([all.clock.delays.length, all.storage.locks.length]).toEqual([6, 1]);
  });

  it('give up with STORAGE_CONFLICT after 100, free the lock and write nothing', async () => {
    const all = world();
    const { storage, clock, app, other } = all;
    disturb(all, 100);
    let freed = 0;
    storage.nextLocks.push(async () => async () => void freed++);
    const state = app.state(Counter);
    const update = state.update(increment);
    const failed = expect(update).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' });
    await clock.advance(10_000);
    await failed;
    expect([storage.commits.length, storage.locks.length, freed]).toEqual([100, 1, 1]);
    expect(await other.state(Counter).get('count')).toBe(100);
    expect(await state.update(increment)).toEqual({ count: 101 });
  });

  it('without a lock wait at most 64 ms each time, by chance', async () => {
    const storage = new FaultyStorage();
    const clock = new NotingClock();
    const { read, commit, list, close } = storage;
    const lockless = {
      name: 'lockless',
      scope: 'runtime',
      read: read.bind(storage),
      commit: commit.bind(storage),
      list: list.bind(storage),
      close: close.bind(storage),
    } as const;
    const app = new QTasks({ name: 'app', storage: lockless, clock });
    const other = new QTasks({ name: 'app', storage: storage.inner });
    disturb({ ...world(), storage, other }, 99);
    const update = app.state(Counter).update(increment);
    await clock.advance(10_000);
    expect(await update).toEqual({ count: 100 });
    expect(clock.delays).toHaveLength(97);
    expect(Math.max(...clock.delays)).toBeLessThanOrEqual(64);
    expect(new Set(clock.delays).size).toBeGreaterThan(50);
  });

  it('are met by writes without a look never', async () => {
    const all = world();
    disturb(all, 3);
    const state = all.app.state(Any);
    await state.set('a', 1);
    await state.delete('a');
    await state.clear();
    expect(all.storage.commits).toHaveLength(3);
    expect(await state.getAll()).toEqual({});
  });

  it('reject with what the lock fails with', async () => {
    const all = world();
    disturb(all, 8);
    const cause = new Error('no locks here');
    all.storage.nextLocks.push(failWith(cause));
    const update = all.app.state(Counter).update(increment);
    const failed = expect(update).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', cause });
    await all.clock.advance(1_000);
    await failed;
  });

  it('leave a commit made though its lock cannot be freed, which is reported', async () => {
    const all = world();
    disturb(all, 8);
    const error = new Error('cannot free');
    all.storage.nextLocks.push(async () => () => Promise.reject(error));
    const update = all.app.state(Counter).update(increment);
    await all.clock.advance(1_000);
    expect(await update).toEqual({ count: 9 });
    expect(all.reported).toEqual([error]);
    expect(await all.app.state(Counter).update(increment)).toEqual({ count: 10 });
  });
});

describe('an unknown outcome', () => {
  it('is asked for once more, with the same sequence', async () => {
    const { storage, app } = world();
    const state = app.state(Counter);
    storage.nextCommits.push(passThenFail(unknownOutcome));
    expect(await state.update(increment)).toEqual({ count: 1 });
    storage.nextCommits.push(failWith(unknownOutcome));
    expect(await state.update(increment)).toEqual({ count: 2 });
    expect(await state.get('count')).toBe(2);
    const [one, again, other, otherAgain] = storage.commits.map(({ commit }) => commit);
    expect(again).toEqual(one);
    expect(otherAgain).toEqual(other);
    expect(other?.sequence).toBeGreaterThan(one?.sequence ?? Number.NaN);
  });

  it('of both tries rejects with that, and the next call works', async () => {
    const { storage, app } = world();
    const state = app.state(Counter);
    storage.nextCommits.push(passThenFail(unknownOutcome), failWith(unknownOutcome));
    await expect(state.update(increment)).rejects.toBe(unknownOutcome);
    expect(await state.update(increment)).toEqual({ count: 2 });
    storage.nextCommits.push(failWith(unknownOutcome), failWith('broken'));
    await expect(state.update(increment)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  it.each<[string, (state: Counter) => Promise<unknown>]>([
    ['update', (state) => state.update(({ count = 0 }) => ({ count: count + 10 }))],
    ['set', (state) => state.set('count', 11)],
    ['clear', (state) => state.clear()],
  ])('of %s loses no update of somebody who wrote before the second try', async (_, call) => {
    const { storage, app, other } = world();
    const state = app.state(Counter);
    await state.update({ count: 1 });
    const meanwhile = (): Promise<unknown> => other.state(Counter).update(increment);
    storage.nextCommits.push(passThenFail(unknownOutcome, meanwhile));
    await call(state);
    const before = await other.state(Counter).get('count');
    expect(await state.update(increment)).toEqual({ count: Number(before) + 1 });
  });

  it('of a delete of the last field keeps what somebody wrote before the second try', async () => {
    const { storage, app, other } = world();
    const state = app.state(Any);
    await state.set('a', 1);
    const meanwhile = (): Promise<unknown> => other.state(Any).set('b', 2);
    storage.nextCommits.push(passThenFail(unknownOutcome, meanwhile));
    await state.delete('a');
    expect(await state.update(({ b }) => ({ c: b }))).toEqual({ b: 2, c: 2 });
  });
});

describe('a failure', () => {
  it.each([
    new Error('down'),
    'a string',
    undefined,
    { code: 'ECONNRESET' },
    new QTasksError('TASK_UNKNOWN', 'strange'),
  ])('that is foreign, %o, becomes STORAGE_UNAVAILABLE with it as the cause', async (cause) => {
    const { storage, app } = world();
    const state = app.state(Any);
    for (const call of [
      () => state.set('a', 'secret'),
      () => state.update(() => ({ a: 'secret' })),
    ]) {
      storage.nextCommits.push(failWith(cause));
      const error: unknown = await call().catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: 'STORAGE_UNAVAILABLE',
        cause,
        message: expect.stringContaining('"faulty"'),
      });
      expect(String(error)).not.toContain('secret');
    }
    storage.nextReads.push(failWith(cause));
    await expect(state.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', cause });
  });

  it('of the storage itself is passed on', async () => {
    const { storage, app } = world();
    const state = app.state(Any);
    const error = new QTasksError('STORAGE_QUOTA', 'full');
    storage.nextCommits.push(failWith(error));
    await expect(state.set('a', 1)).rejects.toBe(error);
    storage.nextReads.push(failWith(error));
    await expect(state.getAll()).rejects.toBe(error);
  });

  it('for being too much befalls those calls alone that are too much by themselves', async () => {
    const storage = new SmallStorage(100);
    const state = new QTasks({ name: 'app', storage }).state(Any);
    const text = (length: number): string => 'x'.repeat(length);
    const calls = [
      state.set('a', text(60)),
      state.set('b', text(60)),
      state.update(({ n = 0 }) => ({ n: Number(n) + 1 })),
      state.set('c', text(200)),
      state.update(({ n = 0 }) => ({ n: Number(n) + 1 })),
      state.set('d', text(60)),
      state.delete('a'),
    ];
    const outcomes = await Promise.allSettled(calls);
    const refused = outcomes.map(({ status }) => status === 'rejected');
    expect(refused).toEqual([false, false, false, true, false, false, false]);
    expect(outcomes[3]).toMatchObject({ reason: { code: 'STORAGE_QUOTA' } });
    expect(await state.getAll()).toEqual({ b: text(60), n: 2, d: text(60) });
  });

  it('thrown at once by the adapter rejects all the same', async () => {
    const { storage, app } = world();
    const state = app.state(Any);
    const cause = new Error('not even a promise');
    const thrower = (): never => {
      throw cause;
    };
    storage.nextCommits.push(thrower);
    storage.nextReads.push(thrower);
    const wrong = { code: 'STORAGE_UNAVAILABLE', cause };
    await expect(state.set('a', 1)).rejects.toMatchObject(wrong);
    await expect(state.get('a')).rejects.toMatchObject(wrong);
    await state.set('a', 2);
    expect(await state.get('a')).toBe(2);
  });

  it('is over with the next call, and the queue goes on', async () => {
    const { storage, app } = world();
    const state = app.state(Counter);
    await state.update(increment);
    storage.nextCommits.push(failWith(new Error('down')));
    const calls = [
      state.update(increment),
      state.update(increment),
      state.get('count'),
      state.update(increment),
    ];
    const settled = await Promise.allSettled(calls);
    expect(settled.map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
    expect(await state.get('count')).toBe(3);
  });

  it('of a shared read reaches all its readers and no later one', async () => {
    const { storage, app } = world();
    const state = app.state(Any);
    await state.set('a', 1);
    storage.nextReads.push(failWith(new Error('down')));
    const settled = await Promise.allSettled([state.get('a'), state.getAll()]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await state.get('a')).toBe(1);
  });
});

describe('a damaged field', () => {
  const damaged = ['~1[["Nonsense",[]]]', '~2[]', '{"a":', '[1', 'nonsense', ''];

  async function damage({ storage }: World, raw: string): Promise<void> {
    const set = new Map([
      ['bad', raw],
      ['good', '1'],
    ]);
    await storage.inner.commit(bucket, { writer: 'w', sequence: 1, set });
  }

  it.each(damaged)('%j rejects its readers with STORAGE_CORRUPT, and no others', async (raw) => {
    const all = world();
    await damage(all, raw);
    const state = all.app.state(Any);
    const wrong = { code: 'STORAGE_CORRUPT', data: { field: 'bad' } };
    await expect(state.get('bad')).rejects.toMatchObject(wrong);
    await expect(state.getAll()).rejects.toMatchObject(wrong);
    await expect(state.update(() => ({ good: 2 }))).rejects.toMatchObject(wrong);
    expect(await state.get('good')).toBe(1);
    const { fields } = await all.storage.inner.read(bucket);
    expect([...fields]).toEqual([
      ['bad', raw],
      ['good', '1'],
    ]);
  });

  it.each(damaged)('%j can be set and deleted, in a class with a version too', async (raw) => {
    class Versioned extends Any {
      static readonly version = 2;
      static migrate(): Shape {
        throw new Error('is not called');
      }
    }
    for (const stateClass of [Any, Versioned]) {
      for (const repair of [
        (state: Any) => state.set('bad', 7),
        (state: Any) => state.delete('bad'),
      ]) {
        const all = world();
        const set = new Map([
          ['bad', raw],
          ['\0v', '2'],
        ]);
        if (stateClass === Any) set.delete('\0v');
        await all.storage.inner.commit(bucket, { writer: 'w', sequence: 1, set });
        const state = all.app.state(stateClass);
        await repair(state);
        expect([7, undefined]).toContain(await state.get('bad'));
        await state.update(({ bad }) => ({ bad: [bad] }));
      }
    }
  });
});

describe('many sessions', () => {
  it('do not keep their buckets for ever', async () => {
    const storage = new FaultyStorage();
    const app = new QTasks({ name: 'app', storage });
    const write = (name: string): Promise<void> => app.session(name).state(Any).set('a', name);
    const rush = Array.from({ length: 3_000 }, (_, index) => `s${index}`);
    await Promise.all(rush.map(write));
    const before = new Set(storage.commits.map(({ bucket: id }) => id));
    for (let index = 0; index < 2_000; index++) await write(`t${index}`);
    storage.commits.length = 0;
    await Promise.all(rush.map(write));
    // A bucket that is still remembered names itself by the same object.
    const kept = storage.commits.filter(({ bucket: id }) => before.has(id));
    expect(kept.length).toBeLessThan(10);
    expect(await app.session('s7').state(Any).get('a')).toBe('s7');
  });

  it('that are watched keep theirs', async () => {
    const app = new QTasks({ name: 'app', storage: memory() });
    const seen: string[] = [];
    const names = Array.from({ length: 1_100 }, (_, index) => `s${index}`);
    for (const name of names)
      app
        .session(name)
        .state(Any)
        .subscribe(() => seen.push(name));
    for (let index = 0; index < 1_100; index++) await app.session(`t${index}`).state(Any).clear();
    for (const name of names) await app.session(name).state(Any).set('a', 1);
    expect(seen).toEqual(names);
  });
});
