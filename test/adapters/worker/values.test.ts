/** What is copied as a message would copy it, and what is said of the rest. */
import { describe, expect, it } from 'vitest';
import { cloneValue, type Passage } from '../../../adapters/worker/values.js';
import { isQTasksError } from '../../../src/index.js';

const save: Passage = { task: 'save', from: 'args' };

/** What a value is refused with. */
function refusal(value: unknown, passage: Passage = save) {
  try {
    cloneValue(value, passage);
  } catch (error) {
    if (isQTasksError(error, 'VALUE_UNSUPPORTED')) return error;
    throw error;
  }
  throw new Error('it was copied');
}

/** An object that refuses to be read. */
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

class Cart {
  items = ['tea'];
  total(): number {
    return this.items.length;
  }
}

describe('a value is copied', () => {
  it.each([
    ['a record', { a: [1, { b: null }], c: undefined }],
    ['a Date', new Date(7)],
    ['a RegExp', /a/gi],
    ['a Map with a Set', new Map([['a', new Set([1n, Number.NaN])]])],
    ['bytes', new Uint8Array([1, 2, 3])],
    ['an own __proto__', JSON.parse('{ "__proto__": { "a": 1 } }')],
    ['a primitive', 'text'],
  ])('with its type: %s', (_name, value) => {
    const copy = cloneValue(value, save);
    expect(copy).toStrictEqual(value);
    if (typeof value === 'object') expect(copy).not.toBe(value);
  });

  it('with what it shares and its cycles', () => {
    const shared = { a: 1 };
    const value: { list: object[]; self?: object } = { list: [shared, shared] };
    value.self = value;
    const copy = cloneValue(value, save) as typeof value;
    expect(copy.self).toBe(copy);
    expect(copy.list[0]).toBe(copy.list[1]);
    expect(copy.list[0]).not.toBe(shared);
  });

  it('without its class: an instance becomes a plain object', () => {
    const copy = cloneValue(new Cart(), save);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(copy).toEqual({ items: ['tea'] });
  });

  it('but moved where the list says so', () => {
    const buffer = new Uint8Array([1, 2, 3]).buffer;
    const [copy] = cloneValue([buffer], { ...save, transfer: [buffer] }) as [ArrayBuffer];
    expect(buffer.byteLength).toBe(0);
    expect([...new Uint8Array(copy)]).toEqual([1, 2, 3]);
  });
});

describe('plain data behind proxies is copied', () => {
  it('where it is small', () => {
    const user = new Proxy({ tags: new Proxy(['a', 'b'], {}) }, {});
    expect(cloneValue([{ user }], { from: 'args' })).toEqual([{ user: { tags: ['a', 'b'] } }]);
  });

  it('where it is large', () => {
    const many = Array.from({ length: 1_000 }, () => new Proxy({ at: [1] }, {}));
    expect(cloneValue(many, { from: 'args' })).toEqual(many.map(() => ({ at: [1] })));
  });
});

