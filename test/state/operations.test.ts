/** What each call of a state does, one caller at a time. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { AsyncState, QTasks } from '../../src/index.js';
import { FaultyStorage, gate, passAfter } from '../support/faulty.js';

type Shape = Record<string, unknown>;

class Any extends AsyncState<Shape> {
  static readonly id = 'any';
}

const open = (storage = memory()): Any => new QTasks({ name: 'app', storage }).state(Any);

/** Names that are special somewhere: to objects, to JSON, to keys made of parts, to the library itself. */
const hostileNames = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  'getItem',
  'then',
  '',
  ' ',
  '0',
  '-1',
  'a:b',
  'a\0b',
  '\0',
  '\0v',
  '\0\0v',
  '\0\0',
  '*',
  '🙂',
  '\ud800',
  'é',
  'e\u0301',
];

describe('get', () => {
  it('resolves to undefined where nothing is stored', async () => {
    expect(await open().get('a')).toBeUndefined();
  });

  it('resolves to the fallback where nothing is stored', async () => {
    const fallback = { some: 'object' };
    expect(await open().get('a', fallback)).toBe(fallback);
    expect(await open().get('a', null)).toBe(null);
  });

  it.each([undefined, null, 0, '', false, Number.NaN])(
    'prefers a stored %s to the fallback',
    async (value) => {
      const state = open();
      await state.set('a', value);
      expect(await state.get('a', 'fallback')).toBe(value);
    },
  );

  it.each([[[]], [[undefined]], [[null]], [[undefined, 'fallback']]])(
    'resolves to all fields by the arguments %j',
    async (args) => {
      const state = open();
      await state.update({ a: 1, b: [2] });
      expect(await Reflect.apply(state.get, state, args)).toEqual({ a: 1, b: [2] });
    },
  );

  it('resolves to all fields by a variable that is undefined only at run time', async () => {
    const state = open();
    await state.set('undefined', 1);
    const name = undefined as unknown as string;
    expect(await state.get(name)).toEqual({ undefined: 1 });
  });

  it.each([[['a']], [1], [{}], [Symbol('a')]])(
    'rejects with OPTION_INVALID for %o as a field',
    async (name) => {
      const call = open().get(name as unknown as string);
      await expect(call).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    },
  );

  it('writes nothing', async () => {
    const storage = new FaultyStorage();
    const state = open(storage);
    await state.get('a', 1);
    await state.getAll();
    expect(storage.commits).toEqual([]);
  });
});

describe('getAll', () => {
  it('resolves to an empty plain object where nothing is stored', async () => {
    const all = await open().getAll();
    expect(all).toEqual({});
    expect(Object.getPrototypeOf(all)).toBe(Object.prototype);
  });

  it('resolves to every field, a stored undefined included', async () => {
    const state = open();
    await state.update({ a: undefined, b: new Map([[1, 2]]) });
    expect(await state.getAll()).toStrictEqual({ a: undefined, b: new Map([[1, 2]]) });
  });
});

describe('set', () => {
  it('resolves to undefined once another app reads the value', async () => {
    const storage = memory();
    expect(await open(storage).set('a', 1)).toBeUndefined();
    expect(await open(storage).get('a')).toBe(1);
  });

  it('replaces a value by one of another type', async () => {
    const state = open();
    for (const value of [1, { a: 1 }, 'x', [new Date(0)], undefined, null]) {
      await state.set('a', value);
      expect(await state.getAll()).toStrictEqual({ a: value });
    }
  });

  it('rejects with OPTION_INVALID for a field that is no string, and writes nothing', async () => {
    const storage = new FaultyStorage();
    const call = open(storage).set(1 as unknown as string, 1);
    await expect(call).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(storage.commits).toEqual([]);
  });
});

