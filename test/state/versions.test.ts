/** Data of an older or newer version of its state class. */
import { describe, expect, it, vi } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { AsyncState, QTasks } from '../../src/index.js';
import { FaultyStorage, failWith, gate, passAfter } from '../support/faulty.js';

type Shape = Record<string, unknown>;

class First extends AsyncState<Shape> {
  static readonly id = 'person';
}

class Second extends AsyncState<Shape> {
  static readonly id = 'person';
  static readonly version: number = 2;
  static migrate({ name, ...rest }: Shape, _from: number): unknown {
    const [first, last] = String(name).split(' ');
    return { ...rest, first, last };
  }
}

class Third extends Second {
  static override readonly version = 3;
  static override migrate(old: Shape, from: number): unknown {
    const { first, last, ...rest } = from < 2 ? (Second.migrate(old, from) as Shape) : old;
    return { ...rest, full: `${last}, ${first}` };
  }
}

const open = <State extends typeof First>(stateClass: State, storage = memory()): First =>
  new QTasks({ name: 'app', storage }).state(stateClass);

async function stored(): Promise<FaultyStorage> {
  const storage = new FaultyStorage();
  await open(First, storage).update({ name: 'Ada Lovelace', born: new Date(0) });
  return storage;
}

async function listed(storage: FaultyStorage): Promise<number> {
  let count = 0;
  for await (const _ of storage.list({ app: 'app' })) count++;
  return count;
}

const migrated = { first: 'Ada', last: 'Lovelace', born: new Date(0) };

describe('migrate', () => {
  it.each<[string, (state: First) => Promise<unknown>, unknown]>([
    ['getAll', (state) => state.getAll(), migrated],
    ['get of a new field', (state) => state.get('first'), 'Ada'],
    ['get of an old field', (state) => state.get('name', 'gone'), 'gone'],
    ['get of a field that stays', (state) => state.get('born'), new Date(0)],
    ['get of nothing', (state) => state.get('other'), undefined],
    ['an update of nothing', (state) => state.update({}), migrated],
  ])('runs on a first %s', async (_, call, result) => {
    const storage = await stored();
    const migrate = vi.spyOn(Second, 'migrate');
    const state = open(Second, storage);
    expect(await call(state)).toEqual(result);
    expect(await state.getAll()).toEqual(migrated);
    expect(await open(Second, storage).getAll()).toEqual(migrated);
    expect(migrate.mock.calls).toEqual([[{ name: 'Ada Lovelace', born: new Date(0) }, 1]]);
    migrate.mockRestore();
  });

  it.each<[string, (state: First) => Promise<unknown>, Shape]>([
    ['set', (state) => state.set('first', 'Bea'), { ...migrated, first: 'Bea' }],
    ['set of an old name', (state) => state.set('name', 1), { ...migrated, name: 1 }],
    ['update', (state) => state.update({ a: 1 }), { ...migrated, a: 1 }],
    [
      'update by a function',
      (state) => state.update(({ last }) => ({ last: [last] })),
      { ...migrated, last: ['Lovelace'] },
    ],
    ['delete', (state) => state.delete('born'), { first: 'Ada', last: 'Lovelace' }],
    ['clear', (state) => state.clear(), {}],
  ])('runs with a first %s, in the same commit', async (_, call, result) => {
    const storage = await stored();
    storage.commits.length = 0;
    await call(open(Second, storage));
    expect(storage.commits.filter(({ commit }) => commit.ifRevision !== null)).toHaveLength(1);
    expect(await open(Second, storage).getAll()).toEqual(result);
  });

  it('gets the version that the data is of, and the class as this', async () => {
    const storage = await stored();
    await open(Second, storage).getAll();
    expect(await open(Third, storage).getAll()).toEqual({
      full: 'Lovelace, Ada',
      born: new Date(0),
    });
    const other = await stored();
    expect(await open(Third, other).get('full')).toBe('Lovelace, Ada');
  });

  it('does not run where nothing is stored, nor on data of its own version', async () => {
    const migrate = vi.spyOn(Second, 'migrate');
    const storage = new FaultyStorage();
    const state = open(Second, storage);
    expect(await state.getAll()).toEqual({});
    await state.set('name', 'as it is');
    expect(await open(Second, storage).getAll()).toEqual({ name: 'as it is' });
    expect(storage.commits).toHaveLength(1);
    expect(migrate).not.toHaveBeenCalled();
    migrate.mockRestore();
  });

  it('counts once when two apps do it at once', async () => {
    const storage = await stored();
    const all = await Promise.all([
      ...[open(Second, storage), open(Second, storage)].map((state) => state.getAll()),
      open(Second, storage).update(() => ({ more: 1 })),
    ]);
    for (const { first, name } of all) expect([first, name]).toEqual(['Ada', undefined]);
    expect(await open(Second, storage).getAll()).toEqual({ ...migrated, more: 1 });
  });

  it('makes way for a write of an older app in between', async () => {
    const storage = await stored();
    const old = open(First, storage.inner as FaultyStorage);
    const { opened, open: go } = gate();
    const state = open(Second, storage);
    storage.nextCommits.push(passAfter(() => opened));
    const all = state.getAll();
    await old.set('name', 'Grace Hopper');
    go();
    expect(await all).toEqual({ ...migrated, first: 'Grace', last: 'Hopper' });
  });

  it('drops a bucket that it leaves without fields', async () => {
    class Emptied extends Second {
      static override migrate(): unknown {
        return {};
      }
    }
    const storage = await stored();
    expect(await open(Emptied, storage).getAll()).toEqual({});
    expect(await listed(storage)).toBe(0);
  });

  it('passes what it returns through the fields', async () => {
    class Refused extends Second {
      static override migrate(): unknown {
        return { make: () => {} };
      }
    }
    const storage = await stored();
    await expect(open(Refused, storage).getAll()).rejects.toMatchObject({
      code: 'VALUE_UNSUPPORTED',
      data: { path: ['make'] },
    });
    expect(await open(First, storage).get('name')).toBe('Ada Lovelace');
  });

  it('that throws rejects every call with that, and leaves the data alone', async () => {
    const error = new Error('no way');
    class Throwing extends Second {
      static override migrate(): never {
        throw error;
      }
    }
    const storage = await stored();
    const state = open(Throwing, storage);
    const calls = [
      state.getAll(),
      state.get('name'),
      state.set('a', 1),
      state.update(() => ({})),
      state.clear(),
    ];
    for (const call of calls) await expect(call).rejects.toBe(error);
    expect(await open(Second, storage).getAll()).toEqual(migrated);
  });

  it.each([
    ['a promise', async () => ({})],
    ['a promise that rejects', async () => Promise.reject(new Error('nobody awaits this'))],
    ['nothing', () => undefined],
    ['an array', () => []],
  ])('that returns %s is refused, and leaves the data alone', async (_, result) => {
    class Wrong extends Second {
      static override migrate(): unknown {
        return result();
      }
    }
    const storage = await stored();
    await expect(open(Wrong, storage).getAll()).rejects.toMatchObject({ code: 'STATE_INVALID' });
    await expect(open(Wrong, storage).set('a', 1)).rejects.toMatchObject({ code: 'STATE_INVALID' });
    expect(await open(Second, storage).getAll()).toEqual(migrated);
  });

  it('runs anew after its commit has failed', async () => {
    const storage = await stored();
    const state = open(Second, storage);
    storage.nextCommits.push(failWith(new Error('down')));
    await expect(state.getAll()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await state.getAll()).toEqual(migrated);
  });
});

