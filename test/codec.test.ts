/** The codec's promises: what round-trips, what is refused and where, and what damaged text does. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode, isPrimitive } from '../src/codec.js';
import { isQTasksError, QTasksError } from '../src/errors.js';

const roundTrip = (value: unknown): unknown => decode(encode(value, 'f'), 'f');

/** What went wrong in a call, which has to be an error of the library. */
function errorOf(call: () => unknown): QTasksError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(QTasksError);
    if (error instanceof QTasksError) return error;
  }
  throw new Error('nothing was thrown');
}

const keysOf = (value: object): string[] => Object.keys(value);
const tagOf = (value: unknown): string => Object.prototype.toString.call(value);
const bytesOf = (value: ArrayBuffer): string => Array.from(new Uint8Array(value)).join();
const bytesOfView = (view: ArrayBufferView): string =>
  Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)).join();

/** The contents of two values, side by side; `undefined` where they differ beyond repair. */
function contentsOf(a: object, b: object): [unknown[], unknown[]] | undefined {
  if (a instanceof Map && b instanceof Map) return [[...a].flat(), [...b].flat()];
  if (a instanceof Set && b instanceof Set) return [[...a], [...b]];
  if (a instanceof Date && b instanceof Date) return [[a.getTime()], [b.getTime()]];
  if (a instanceof URL && b instanceof URL) return [[a.href], [b.href]];
  if (a instanceof RegExp && b instanceof RegExp)
    return [
      [a.source, a.flags, a.lastIndex],
      [b.source, b.flags, b.lastIndex],
    ];
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) return [[bytesOf(a)], [bytesOf(b)]];
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) return [[bytesOfView(a)], [bytesOfView(b)]];
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return undefined;
  const keys = keysOf(a);
  if (JSON.stringify(keys) !== JSON.stringify(keysOf(b))) return undefined;
  return [keys.map((key) => Reflect.get(a, key)), keys.map((key) => Reflect.get(b, key))];
}

/**
 * Whether two values are the same but for being copies: kinds, prototypes, order, -0 and NaN, and
 * which objects are one and the same. It keeps its own list, so depth and cycles are no matter.
 */
function isSame(first: unknown, second: unknown): boolean {
  const pairs: [unknown, unknown][] = [[first, second]];
  const seen = new Map<object, object>();
  const seenBack = new Map<object, object>();
  for (const [a, b] of pairs) {
    if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) {
      if (!Object.is(a, b)) return false;
      continue;
    }
    if (seen.has(a) || seenBack.has(b)) {
      if (seen.get(a) !== b || seenBack.get(b) !== a) return false;
      continue;
    }
    seen.set(a, b);
    seenBack.set(b, a);
    if (a === b || tagOf(a) !== tagOf(b)) return false;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    const contents = contentsOf(a, b);
    if (!contents || contents[0].length !== contents[1].length) return false;
    contents[0].forEach((child, index) => {
      pairs.push([child, contents[1][index]]);
    });
  }
  return true;
}

const own = (key: string, value: unknown): object => Object.fromEntries([[key, value]]);
const bare = (fields: object): object => Object.assign(Object.create(null), fields);
const backing = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]).buffer;

function regexpAt(lastIndex: number): RegExp {
  const regexp = /a(?<b>c)/giu;
  regexp.lastIndex = lastIndex;
  return regexp;
}

function cyclic(): object {
  const root: Record<string, unknown> = { name: 'root' };
  const map = new Map<unknown, unknown>();
  const set = new Set<unknown>([root, map]);
  const list: unknown[] = [root, map, set];
  list.push(list);
  map.set(map, root).set(root, set).set('list', list);
  set.add(set);
  return Object.assign(root, { self: root, map, set, list });
}

function deep(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = [];
  for (let level = 1; level < levels; level++) value = wrap(value);
  return value;
}

const plain: [string, unknown][] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['zero', 0],
  ['a negative fraction', -1.5e-7],
  ['the largest number', Number.MAX_VALUE],
  ['the smallest number', Number.MIN_VALUE],
  ['an integer beyond the safe ones', 2 ** 60],
  ['an empty string', ''],
  ['a string', 'Ada "Lovelace"\n\u0000\u2028'],
  ['emoji', '👩‍👩‍👧'],
  ['a lone surrogate', 'a\ud800b'],
  ['a digit string', '123'],
  ['a null string', 'null'],
  ['a JSON string', '{"a":1}'],
  ['a string like the mark', '~1'],
  ['a string like a marked text', '~1[["undefined",["undefined"]]]'],
  ['a JSON string of one', '"~1"'],
  ['an empty object', {}],
  ['an empty array', []],
  ['nested data', { a: [1, { b: null, c: [true, 'x', []] }], d: { e: {} } }],
  ['equal strings in two places', ['x', 'x', { x: 'x' }]],
  ['own __proto__ data', own('__proto__', { polluted: 'yes' })],
  ['own __proto__ null', own('__proto__', null)],
  ['own __proto__ text', own('__proto__', 'x')],
  ['own constructor data', own('constructor', { prototype: { polluted: 'yes' } })],
  ['own length', own('length', 7)],
  ['own toJSON text', own('toJSON', 'not a function')],
  ['own hasOwnProperty', own('hasOwnProperty', 1)],
  ['own isPrototypeOf', own('isPrototypeOf', 1)],
  ['an empty key', own('', 1)],
  ['a key with a lone surrogate', own('\udfff', '\ud800')],
  ['keys in their order', { b: 1, a: 2, 10: 3, 9: 4 }],
  ['a frozen object', Object.freeze({ a: 1 })],
];

