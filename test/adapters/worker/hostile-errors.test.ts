/** Errors that make it hard to take them apart; none is lost, and packing never throws. */
import { describe, expect, it } from 'vitest';
import { packError, unpackError } from '../../../adapters/worker/errors.js';

/** Sends an error over a boundary, and its own fields that arrive. */
function send(thrown: unknown): Error & Record<string, unknown> {
  const arrived = unpackError(structuredClone(packError(thrown, {})), {});
  expect(arrived).toBeInstanceOf(Error);
  return arrived as Error & Record<string, unknown>;
}

const fail = (): never => {
  throw new Error('hands off');
};

describe('what of an error cannot be copied', () => {
  it('is left behind, and named', () => {
    const error = Object.assign(new Error('a'), {
      status: 500,
      retry() {},
      mark: Symbol('x'),
      data: { list: [1, () => {}, 3], deep: { socket: Promise.resolve() }, kept: true },
      instance: new (class {
        method = () => {};
      })(),
    });
    const { status, data, omittedFields, ...others } = send(error);
    expect([status, others]).toEqual([500, {}]);
    expect(data).toEqual({ list: [1, undefined, 3], deep: {}, kept: true });
    expect(omittedFields).toEqual([
      'retry',
      'mark',
      'data.list[1]',
      'data.deep.socket',
      'instance',
    ]);
  });

  it('is named by the error that had it', () => {
    const cause = Object.assign(new Error('a'), { cb() {} });
    const arrived = send(new AggregateError([1, () => {}], 'b', { cause }));
    expect(arrived.omittedFields).toEqual(['errors[1]']);
    expect((arrived.cause as Record<string, unknown>).omittedFields).toEqual(['cb']);
    expect(send(new Error('a', { cause: fail })).omittedFields).toEqual(['cause']);
  });

  it('is not named where there is nothing', () => {
    expect('omittedFields' in send(new TypeError('a'))).toBe(false);
  });

  it('stays named on a second passage', () => {
    const arrived = send(Object.assign(new Error('a'), { one() {} }));
    expect(send(Object.assign(arrived, { two() {} })).omittedFields).toEqual(['one', 'two']);
  });

  it('is named even where a field has the name of the list', () => {
    const error = Object.assign(new Error('a'), { omittedFields: 7, cb() {} });
    expect(send(error).omittedFields).toEqual(['omittedFields', 'cb']);
    expect(send(Object.assign(new Error('a'), { omittedFields: 7 })).omittedFields).toBe(7);
  });
});

describe('an error arrives', () => {
  it('without the fields whose getters throw', () => {
    const error = Object.defineProperty(new Error('a'), 'data', { get: fail, enumerable: true });
    Object.assign(error, {
      inner: Object.defineProperty({}, 'x', { get: fail, enumerable: true }),
    });
    expect(send(error)).toMatchObject({
      message: 'a',
      inner: {},
      omittedFields: ['data', 'inner.x'],
    });
  });

  it('with what is left where name, message, stack, code and cause throw', () => {
    for (const key of ['name', 'message', 'stack', 'code', 'cause', 'errors']) {
      const error = Object.assign(new TypeError('a'), { status: 1 });
      const arrived = send(Object.defineProperty(error, key, { get: fail }));
      expect(arrived).toBeInstanceOf(TypeError);
      expect(arrived.status).toBe(1);
      expect(arrived.message).toBe(key === 'message' ? '' : 'a');
      expect(typeof arrived.stack).toBe('string');
    }
  });

  it('with texts, whatever name, message and stack are', () => {
    for (const value of [7, null, undefined, {}, { toString: fail }, Symbol('x'), []]) {
      const error = new Error('a');
      for (const key of ['stack', 'message', 'name']) Object.defineProperty(error, key, { value });
      const { name, message, stack } = send(error);
      expect([typeof name, typeof message, typeof stack]).toEqual(['string', 'string', 'string']);
    }
  });

  it('from behind a proxy', () => {
    const target = Object.assign(new TypeError('a'), { status: 1 });
    expect(send(new Proxy(target, {}))).toMatchObject({ message: 'a', status: 1 });
    expect(send(new Proxy(target, {}))).toBeInstanceOf(TypeError);
    for (const trap of ['ownKeys', 'get', 'has', 'getOwnPropertyDescriptor', 'getPrototypeOf']) {
      send(new Proxy(target, { [trap]: fail }));
    }
  });

  it('with a proxy that cannot be read left behind', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const bad = new Proxy({}, { ownKeys: fail });
    const list = new Proxy([], { get: () => -1 });
    const error = Object.assign(new Error('a'), { proxy, bad, list, again: bad });
    expect(send(error).omittedFields).toEqual(['proxy', 'bad', 'list', 'again']);
  });

  it('where it only claims to be one', () => {
    expect(send(Object.create(TypeError.prototype))).toBeInstanceOf(TypeError);
    expect(send(Object.setPrototypeOf(new Error('a'), null)).message).toBe('a');
  });

  it('frozen or not', () => {
    expect(send(Object.freeze(Object.assign(new Error('a'), { b: 1 })))).toMatchObject({ b: 1 });
  });
});

describe('an error that leads to itself', () => {
  it('arrives in its circle', () => {
    const error = new Error('a');
    const other = Object.assign(new TypeError('b', { cause: error }), { list: [error] });
    error.cause = other;
    const arrived = send(error);
    const next = arrived.cause as Record<string, unknown>;
    expect(next).toBeInstanceOf(TypeError);
    expect(next.cause).toBe(arrived);
    expect(next.list).toEqual([arrived]);
    expect(arrived.omittedFields).toBe(undefined);
  });

  it('arrives with one object where there was one', () => {
    const shared = { a: 1 };
    const date = new Date(1);
    const circle: unknown[] = [shared, date];
    circle.push(circle);
    const error = Object.assign(new Error('a'), { shared, date, circle });
    const arrived = send(error);
    const list = arrived.circle as unknown[];
    expect(list[0]).toBe(arrived.shared);
    expect(list[1]).toBe(arrived.date);
    expect(list[2]).toBe(list);
  });
});

describe('an error that leads too far', () => {
  it('is cut in its causes', () => {
    let error = new Error('innermost');
    for (let count = 0; count < 10_000; count++) error = new Error(`${count}`, { cause: error });
    const chain = [send(error)];
    for (let next = chain[0]; next; next = next?.cause as (typeof chain)[0]) chain.push(next);
    expect(chain.length).toBeGreaterThan(90);
    expect(chain.length).toBeLessThan(110);
    expect(chain.at(-1)?.omittedFields).toEqual(['cause']);
  });

  it('is cut in its data', () => {
    let deep = {};
    for (let count = 0; count < 100_000; count++) deep = { deep };
    const arrived = send(Object.assign(new Error('a'), { deep, kept: 1 }));
    expect(arrived.kept).toBe(1);
    const [path = ''] = arrived.omittedFields as string[];
    expect(path).toMatch(/^deep(\.deep)+/);
  });

  it('is cut where a getter makes more and more of it', () => {
    const endless = (): object => ({
      get more() {
        return endless();
      },
    });
    expect(send(Object.assign(new Error('a'), { data: endless() })).omittedFields).toHaveLength(1);
  });

  it('keeps a thousand errors side by side', () => {
    const errors = Array.from({ length: 1_000 }, (_, index) => new TypeError(`${index}`));
    const arrived = send(new AggregateError(errors, 'many'));
    expect((arrived.errors as Error[]).map(({ message }) => Number(message))).toEqual([
      ...errors.keys(),
    ]);
  });
});
