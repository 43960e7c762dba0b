/** A copy made in one thread is what another thread would have received. */
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packError, unpackError } from '../../../adapters/worker/errors.js';
import { cloneValue, unsupported } from '../../../adapters/worker/values.js';
import { QTasksError } from '../../../src/index.js';

let worker: Worker;

beforeAll(() => {
  const echo = "const { parentPort: port } = require('node:worker_threads');";
  worker = new Worker(`${echo} port.on('message', (value) => port.postMessage(value));`, {
    eval: true,
  });
});

afterAll(() => worker.terminate());

/** Sends a value to the worker and back. */
function echo(value: unknown, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
  return new Promise((resolve) => {
    worker.once('message', resolve);
    worker.postMessage(value, transfer);
  });
}

class Cart {
  items = ['tea'];
  total(): number {
    return this.items.length;
  }
}

const shared = { a: 1 };
const circle: Record<string, unknown> = { shared };
circle.self = circle;

describe('a copy is what a message brings', () => {
  it.each<[string, unknown]>([
    ['primitives', [1, -0, Number.NaN, 'a', '\ud800', true, null, undefined, 1n]],
    ['records', { a: { b: undefined }, [Symbol('x')]: 1 }],
    ['an own __proto__', JSON.parse('{ "__proto__": 1 }')],
    ['an object without prototype', Object.create(null, { a: { value: 1, enumerable: true } })],
    ['an instance', new Cart()],
    [
      'an instance of a class that extends Map',
      new (class extends Map<number, number> {})([[1, 2]]),
    ],
    ['lists with holes and more', Object.assign(new Array(2), { 1: 2, more: 1 })],
    [
      'getters and what is not enumerable',
      {
        get a() {
          return 1;
        },
        ...Object.defineProperty({}, 'b', { value: 1 }),
      },
    ],
    ['dates, patterns and boxes', [new Date(7), /a/gi, Object(1), Object('a')]],
    ['maps and sets', new Map<unknown, unknown>([[shared, new Set([shared])]])],
    [
      'bytes',
      [new Uint8Array([1, 2]), new Uint8Array([1, 2]).buffer, new DataView(new ArrayBuffer(2))],
    ],
    [
      'two views of one buffer',
      ((buffer) => [new Uint8Array(buffer), new Uint8Array(buffer)])(new ArrayBuffer(2)),
    ],
    ['what is shared and goes in circles', [circle, shared, shared]],
    [
      'errors',
      [new TypeError('a', { cause: shared }), Object.assign(new Error('b'), { status: 1 })],
    ],
    ['what only Node has', [new URL('http://localhost/'), Buffer.from('a')]],
    ['a DOMException, of which nothing is left', new DOMException('a', 'AbortError')],
  ])('of %s', async (_name, value) => {
    const copy = cloneValue(value, { from: 'args' });
    expect(isDeepStrictEqual(copy, await echo(value))).toBe(true);
    expect(copy).not.toBe(value);
  });

  it('where a buffer is moved', async () => {
    const make = (): ArrayBuffer => new Uint8Array([1, 2, 3]).buffer;
    const [copied, sent] = [make(), make()];
    const copy = cloneValue([copied], { from: 'args', transfer: [copied] });
    expect(isDeepStrictEqual(copy, await echo([sent], [sent]))).toBe(true);
    expect([copied.byteLength, sent.byteLength]).toEqual([0, 0]);
  });

  it.each<[string, unknown]>([
    ['a function', () => {}],
    ['a symbol', Symbol('x')],
    ['a promise', { a: [Promise.resolve()] }],
    ['a WeakMap', new WeakMap()],
    ['a Map behind a proxy', new Proxy(new Map(), {})],
    ['a generator', (function* () {})()],
    ['a port that is not moved', new MessageChannel().port1],
    [
      'a getter that throws',
      Object.defineProperty({}, 'a', {
        enumerable: true,
        get() {
          throw 1;
        },
      }),
    ],
  ])('and where a message refuses, so does it: %s', (_name, value) => {
    expect(() => worker.postMessage(value)).toThrow();
    const refused = unsupported(value, { from: 'args' });
    expect(() => cloneValue(value, { from: 'args' })).toThrow(refused.message);
    if (value instanceof MessagePort) value.close();
  });
});

describe('an error that was packed', () => {
  class HttpError extends Error {
    status = 500;
  }
  const looped = new HttpError('looped');
  looped.cause = new AggregateError([looped, new RangeError('a')], 'all');
  const data = { errors: [looped], value: new Map([[1, new Date(7)]]) };

  it.each<[string, unknown]>([
    ['of a registered class, in a circle', looped],
    ['of the library', new QTasksError('CLEANUP_FAILED', 'no', { cause: looped, data })],
    ['an AbortError', new DOMException('a', 'AbortError')],
    [
      'with fields that are left behind',
      Object.assign(new Error('a'), { cb() {}, at: new Date(7) }),
    ],
    ['a value', { code: 1 }],
    ['a value that cannot be copied', () => {}],
  ])('arrives by a message as by a copy: %s', async (_name, thrown) => {
    const classes = { HttpError };
    const arrived = unpackError(
      (await echo(packError(thrown, classes))) as ReturnType<typeof packError>,
      classes,
    );
    const copied = unpackError(packError(thrown, classes), classes);
    expect(arrived).toStrictEqual(copied);
    expect(isDeepStrictEqual(arrived, copied)).toBe(true);
  });
});