describe('update', () => {
  it('merges values and resolves to all fields after it', async () => {
    const state = open();
    await state.update({ a: 1, b: 2 });
    expect(await state.update({ b: 3, c: undefined })).toStrictEqual({ a: 1, b: 3, c: undefined });
    expect(await state.getAll()).toStrictEqual({ a: 1, b: 3, c: undefined });
  });

  it('merges what a function makes of all fields', async () => {
    const state = open();
    await state.update({ a: 1, b: 2 });
    const all = await state.update(({ a, b }) => ({ a: Number(a) + Number(b) }));
    expect(all).toEqual({ a: 3, b: 2 });
    expect(await state.getAll()).toEqual({ a: 3, b: 2 });
  });

  it('resolves to all fields and writes nothing by nothing', async () => {
    const storage = new FaultyStorage();
    await open(storage).set('a', 1);
    storage.commits.length = 0;
    const other = open(storage);
    expect(await other.update({})).toEqual({ a: 1 });
    expect(await other.update(() => ({}))).toEqual({ a: 1 });
    expect(storage.commits).toEqual([]);
  });

  it('keeps the error of a function, as it is, and writes nothing', async () => {
    const state = open();
    const error = { not: 'even an Error' };
    const call = state.update(() => {
      throw error;
    });
    await expect(call).rejects.toBe(error);
    expect(await state.getAll()).toEqual({});
  });

  it.each([undefined, null, 1, 'a', [[1]], () => {}, new Map(), new Date(0)])(
    'rejects with STATE_INVALID for %o from a function',
    async (result) => {
      const state = open();
      const call = state.update(() => result as unknown as Shape);
      await expect(call).rejects.toMatchObject({ code: 'STATE_INVALID' });
      expect(await state.getAll()).toEqual({});
    },
  );

  it('rejects with STATE_INVALID for an asynchronous function, whatever becomes of its promise', async () => {
    const state = open();
    const change = (async () => {
      throw new Error('nobody awaits this');
    }) as unknown as () => Shape;
    const call = state.update(change);
    await expect(call).rejects.toMatchObject({ code: 'STATE_INVALID' });
    await expect(call).rejects.toThrow(/promise/);
  });

  it('never shows the three fields of one update half done', async () => {
    const state = open();
    const reads = [];
    for (let n = 0; n < 100; n++) {
      void state.update({ a: n, b: n, c: n });
      reads.push(state.getAll());
    }
    for (const { a, b, c } of await Promise.all(reads)) expect([b, c]).toEqual([a, a]);
  });
});