describe('data newer than its class', () => {
  it('rejects every call with STATE_INVALID and is left alone', async () => {
    const storage = await stored();
    const newer = open(Third, storage);
    await newer.getAll();
    const { revision } = await storage.read({ app: 'app', session: '', state: 'person' });
    const state = open(Second, storage);
    const wrong = { code: 'STATE_INVALID', message: expect.stringMatching(/version 3.*version 2/) };
    for (const call of [
      () => state.getAll(),
      () => state.get('full'),
      () => state.get('other'),
      () => state.set('a', 1),
      () => state.update({ a: 1 }),
      () => state.update(() => ({ a: 1 })),
      () => state.delete('full'),
      () => state.clear(),
    ]) {
      await expect(call()).rejects.toMatchObject(wrong);
    }
    const after = await storage.read({ app: 'app', session: '', state: 'person' });
    expect(after.revision).toBe(revision);
  });

  it('rejects reads and updates of a class without a version', async () => {
    const storage = await stored();
    await open(Second, storage).getAll();
    const state = open(First, storage);
    const wrong = { code: 'STATE_INVALID' };
    await expect(state.getAll()).rejects.toMatchObject(wrong);
    await expect(state.get('other')).rejects.toMatchObject(wrong);
    await expect(state.update(() => ({ a: 1 }))).rejects.toMatchObject(wrong);
  });
});

describe('a bucket with a version', () => {
  it.each(['delete', 'clear'] as const)('is gone after the %s of its last field', async (call) => {
    const storage = new FaultyStorage();
    const state = open(Second, storage);
    await state.set('a', 1);
    expect(await listed(storage)).toBe(1);
    await state[call]('a');
    expect(await listed(storage)).toBe(0);
    await state.set('b', 1);
    expect(await state.getAll()).toEqual({ b: 1 });
  });

  it('is gone also where another app deletes its last field', async () => {
    const storage = new FaultyStorage();
    await open(Second, storage).set('a', 1);
    await open(Second, storage).delete('a');
    expect(await listed(storage)).toBe(0);
  });

  it('keeps its version out of the fields, whatever they are called', async () => {
    const state = open(Second);
    await state.update({ '\0v': 'mine', '\0\0v': 'too' });
    expect(await state.getAll()).toEqual({ '\0v': 'mine', '\0\0v': 'too' });
    expect(await state.get('\0v')).toBe('mine');
  });
});