const rich: [string, unknown][] = [
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
  ['0 and -0 side by side', [0, -0, { a: 0, b: -0 }]],
  ['undefined in an object', { a: undefined, b: [undefined, null] }],
  ['NaN twice', [Number.NaN, Number.NaN]],
  ['a bigint', 123n],
  ['a long negative bigint', -(2n ** 200n)],
  ['0n', [0n, 1n, 0n]],
  ['a date', new Date(1_700_000_000_123)],
  ['a date before the year 0', new Date(-1e14)],
  ['the last date', new Date(8.64e15)],
  ['an invalid date', new Date(Number.NaN)],
  ['an empty map', new Map()],
  [
    'a map',
    new Map<unknown, unknown>([
      ['a', 1],
      [2, 'b'],
      [null, undefined],
      [Number.NaN, [0n]],
    ]),
  ],
  ['a map of maps with object keys', new Map([[new Map([[{ a: 1 }, [1]]]), new Map([[[], {}]])]])],
  [
    'a map with hostile keys',
    new Map([
      ['__proto__', 1],
      ['', 2],
      ['constructor', 3],
    ]),
  ],
  ['an empty set', new Set()],
  ['a set', new Set<unknown>([1, '1', { a: 1 }, { a: 1 }, Number.NaN, undefined])],
  ['a regexp', /a[/\]"]b/],
  ['a regexp with all flags', /^x/dgimsuy],
  ['a regexp with lastIndex', regexpAt(7)],
  ['an empty regexp', /(?:)/],
  ['a regexp of a line break', /\n/],
  ['a url', new URL('https://user:pw@example.com:8080/a%20b?q=ä&r=[]#~1')],
  ['an opaque url', new URL('data:text/plain,a "b"')],
  ['an array buffer', new Uint8Array([0, 1, 127, 128, 255]).buffer],
  ['an empty array buffer', new ArrayBuffer(0)],
  ['an array buffer of 1 byte', new Uint8Array([250]).buffer],
  ['an array buffer of 2 bytes', new Uint8Array([250, 251]).buffer],
  ['every byte', Uint8Array.from({ length: 256 }, (_, byte) => byte).buffer],
  ['Int8Array', new Int8Array([-128, 127])],
  ['Uint8Array', new Uint8Array([0, 255])],
  ['Uint8ClampedArray', new Uint8ClampedArray([0, 255])],
  ['Int16Array', new Int16Array([-32768, 32767])],
  ['Uint16Array', new Uint16Array([0, 65535])],
  ['Int32Array', new Int32Array([-(2 ** 31), 2 ** 31 - 1])],
  ['Uint32Array', new Uint32Array([0, 2 ** 32 - 1])],
  ['Float32Array', new Float32Array([-0, Number.NaN, 1.5, Number.NEGATIVE_INFINITY])],
  ['Float64Array', new Float64Array([-0, Number.NaN, Math.PI, Number.MIN_VALUE])],
  ['BigInt64Array', new BigInt64Array([-(2n ** 63n), 2n ** 63n - 1n])],
  ['BigUint64Array', new BigUint64Array([0n, 2n ** 64n - 1n])],
  ['an empty typed array', new Float64Array(0)],
  ['a part of a buffer', new Uint8Array(backing, 3, 4)],
  ['a subarray', new Uint16Array(backing).subarray(2, 5)],
  ['an object without prototype', bare({ a: 1, constructor: 2 })],
  ['an empty object without prototype', Object.create(null)],
  [
    'a __proto__ key without prototype',
    Object.create(null, Object.getOwnPropertyDescriptors(own('__proto__', 1))),
  ],
  ['own __proto__ rich data', own('__proto__', new Date(1))],
  ['own toJSON rich data', own('toJSON', new Date(1))],
  [
    'hostile keys around rich data',
    { constructor: new Set(), length: 1n, '': undefined, a: own('__proto__', Number.NaN) },
  ],
  ['a lone surrogate beside rich data', own('\ud800', ['\udc00', -0])],
  ['strings like slots and marks', ['[0]', '~1', 'undefined', 'NaN', undefined]],
  ['arrays like slots', [[0], [1], ['Date', ['x']], undefined]],
  ['an object in two places', ((shared) => ({ a: shared, b: shared, c: [shared] }))({ x: 1 })],
  ['an empty array in two places', ((shared) => [shared, shared])([])],
  ['a date in two places', ((shared) => [shared, shared])(new Date(5))],
  ['a buffer and a map in two places', ((a, b) => [a, b, a, b])(new ArrayBuffer(1), new Map())],
  ['an object as key and as value', ((shared) => new Map([[shared, shared]]))({ x: 1 })],
  [
    'an array within itself',
    ((list) => {
      list.push(list);
      return list;
    })([] as unknown[]),
  ],
  ['a map within itself', ((map) => map.set(map, map))(new Map())],
  ['a set within itself', ((set) => set.add(set))(new Set())],
  ['a cycle through everything', cyclic()],
];

describe('the plain form', () => {
  it.each(plain)('stores %s as the JSON that it is', (_, value) => {
    const text = encode(value, 'f');
    expect(text).toBe(JSON.stringify(value));
    expect(isSame(decode(text, 'f'), value) || isPrimitive(value)).toBe(true);
    if (isPrimitive(value)) expect(decode(text, 'f')).toBe(value);
  });

  it('reads JSON that others have written, with blanks and unusual numbers', () => {
    expect(decode(' { "a" : [1e2, -0] } ', 'f')).toEqual({ a: [100, -0] });
  });

  it('accepts a proxy of plain data, as reactive libraries make them', () => {
    const proxy = new Proxy({ a: new Proxy([1, 2], {}) }, {});
    expect(encode(proxy, 'f')).toBe('{"a":[1,2]}');
  });

  it('stores the value of an accessor', () => {
    const value = {
      get a() {
        return 1;
      },
    };
    expect(encode(value, 'f')).toBe('{"a":1}');
  });

  it('leaves out what is not enumerable', () => {
    const value = Object.defineProperties(
      { a: 1 },
      { hidden: { value: 2 }, [Symbol('s')]: { value: 3 } },
    );
    expect(Object.getOwnPropertyNames(roundTrip(value))).toEqual(['a']);
  });
});

describe('the marked form', () => {
  it.each(rich)('keeps %s', (_, value) => {
    const text = encode(value, 'f');
    expect(text.startsWith('~1[')).toBe(true);
    expect(isSame(decode(text, 'f'), value)).toBe(true);
  });

  it('is the one that the file documents', () => {
    expect(encode({ at: new Date(0), odd: new Set([Number.NaN]) }, 'f')).toBe(
      '~1[["Object",{"at":[1],"odd":[2]}],["Date",["1970-01-01T00:00:00.000Z"]],["Set",[[3]]],["number",["NaN"]]]',
    );
    expect(encode(new Map([['a', 1]]), 'f')).toBe('~1[["Map",["a",1]]]');
    expect(encode(/a/g, 'f')).toBe('~1[["RegExp",["a","g",0]]]');
    expect(encode(new Uint8Array([1, 2, 255]), 'f')).toBe(
      '~1[["Uint8Array",["\u0101\u0102\u01ff"]]]',
    );
    expect(encode(bare({ a: 1 }), 'f')).toBe('~1[["null",{"a":1}]]');
  });

  it('stores only the part of a buffer that a view shows', () => {
    const part = roundTrip(new Uint8Array(new ArrayBuffer(1000), 500, 3));
    expect(part).toBeInstanceOf(Uint8Array);
    if (part instanceof Uint8Array) {
      expect([part.byteOffset, part.length, part.buffer.byteLength]).toEqual([0, 3, 3]);
    }
  });

  it('gives two views of one buffer a buffer each', () => {
    const copy = roundTrip([new Uint8Array(backing, 0, 2), new Uint8Array(backing, 1, 2), backing]);
    const [a, b] = copy as [Uint8Array, Uint8Array];
    expect([[...a], [...b], a.buffer === b.buffer]).toEqual([[1, 2], [2, 3], false]);
  });

  it('keeps a lastIndex that is no number', () => {
    const regexp = /a/g;
    Reflect.set(regexp, 'lastIndex', -0);
    expect(Reflect.get(Object(roundTrip(regexp)), 'lastIndex')).toBe(-0);
  });

  it('reads an accessor once and keeps what it gave', () => {
    let reads = 0;
    const value = {
      get now() {
        reads += 1;
        return new Date(reads);
      },
      gap: undefined,
    };
    const copy = roundTrip(value) as { now: Date };
    expect(copy.now.getTime()).toBe(reads);
  });

  it('recognises objects of another realm by their shape', () => {
    const root = Object.create(null, Object.getOwnPropertyDescriptors(Object.prototype));
    const foreign = (value: object, { prototype }: { prototype: object }): object =>
      Object.setPrototypeOf(
        value,
        Object.create(root, Object.getOwnPropertyDescriptors(prototype)),
      );
    const map = foreign(new Map([[1, foreign([1, undefined], Array)]]), Map);
    const value = Object.setPrototypeOf({ map }, root);
    expect(isSame(roundTrip(value), { map: new Map([[1, [1, undefined]]]) })).toBe(true);
  });

  it('keeps its text well-formed UTF-16, so that UTF-8 carries it', () => {
    for (const value of [
      '\ud800',
      own('\udc00', undefined),
      new Map([['\ud800', '\udfff']]),
      /[\ud800]/,
    ]) {
      expect(encode(value, 'f')).not.toMatch(/[\ud800-\udfff]/);
    }
  });
});

describe('depth and length', () => {
  it.each<[string, (inner: unknown) => unknown]>([
    ['arrays', (inner) => [inner]],
    ['objects', (inner) => ({ a: inner })],
    ['maps', (inner) => new Map([[inner, 1]])],
    ['sets', (inner) => new Set([inner])],
    ['arrays beside undefined', (inner) => [undefined, inner]],
  ])('keeps %s nested 100,000 levels deep', (_, wrap) => {
    const value = deep(100_000, wrap);
    expect(isSame(roundTrip(value), value)).toBe(true);
  });

  it('tells the path of a function at level 100,000', () => {
    let value: unknown = () => {};
    for (let level = 1; level < 100_000; level++) value = [value];
    const error = errorOf(() => encode(value, 'f'));
    expect(error.code).toBe('VALUE_UNSUPPORTED');
    expect(error.data).toHaveProperty('path.length', 100_000);
    expect(error.message.length).toBeLessThan(1000);
  });

  it.each([
    ['array', Array.from({ length: 300_000 }, (_, index) => (index ? index : undefined))],
    ['set', new Set(Array.from({ length: 300_000 }, (_, index) => index))],
    ['map', new Map(Array.from({ length: 300_000 }, (_, index) => [index, `${index}`]))],
    ['buffer', new Uint8Array(300_001).fill(77).buffer],
    ['typed array', Float64Array.from({ length: 30_000 }, (_, index) => Math.sin(index))],
  ])('keeps a long %s', (_, value) => {
    expect(isSame(roundTrip(value), value)).toBe(true);
  });
});

class Account {
  owner = 'Ada';
}
class Registry extends Map {}
class List extends Array {}
class Moment extends Date {}
class Bytes extends Uint8Array {}
/** An instance of a class that claims another kind and has the methods of it. */
function pretend(kind: string): object {
  class Pretender {
    get [Symbol.toStringTag]() {
      return kind;
    }
    get href() {
      return 'a:b';
    }
    get source() {
      return 'a';
    }
    get flags() {
      return '';
    }
    toJSON() {
      return this.toISOString();
    }
    toISOString() {
      return '1970-01-01T00:00:00.000Z';
    }
    slice() {
      return new ArrayBuffer(1);
    }
    *[Symbol.iterator]() {
      yield [1, 2];
    }
  }
  return new Pretender();
}
class Rootless {
  a = 1;
}
Object.setPrototypeOf(Rootless.prototype, null);

const thrower = Object.defineProperty({}, 'bad', {
  enumerable: true,
  get: () => {
    throw new RangeError('from the getter');
  },
});
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const endless: object = new Proxy({}, { getPrototypeOf: () => endless });
const withExtra = <T extends object>(value: T): T => Object.assign(value, { extra: 1 });
const withSymbol = <T extends object>(value: T): T => Object.assign(value, { [Symbol('s')]: 1 });
function argumentsOf(..._: unknown[]): unknown {
  // biome-ignore lint/complexity/noArguments: it is what the test is about
  return arguments;
}

const unsupported: [string, unknown, RegExp][] = [
  ['a function', () => {}, /function/],
  ['a class', Account, /function/],
  [
    'a function with the prototype of objects',
    Object.setPrototypeOf(() => {}, Object.prototype),
    /function/,
  ],
  ['a symbol', Symbol('secret'), /symbol/],
  ['a well-known symbol', Symbol.iterator, /symbol/],
  ['a class instance', new Account(), /Account/],
  ['an instance of a class without root', new Rootless(), /Rootless/],
  ['an object with a made-up prototype', Object.create({ a: 1 }), /Object/],
  ['an object whose prototype has none', Object.create(Object.create(null)), /Object/],
  ['a promise', Promise.resolve(), /Promise/],
  ['an error', new TypeError('x'), /TypeError/],
  ['a DataView', new DataView(new ArrayBuffer(1)), /DataView/],
  ['a WeakMap', new WeakMap(), /WeakMap/],
  ['a WeakSet', new WeakSet(), /WeakSet/],
  ['a WeakRef', new WeakRef({}), /WeakRef/],
  ['a boxed string', Object('x'), /String/],
  ['a boxed number', Object(1), /Number/],
  ['a boxed boolean', Object(true), /Boolean/],
  ['a boxed bigint', Object(1n), /BigInt/],
  ['a boxed symbol', Object(Symbol('s')), /Symbol/],
  ['a subclass of Map', new Registry(), /Registry/],
  ['a subclass of Array', List.from([1]), /List/],
  ['a subclass of Date', new Moment(0), /Moment/],
  ['a subclass of Uint8Array', new Bytes(1), /Bytes/],
  ...['Map', 'Set', 'Date', 'URL', 'RegExp', 'ArrayBuffer', 'Array'].map(
    (kind): [string, unknown, RegExp] => [
      `what only claims the kind ${kind}`,
      pretend(kind),
      kind === 'Array' ? /instance of Pretender/ : /throws/,
    ],
  ),
  ['a prototype for a Map', Object.create(Map.prototype), /throws/],
  ['a prototype for a Date', Object.create(Date.prototype), /Date/],
  ['a prototype for a URL', Object.create(URL.prototype), /throws/],
  ['a prototype for an ArrayBuffer', Object.create(ArrayBuffer.prototype), /throws/],
  ['a prototype for an Array', Object.create(Array.prototype), /Array/],
  ['a proxy of a Map', new Proxy(new Map(), {}), /throws/],
  ['a proxy of a Date', new Proxy(new Date(), {}), /Date/],
  ['a proxy of a class instance', new Proxy(new Account(), {}), /Account/],
  ['a proxy of a function', new Proxy(() => {}, {}), /function/],
  ['a revoked proxy', revoked.proxy, /throws/],
  ['a proxy with endless prototypes', endless, /throws/],
  ['a generator', (function* () {})(), /Generator/],
  ['an iterator of a map', new Map().values(), /Iterator|Object/],
  ['the arguments of a function', argumentsOf(1, 2), /Object/],
  ['Math', Math, /Object/],
  ['a toJSON method', { toJSON: () => 1 }, /toJSON/],
  ['a hidden toJSON method', Object.defineProperty({}, 'toJSON', { value: () => 1 }), /toJSON/],
  ['a toJSON method without prototype', bare({ toJSON: () => 1 }), /toJSON/],
  ['a symbol key', withSymbol({ a: 1 }), /symbol/],
  ['a symbol key of an array', withSymbol([1]), /symbol/],
  ['a symbol key of a map', withSymbol(new Map()), /symbol/],
  // biome-ignore lint/suspicious/noSparseArray: it is what the test is about
  ['a hole', [1, , 3], /holes/],
  ['an array of holes alone', new Array(3), /holes/],
  ['a very long array of holes', new Array(2 ** 32 - 1), /holes/],
  ['a hole at the end', Object.assign([1], { length: 2 }), /holes/],
  // biome-ignore lint/suspicious/noSparseArray: it is what the test is about
  ['a hole that an extra property makes up for', withExtra([1, , 3]), /holes|extra/],
  ['an extra property of an array', withExtra([1]), /extra/],
  ['an extra property of an array with rich data', withExtra([undefined]), /extra/],
  ['an extra property of a map', withExtra(new Map()), /extra/],
  ['an extra property of a set', withExtra(new Set()), /extra/],
  ['an extra property of a date', withExtra(new Date(0)), /extra/],
  ['an extra property of a regexp', withExtra(/x/), /extra/],
  ['an extra property of a url', withExtra(new URL('a:b')), /extra/],
  ['an extra property of a buffer', withExtra(new ArrayBuffer(1)), /extra/],
  ['a getter that throws', thrower, /throws/],
  ...(typeof SharedArrayBuffer === 'undefined'
    ? []
    : ([
        ['a SharedArrayBuffer', new SharedArrayBuffer(1), /SharedArrayBuffer/],
        ['a view of shared memory', new Uint8Array(new SharedArrayBuffer(1)), /throws/],
      ] satisfies [string, unknown, RegExp][])),
];

const places: [string, (bad: unknown) => unknown, (string | number)[]][] = [
  ['itself', (bad) => bad, ['cart']],
  ['an object', (bad) => ({ items: [1, 2, 3, { price: bad }] }), ['cart', 'items', 3, 'price']],
  ['an object beside rich data', (bad) => ({ a: [-0], b: { 7: bad } }), ['cart', 'b', '7']],
  ['an object without prototype', (bad) => bare({ a: 1, b: bad }), ['cart', 'b']],
  ['a hostile key', (bad) => own('__proto__', own('', bad)), ['cart', '__proto__', '']],
  ['a member of a set', (bad) => new Set(['a', 'b', bad]), ['cart', 2]],
  [
    'a key of a map',
    (bad) =>
      new Map([
        ['a', 1],
        [bad, 2],
      ] as [unknown, unknown][]),
    ['cart', 1, 0],
  ],
  [
    'a value of a map',
    (bad) => ({
      m: new Map([
        ['a', 1],
        ['b', { c: bad }],
      ] as [unknown, unknown][]),
    }),
    ['cart', 'm', 1, 1, 'c'],
  ],
  ['an array of maps', (bad) => [[], [new Map([[bad, 1]])]], ['cart', 1, 0, 0, 0]],
];

describe('what is not supported', () => {
  it.each(unsupported)('refuses %s', (_, value, naming) => {
    const error = errorOf(() => encode({ items: [1, value] }, 'cart'));
    expect(error.code).toBe('VALUE_UNSUPPORTED');
    expect(error.data).toEqual({ path: ['cart', 'items', 1] });
    expect(error.message).toMatch(naming);
    expect(error.message).toContain('cart.items.1');
  });

  it.each(places)('tells where: %s', (_, place, path) => {
    for (const bad of [() => {}, Symbol('s'), new Account(), new WeakMap(), { toJSON() {} }]) {
      expect(errorOf(() => encode(place(bad), 'cart')).data).toEqual({ path });
    }
  });

  it('keeps the error of a getter as the cause', () => {
    const error = errorOf(() => encode({ a: thrower }, 'f'));
    expect(error.cause).toEqual(new RangeError('from the getter'));
    expect(error.message).not.toContain('from the getter');
  });

  it('gives no cause where nothing was thrown', () => {
    expect('cause' in errorOf(() => encode(() => {}, 'f'))).toBe(false);
  });

  it('refuses a detached buffer and its view', () => {
    const buffer = new ArrayBuffer(8);
    const view = new Uint8Array(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    for (const value of [buffer, view]) {
      expect(errorOf(() => encode([value], 'f')).data).toEqual({ path: ['f', 0] });
    }
  });

  it('never quotes a value in a message', () => {
    for (const value of [
      Symbol('secret'),
      Object('secret'),
      [withExtra(['secret'])],
      new Error('secret'),
    ]) {
      expect(errorOf(() => encode({ a: value, b: 'secret' }, 'f')).message).not.toContain('secret');
    }
  });
});

/** Texts that no encode makes. */
const damaged: [string, string][] = [
  ['nothing', ''],
  ['a blank', ' '],
  ['a mark alone', '~'],
  ['a mark and version alone', '~1'],
  ['a newer version', '~2[["undefined",["undefined"]]]'],
  ['a longer version', '~10'],
  ['no version', '~[["undefined",["undefined"]]]'],
  ['another mark', '!1[]'],
  ['a blank before the mark', ' ~1[["Map",[]]]'],
  ['undefined', 'undefined'],
  ['NaN', 'NaN'],
  ['single quotes', "'a'"],
  ['truncated JSON', '{"a":1'],
  ['two values', '1 2'],
  ['a byte order mark', '\ufeff1'],
  ['a truncated table', '~1[["Map",["a",1'],
  ['no table', '~1null'],
  ['a number as table', '~15'],
  ['a string as table', '~1"Map"'],
  ['an object as table', '~1{"0":["Map",[]],"length":1}'],
  ['an empty table', '~1[]'],
  ['a node that is null', '~1[null]'],
  ['a node that is a number', '~1[5]'],
  ['a node that is an object', '~1[{"a":1}]'],
  ['an empty node', '~1[[]]'],
  ['a node without content', '~1[["Map"]]'],
  ['null as content', '~1[["Map",null]]'],
  ['null as the content of an object', '~1[["Object",null]]'],
  ['an object as the content of a map', '~1[["Map",{}]]'],
  ['an object as the content of an array', '~1[["Array",{}]]'],
  ['an array as the content of an object', '~1[["Object",[]]]'],
  ['an array as the content of null', '~1[["null",[]]]'],
  ['a string as the content of an object', '~1[["Object","ab"]]'],
  ['a number as the content of an object', '~1[["Object",5]]'],
  ['a string as the content of a date', '~1[["Date","1970-01-01"]]'],
  ['an unknown kind', '~1[["Promise",[]]]'],
  ['a kind by another name', '~1[["[object Map]",[]]]'],
  ['a kind of Object.prototype', '~1[["constructor",[]]]'],
  ['the kind __proto__', '~1[["__proto__",{}]]'],
  ['a kind that is null', '~1[[null,{}]]'],
  ['a kind that is an array', '~1[[["Map"],[]]]'],
  ['a node out of range', '~1[["Array",[[1]]]]'],
  ['a negative node', '~1[["Array",[[-1]]]]'],
  ['a fractional node', '~1[["Array",[[0.5]]]]'],
  ['an endless node', '~1[["Array",[[1e999]]]]'],
  ['a node by string', '~1[["Array",[["0"]]]]'],
  ['a node by name', '~1[["Array",[["length"]]]]'],
  ['a node that is not a number', '~1[["Array",[[null]]]]'],
  ['a slot without node', '~1[["Array",[[]]]]'],
  ['a slot within a slot', '~1[["Array",[[[0]]]]]'],
  ['a slot that is an object', '~1[["Array",[{"0":0}]]]'],
  ['a slot out of range in __proto__', '~1[["Object",{"__proto__":[9]}]]'],
  ['a slot that is an object in __proto__', '~1[["Object",{"__proto__":{"polluted":1}}]]'],
  ['a bigint of letters', '~1[["bigint",["x"]]]'],
  ['no bigint', '~1[["bigint",[]]]'],
  ['a regexp with an open group', '~1[["RegExp",["(","",0]]]'],
  ['a regexp with unknown flags', '~1[["RegExp",["a","?",0]]]'],
  ['a url without scheme', '~1[["URL",["nowhere"]]]'],
  ['no url', '~1[["URL",[]]]'],
  ['bytes that fill no number', '~1[["Float64Array",["\u0100\u0100\u0100"]]]'],
];

describe('damaged text', () => {
  it.each(damaged)('is STORAGE_CORRUPT: %s', (_, text) => {
    const error = errorOf(() => decode(text, 'cart'));
    expect(error.code).toBe('STORAGE_CORRUPT');
    expect(error.message).toContain('"cart"');
  });

  it('is never quoted, not even by a cause', () => {
    const error = errorOf(() => decode('{"password":"secret', 'f'));
    expect(`${error.message} ${JSON.stringify(error.data)}`).not.toContain('secret');
    expect(error.cause).toBeUndefined();
  });

  it('sets no prototype where a key is __proto__', () => {
    const copy = Object(
      decode('~1[["Object",{"__proto__":[1]}],["Object",{"polluted":true}]]', 'f'),
    );
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(Object.keys(copy)).toEqual(['__proto__']);
    expect(copy.polluted).toBeUndefined();
    const fromJson = Object(decode('{"__proto__":{"polluted":true}}', 'f'));
    expect(Object.keys(fromJson)).toEqual(['__proto__']);
    expect(fromJson.polluted).toBeUndefined();
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

describe('copies', () => {
  it('gives a fresh copy with each decode', () => {
    for (const [, value] of [...plain, ...rich]) {
      if (isPrimitive(value)) continue;
      const text = encode(value, 'f');
      expect(decode(text, 'f')).not.toBe(decode(text, 'f'));
    }
  });

  it('does not see what happens to a buffer afterwards', () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const text = encode(bytes, 'f');
    bytes.fill(9);
    expect(decode(text, 'f')).toEqual(new Uint8Array([1, 2, 3]));
  });
});

describe('isPrimitive', () => {
  it.each([null, undefined, true, false, 0, Number.NaN, '', 'x', 0n])('is true for %s', (value) => {
    expect(isPrimitive(value)).toBe(true);
  });

  it.each([
    [{}],
    [[]],
    [new Date()],
    [() => {}],
    [Object(1)],
    [Symbol('s')],
    [Object.create(null)],
  ])('is false for anything that is not one: %#', (value) => {
    expect(isPrimitive(value)).toBe(false);
  });
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', 'constructor', 'length', 'toJSON', '', '~1', '\ud800', '[0]', '1'),
);
const bytes = fc.uint8Array({ maxLength: 24 });
const views = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];
const leaf: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, undefined, -0, Number.NaN),
  fc.bigInt(),
  fc.date({ noInvalidDate: false }),
  fc.webUrl().map((href) => new URL(href)),
  fc
    .tuple(
      fc.constantFrom('a', '[/]', '(?:)', '\\n'),
      fc.subarray(['g', 'i', 'm', 's', 'y']),
      fc.nat(9),
    )
    .map(([source, flags, lastIndex]) =>
      Object.assign(new RegExp(source, flags.join('')), { lastIndex }),
    ),
  bytes.map((all) => all.slice().buffer),
  fc
    .tuple(fc.constantFrom(...views), fc.nat(3), fc.nat(3))
    .map(
      ([View, offset, length]) =>
        new View(
          backing,
          (offset % (16 / View.BYTES_PER_ELEMENT)) * View.BYTES_PER_ELEMENT,
          Math.min(length, 16 / View.BYTES_PER_ELEMENT - (offset % (16 / View.BYTES_PER_ELEMENT))),
        ),
    ),
);

/** How one container of a graph is made: its kind, and what it holds by number. */
interface Recipe {
  kind: 'object' | 'null' | 'array' | 'map' | 'set';
  content: { key: string; child: number; as: number }[];
}

/** Builds containers that hold leaves and each other, in whatever circles. */
function build(recipes: Recipe[], leaves: unknown[]): unknown {
  const made = recipes.map(({ kind }): unknown => {
    if (kind === 'map') return new Map();
    if (kind === 'set') return new Set();
    if (kind === 'array') return [];
    return kind === 'null' ? Object.create(null) : {};
  });
  const all = [...made, ...leaves];
  recipes.forEach(({ content }, index) => {
    const target = made[index];
    for (const { key, child, as } of content) {
      const value = all[child % all.length];
      if (target instanceof Map) target.set(all[as % all.length], value);
      else if (target instanceof Set) target.add(value);
      else if (Array.isArray(target)) target.push(value);
      else
        Object.defineProperty(target, key, {
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        });
    }
  });
  return all[0];
}

const graph = fc
  .tuple(
    fc.array(
      fc.record<Recipe>({
        kind: fc.constantFrom('object', 'null', 'array', 'map', 'set'),
        content: fc.array(fc.record({ key: text, child: fc.nat(20), as: fc.nat(20) }), {
          maxLength: 5,
        }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    fc.array(leaf, { minLength: 1, maxLength: 8 }),
  )
  .map(([recipes, leaves]) => build(recipes, leaves));

const tree: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc
      .array(fc.tuple(text, tie('tree')), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries)),
    fc
      .array(fc.tuple(tie('tree'), tie('tree')), { maxLength: 3 })
      .map((entries) => new Map(entries)),
    fc.array(tie('tree'), { maxLength: 3 }).map((members) => new Set(members)),
  ),
})).tree;
const json = fc.oneof(
  fc.jsonValue(),
  fc.jsonValue({ noUnicodeString: false }),
  fc.array(fc.tuple(text, fc.jsonValue())).map((entries) => Object.fromEntries(entries)),
);
const anything = fc.oneof(tree, graph, json, leaf);

/** Whether JSON gives the same back; it cannot for a value that it cannot write. */
function isExactJson(value: unknown): boolean {
  try {
    const copy: unknown = JSON.parse(JSON.stringify(value));
    return isSame(copy, value);
  } catch {
    return false;
  }
}

describe('properties', () => {
  it('round-trips every value with kinds, prototypes, order and shared references', async () => {
    await fc.assert(
      fc.property(anything, (value) => isSame(roundTrip(value), value)),
      { numRuns: 2000 },
    );
  });

  it('uses the plain form exactly where JSON carries the value', async () => {
    await fc.assert(
      fc.property(anything, (value) => {
        const encoded = encode(value, 'f');
        return isExactJson(value) ? encoded === JSON.stringify(value) : encoded.startsWith('~1');
      }),
      { numRuns: 2000 },
    );
  });

  it('gives any text back as a value or as STORAGE_CORRUPT', async () => {
    const piece = fc.constantFrom(
      '~1',
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"',
      '0',
      '1',
      '-',
      '"Map"',
      '"Object"',
      '"Array"',
      '"Set"',
      '"Date"',
      '"RegExp"',
      '"__proto__":',
      'null',
      '[0]',
      '[1]',
      '[[',
      ']]',
    );
    const soup = fc.array(piece, { maxLength: 30 }).map((pieces) => `~1${pieces.join('')}`);
    await fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), soup), (raw) => {
        try {
          decode(raw, 'f');
        } catch (error) {
          expect(isQTasksError(error, 'STORAGE_CORRUPT')).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('gives any forged table back as a value or as STORAGE_CORRUPT, and pollutes nothing', async () => {
    const before = Object.getOwnPropertyNames(Object.prototype).join();
    const kinds = [
      'Object',
      'null',
      'Array',
      'Map',
      'Set',
      'RegExp',
      'Date',
      'URL',
      'undefined',
      'number',
      'bigint',
      'ArrayBuffer',
      'Float64Array',
      'x',
    ];
    const slot = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.tuple(fc.integer({ min: -1, max: 6 })),
      text,
    );
    const record = fc
      .array(fc.tuple(text, slot), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries));
    const node = fc.tuple(
      fc.constantFrom(...kinds),
      fc.oneof(fc.array(slot, { maxLength: 4 }), record, slot),
    );
    await fc.assert(
      fc.property(fc.array(node, { maxLength: 6 }), (table) => {
        try {
          decode(`~1${JSON.stringify(table)}`, 'f');
        } catch (error) {
          expect(isQTasksError(error, 'STORAGE_CORRUPT')).toBe(true);
        }
        expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before);
      }),
      { numRuns: 3000 },
    );
  });

  it('gives a mutated encoding back as a value or as STORAGE_CORRUPT', async () => {
    await fc.assert(
      fc.property(
        anything,
        fc.nat(),
        fc.nat(3),
        fc.string({ maxLength: 2 }),
        (value, at, cut, put) => {
          const encoded = encode(value, 'f');
          const from = at % (encoded.length + 1);
          try {
            decode(encoded.slice(0, from) + put + encoded.slice(from + cut), 'f');
          } catch (error) {
            expect(isQTasksError(error, 'STORAGE_CORRUPT')).toBe(true);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('neither changes a value nor keeps hold of it', async () => {
    await fc.assert(
      fc.property(anything, (value) => {
        const encoded = encode(value, 'f');
        // What was decoded is another object in every place: isSame refuses one that is not.
        expect(isSame(decode(encoded, 'f'), value)).toBe(true);
        expect(encode(value, 'f')).toBe(encoded);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives the same text for a decoded value as for the value', async () => {
    await fc.assert(
      fc.property(anything, (value) => {
        const encoded = encode(value, 'f');
        expect(encode(decode(encoded, 'f'), 'f')).toBe(encoded);
      }),
      { numRuns: 2000 },
    );
  });
});