describe('a value that cannot be copied is refused', () => {
  it.each([
    [['a', { cb() {} }], 'args[1].cb is a function', ['args', 1, 'cb']],
    [[Symbol('secret')], 'args[0] is a symbol', ['args', 0]],
    [
      [{ 'not a name': () => {} }],
      'args[0]["not a name"] is a function',
      ['args', 0, 'not a name'],
    ],
    [[new Map([[{}, { a: () => {} }]])], 'args[0][0][1].a is', ['args', 0, 0, 1, 'a']],
    [[new Map([[() => {}, 1]])], 'args[0][0][0] is', ['args', 0, 0, 0]],
    [[new Set([1, Symbol('x')])], 'args[0][1] is', ['args', 0, 1]],
    [[new Error('a', { cause: { a: () => {} } })], 'args[0].cause.a is', ['args', 0, 'cause', 'a']],
    [[{ a: Promise.resolve() }], 'args[0].a is an instance of Promise', ['args', 0, 'a']],
    [[new WeakMap()], 'args[0] is an instance of WeakMap', ['args', 0]],
    [[(function* () {})()], 'args[0] is an instance of Generator', ['args', 0]],
    [
      [{ seats: new Proxy(new Map(), {}) }],
      'args[0].seats is an object that throws when it is read',
      ['args', 0, 'seats'],
    ],
    [[revoked()], 'args[0] is an object that throws when it is read', ['args', 0]],
    [[class {}], 'args[0] is a function', ['args', 0]],
  ])('with its place: %#', (args, message, path) => {
    const error = refusal(args);
    expect(error.message).toContain(`task "save": ${message}`);
    expect(error.message).toMatch(
      /; no message carries it to a worker or back, pass plain data instead$/,
    );
    expect(error.data.path).toEqual(path);
  });

  it('with what it is to the run', () => {
    expect(refusal(() => {}, { task: 'save', from: 'result' }).data.path).toEqual(['result']);
    expect(refusal({ a: () => {} }, { task: 'save', from: 'yield' }).message).toMatch(
      /^task "save": yield\.a is a function; /,
    );
    expect(refusal({ a: () => {} }, { from: 'error' }).message).toMatch(
      /^error\.a is a function; /,
    );
  });

  it('with what its getter has thrown', () => {
    const cause = new Error('not now');
    const value = {
      get total(): number {
        throw cause;
      },
    };
    const error = refusal([{ value }]);
    expect(error.data.path).toEqual(['args', 0, 'value']);
    expect(error.cause).toBe(cause);
  });

  it('without a word of what it holds', () => {
    const error = refusal(['secret', Symbol('secret'), 'secret']);
    expect(`${error.message}${JSON.stringify(error)}${error.cause}`).not.toContain('secret');
  });

  it('where it goes in circles, by the part that is to blame', () => {
    const first: Record<string, unknown> = {};
    const second = { first };
    first.second = second;
    first.promise = Promise.resolve();
    expect(refusal([first]).data.path).toEqual(['args', 0, 'promise']);
  });

  it('by itself where all of a circle could be to blame', () => {
    const target: Record<string, unknown> = {};
    const proxy = new Proxy(target, {});
    target.self = proxy;
    expect(refusal([proxy]).data.path).toEqual(['args']);
  });

  it('not by a part that is only shared', () => {
    const shared = { fine: true };
    expect(refusal([shared, [shared], { shared, bad: () => {} }]).data.path).toEqual([
      'args',
      2,
      'bad',
    ]);
  });

  it('however deep it is', () => {
    let deep: object = { cb() {} };
    for (let count = 0; count < 100_000; count++) deep = { deep };
    expect(refusal([deep]).message).toMatch(/^task "save": args is nested too deeply; /);
  });

  it('with a path that ends somewhere', () => {
    const error = refusal([{ ['long'.repeat(1_000)]: () => {} }]);
    expect(error.message.length).toBeLessThan(350);
    expect(String(error.data.path[2]).length).toBe(4_000);
  });

  it('for the list of what is moved, which moves nothing then', () => {
    const buffer = new ArrayBuffer(8);
    const list = refusal([buffer], { ...save, transfer: [buffer, buffer] });
    expect(list.data.path).toEqual(['transfer']);
    expect(list.message).toMatch(
      /^task "save": transfer is no list of different objects that can be moved; /,
    );
    expect(refusal([], { ...save, transfer: [{}] }).data.path).toEqual(['transfer']);
    const args = [{ port: buffer, done() {} }];
    expect(refusal(args, { ...save, transfer: [buffer] }).data.path).toEqual(['args', 0, 'done']);
    expect(buffer.byteLength).toBe(8);
  });

  it('for what can only be moved, unless it is in that list', () => {
    const { port1, port2 } = new MessageChannel();
    expect(refusal([{ port: port1 }]).message).toContain('args[0].port is an instance of Message');
    const mixed = refusal([{ port: port1, done() {} }], { ...save, transfer: [port1] });
    expect(mixed.data.path).toEqual(['args', 0, 'done']);
    for (const port of [port1, port2]) port.close();
  });
});
