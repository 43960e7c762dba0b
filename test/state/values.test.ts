/** Values through a state: each keeps its type wherever it stands, and what cannot is refused before a write. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { AsyncState, QTasks } from '../../src/index.js';
import { answerAfter, FaultyStorage, gate } from '../support/faulty.js';

class Any extends AsyncState<Record<string, unknown>> {
  static readonly id = 'any';
}

const open = (storage = memory()): Any => new QTasks({ name: 'app', storage }).state(Any);

const supported: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['true', true],
  ['a number', 1.5e300],
  ['a string', 'a\0"\ud800🙂'],
  ['a string that looks like JSON', '{"a":1}'],
  ['a string that looks encoded', '~1[["undefined",["undefined"]]]'],
  ['an object', { a: { b: [] } }],
  ['an array', [[1, [2]], {}]],
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
  ['a BigInt', -(2n ** 70n)],
  ['a Date', new Date(1e12)],
  ['an invalid Date', new Date(Number.NaN)],
  ['a Map', new Map<unknown, unknown>([[{ key: 1 }, new Map([[Number.NaN, undefined]])]])],
  ['a Set', new Set<unknown>([1, '1', [1], new Set()])],
  ['a RegExp', /a\/b/giu],
  ['a URL', new URL('https://example.com/a?b#c')],
  ['an ArrayBuffer', new Uint8Array([0, 127, 255]).buffer],
  ['an Int8Array', new Int8Array([-1, 2])],
  ['a Uint8Array', new Uint8Array([0, 255])],
  ['a Uint8ClampedArray', new Uint8ClampedArray([1, 999])],
  ['an Int16Array', new Int16Array([-300])],
  ['a Uint16Array', new Uint16Array([65_535])],
  ['an Int32Array', new Int32Array([-1])],
  ['a Uint32Array', new Uint32Array([2 ** 32 - 1])],
  ['a Float32Array', new Float32Array([0.5, Number.NaN])],
  ['a Float64Array', new Float64Array([0.1, -0])],
  ['a BigInt64Array', new BigInt64Array([-1n])],
  ['a BigUint64Array', new BigUint64Array([2n ** 64n - 1n])],
  ['a part of a buffer', new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
];

describe('a value', () => {
  it.each(supported)('that is %s keeps its type', async (_, value) => {
    const storage = memory();
    const [state, other] = [open(storage), open(storage)];
    await state.set('a', value);
    for (const reader of [state, other]) {
      expect(await reader.get('a', 'fallback')).toStrictEqual(value);
      expect(await reader.getAll()).toStrictEqual({ a: value });
      expect(await reader.update(({ a }) => ({ b: a }))).toStrictEqual({ a: value, b: value });
      await reader.delete('b');
    }
  });

  it.each(supported)('that is %s keeps its type inside others', async (_, value) => {
    const state = open();
    const nested = {
      list: [value, [value]],
      map: new Map([
        ['value', value],
        ['deep', new Map([['value', value]])],
      ]),
      keys: new Map([[value, 'key']]),
      set: new Set([value, new Set([value])]),
      record: { deep: { value } },
    };
    await state.update(nested);
    expect(await state.getAll()).toStrictEqual(nested);
    await state.set('all', nested);
    expect(await state.get('all')).toStrictEqual(nested);
  });

  it.each(supported)('that is %s keeps its type beside a cycle', async (_, value) => {
    const state = open();
    const cycle: Record<string, unknown> = { value, list: [value] };
    cycle.self = cycle;
    cycle.map = new Map([['cycle', cycle]]);
    await state.set('cycle', cycle);
    const copy = Object(await state.get('cycle'));
    expect(copy).not.toBe(cycle);
    expect(copy.self).toBe(copy);
    expect(copy.map.get('cycle')).toBe(copy);
    expect([copy.value, copy.list]).toStrictEqual([value, [value]]);
  });

  it('that stands in two places of a field is one again, in two fields it is two', async () => {
    const state = open();
    const shared = { a: 1 };
    await state.update({ pair: [shared, shared], one: shared, other: shared });
    const { pair, one, other } = await state.getAll();
    const [first, second] = pair as unknown[];
    expect(first).toBe(second);
    expect(one).not.toBe(other);
    expect(first).not.toBe(one);
  });
});

class Point {
  readonly x = 1;
}

const unsupported: readonly (readonly [string, () => unknown])[] = [
  ['a function', () => () => {}],
  ['a class', () => Point],
  ['a symbol', () => Symbol('s')],
  ['a class instance', () => new Point()],
  ['a promise', () => Promise.resolve(1)],
  ['an error', () => new Error('e')],
  ['a DataView', () => new DataView(new ArrayBuffer(1))],
  ['a sparse array', () => Object.assign([1], { length: 2 })],
  ['a boxed number', () => Object(1)],
  ['a boxed string', () => Object('s')],
  ['a boxed BigInt', () => Object(1n)],
  ['a WeakMap', () => new WeakMap()],
  ['an instance of a subclass of Map', () => new (class extends Map {})()],
  ['an array with a property', () => Object.assign([1], { extra: 1 })],
  ['an object with a symbol', () => ({ [Symbol('s')]: 1 })],
];

describe('an unsupported value', () => {
  it.each(unsupported)(
    'like %s is refused with its path, and nothing is written',
    async (_, make) => {
      const storage = new FaultyStorage();
      const state = open(storage);
      const calls: readonly (readonly [() => Promise<unknown>, unknown[]])[] = [
        [() => state.set('a', make()), ['a']],
        [() => state.set('a', { list: [0, make()] }), ['a', 'list', 1]],
        [() => state.set('a', new Map([['key', make()]])), ['a', 0, 1]],
        [() => state.set('a', new Set([0, make()])), ['a', 1]],
        [() => state.update({ good: 1, a: [make()] }), ['a', 0]],
        [() => state.update(() => ({ good: 1, a: [make()] })), ['a', 0]],
      ];
      for (const [call, path] of calls) {
        await expect(call()).rejects.toMatchObject({ code: 'VALUE_UNSUPPORTED', data: { path } });
      }
      expect(storage.commits).toEqual([]);
      expect(await state.getAll()).toEqual({});
    },
  );

  it('fails its call alone among those of the moment', async () => {
    const storage = new FaultyStorage();
    const state = open(storage);
    const { opened, open: go } = gate();
    storage.nextCommits.push(answerAfter(() => opened));
    const good = [state.set('a', 1), state.update({ b: 1 }), state.update(() => ({ c: 1 }))];
    const bad = [
      state.set('d', () => {}),
      state.update({ e: 1, f: () => {} }),
      state.update(() => ({ g: 1, h: () => {} })),
    ];
    const settled = Promise.allSettled([...good, ...bad]);
    go();
    expect((await settled).map(({ status }) => status)).toEqual([
      ...good.map(() => 'fulfilled'),
      ...bad.map(() => 'rejected'),
    ]);
    expect(await state.getAll()).toEqual({ a: 1, b: 1, c: 1 });
  });

  it('never runs a getter or method that the value brings beyond what reading takes', async () => {
    const state = open();
    const called: string[] = [];
    const value = {
      toJSON: () => called.push('toJSON'),
      valueOf: () => called.push('valueOf'),
    };
    await expect(state.set('a', value)).rejects.toMatchObject({ code: 'VALUE_UNSUPPORTED' });
    const proxy = new Proxy(new Point(), {});
    await expect(state.set('a', proxy)).rejects.toMatchObject({ code: 'VALUE_UNSUPPORTED' });
    expect(called).toEqual([]);
  });

  it('that throws when it is read keeps the error as its cause', async () => {
    const cause = new Error('from a getter');
    const value = Object.defineProperty({}, 'get', {
      enumerable: true,
      get: () => {
        throw cause;
      },
    });
    await expect(open().set('a', [value])).rejects.toMatchObject({
      code: 'VALUE_UNSUPPORTED',
      data: { path: ['a', 0] },
      cause,
    });
  });
});