describe('delete and clear', () => {
  it('deletes one field and resolves to undefined', async () => {
    const state = open();
    await state.update({ a: 1, b: 2 });
    expect(await state.delete('a')).toBeUndefined();
    expect(await state.getAll()).toEqual({ b: 2 });
    expect(await state.get('a', 'fallback')).toBe('fallback');
  });

  it('deletes what is not there without complaint', async () => {
    const state = open();
    await state.delete('a');
    await state.set('b', 1);
    await state.delete('a');
    expect(await state.getAll()).toEqual({ b: 1 });
  });

  it('rejects with OPTION_INVALID for a field that is no string', async () => {
    const call = open().delete(undefined as unknown as string);
    await expect(call).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('clears all fields and resolves to undefined', async () => {
    const state = open();
    await state.update({ a: 1, '\0v': 2 });
    expect(await state.clear()).toBeUndefined();
    expect(await state.getAll()).toEqual({});
  });

  it.each(['delete', 'clear'] as const)('leaves nothing in storage after %s', async (method) => {
    const storage = memory();
    const state = open(storage);
    await state.set('a', 1);
    await state[method]('a');
    const left = [];
    for await (const bucket of storage.list({ app: 'app' })) left.push(bucket);
    expect(left).toEqual([]);
  });
});

describe('values', () => {
  it('go in as they are at the call', async () => {
    const storage = new FaultyStorage();
    const state = open(storage);
    const { opened, open: openGate } = gate();
    storage.nextCommits.push(passAfter(() => opened));
    const first = state.set('first', 1);
    const list = [1];
    const fields = { merged: list, added: 1 };
    const calls = [state.set('list', list), state.update(fields)];
    list.push(2);
    fields.added = 2;
    Object.assign(fields, { late: true });
    openGate();
    await Promise.all([first, ...calls]);
    expect(await state.getAll()).toEqual({ first: 1, list: [1], merged: [1], added: 1 });
  });

  it('come out as copies, one for each reader', async () => {
    const state = open();
    await state.set('list', [{ deep: 1 }]);
    const all = await Promise.all([
      state.get('list'),
      state.get('list'),
      state.getAll().then(({ list }) => list),
      state.getAll().then(({ list }) => list),
      state.update({}).then(({ list }) => list),
    ]);
    for (const list of all as { deep: number }[][]) {
      expect(list).toEqual([{ deep: 1 }]);
      for (const item of list) item.deep = 2;
      list.push({ deep: 3 });
    }
    expect(await state.get('list')).toEqual([{ deep: 1 }]);
  });

  it('are a copy also for the function of update, and for its caller', async () => {
    const state = open();
    await state.set('list', [1]);
    const added = [2];
    const all = await state.update((now) => {
      (now.list as number[]).push(9);
      now.other = 9;
      delete now.list;
      return { added };
    });
    added.push(9);
    expect(all).toEqual({ list: [1], added: [2] });
    (all.list as number[]).push(9);
    expect(await state.getAll()).toEqual({ list: [1], added: [2] });
  });
});

describe('field names', () => {
  it.each(hostileNames)('may be %j', async (name) => {
    const state = open();
    for (const value of [1, { deep: [name] }, undefined]) {
      await state.set(name, value);
      expect(await state.get(name, 'fallback')).toEqual(value);
      const all = await state.getAll();
      expect(Object.entries(all)).toEqual([[name, value]]);
      expect(Object.getPrototypeOf(all)).toBe(Object.prototype);
    }
    await state.delete(name);
    expect(await state.get(name)).toBeUndefined();
    expect(await state.getAll()).toEqual({});
  });

  it('may all be there at once, in an update by a function too', async () => {
    const storage = memory();
    const record = Object.fromEntries(hostileNames.map((name, index) => [name, [index]]));
    const state = open(storage);
    await state.update({ other: 1 });
    const all = await state.update(() => record);
    expect(all).toEqual({ ...record, other: 1 });
    expect(await open(storage).getAll()).toEqual({ ...record, other: 1 });
    for (const name of hostileNames) await state.delete(name);
    expect(await state.getAll()).toEqual({ other: 1 });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('a state class', () => {
  it('may have methods that use its calls', async () => {
    class Counter extends AsyncState<{ count: number }> {
      static readonly id = 'counter';
      readonly step = 2;
      async increment(): Promise<number> {
        const { count } = await this.update(({ count = 0 }) => ({ count: count + this.step }));
        return count ?? Number.NaN;
      }
    }
    const app = new QTasks({ storage: memory() });
    const increment = app.task('increment', { counter: Counter }, ({ counter }) =>
      counter.increment(),
    );
    expect(await Promise.all([increment(), increment()])).toHaveLength(2);
    expect(await app.state(Counter).increment()).toBe(6);
  });

  it('shares its data between tasks, sessions apart', async () => {
    const app = new QTasks({ storage: memory() });
    const write = app.task('write', { state: Any }, ({ state }, value: number) =>
      state.set('a', value),
    );
    const read = app.task('read', { state: Any }, ({ state }) => state.get('a', 'nothing'));
    await write(1);
    await app.session('s').run(write, 2);
    expect(await read()).toBe(1);
    expect(await app.session('s').run(read)).toBe(2);
    expect(await app.session('other').run(read)).toBe('nothing');
    expect(await app.session('s').state(Any).get('a')).toBe(2);
  });

  it('is not constructed by hand', () => {
    expect(() => new Any()).toThrow(expect.objectContaining({ code: 'STATE_INVALID' }));
    open();
    expect(() => new Any()).toThrow(expect.objectContaining({ code: 'STATE_INVALID' }));
  });
});
