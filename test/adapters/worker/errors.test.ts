/** What is thrown on one side of a boundary arrives on the other as what it was. */
import { describe, expect, it, vi } from 'vitest';
import {
  type ErrorClasses,
  errorClassesKind,
  packError,
  unpackError,
} from '../../../adapters/worker/errors.js';
import { isQTasksError, QTasksError } from '../../../src/index.js';

class HttpError extends Error {
  override name = 'HttpError';
  readonly status: number;
  readonly #secret = 'kept here';
  constructor(status: number) {
    super(`HTTP ${status}`);
    made++;
    this.status = status;
  }
  get isServerError(): boolean {
    return this.status >= 500;
  }
  get secret(): string {
    return this.#secret;
  }
}
class NotFound extends HttpError {
  get code(): string {
    return 'NOT_FOUND';
  }
}
let made = 0;

/** Sends something thrown over a boundary: as one message, to classes known there. */
function send(thrown: unknown, classes: ErrorClasses = {}, there: ErrorClasses = classes): unknown {
  return unpackError(structuredClone(packError(thrown, classes)), there);
}

/** The same for an error. */
function sendError<Type extends Error>(thrown: Type, ...classes: ErrorClasses[]): Type {
  const arrived = send(thrown, ...classes);
  expect(arrived).toBeInstanceOf(Error);
  expect(arrived).not.toBe(thrown);
  return arrived as Type;
}

describe('an error arrives', () => {
  it('with its name, message and stack, of a class that the language has', () => {
    const classes = [
      Error,
      EvalError,
      RangeError,
      ReferenceError,
      SyntaxError,
      TypeError,
      URIError,
    ];
    for (const type of classes) {
      const error = new type('wrong');
      const arrived = sendError(error);
      expect(Object.getPrototypeOf(arrived)).toBe(type.prototype);
      expect(arrived.message).toBe('wrong');
      expect(arrived.stack).toBe(error.stack);
      expect(String(arrived)).toBe(String(error));
      expect(Reflect.ownKeys(arrived).sort()).toEqual(['message', 'stack']);
      expect(Object.keys(arrived)).toEqual([]);
    }
  });

  it('as a true one', () => {
    const tag = (error: unknown) => Object.prototype.toString.call(error);
    expect(tag(sendError(new TypeError()))).toBe('[object Error]');
    expect(tag(sendError(new HttpError(500), { HttpError }))).toBe('[object Error]');
    expect(Object.hasOwn(sendError(new HttpError(500), { HttpError }), 'stack')).toBe(true);
  });

  it('with its cause, and the causes of that', () => {
    const root = new TypeError('root');
    const middle = new Error('middle', { cause: root });
    const arrived = sendError(new RangeError('top', { cause: middle }));
    expect(arrived.cause).toMatchObject({ message: 'middle', stack: middle.stack });
    expect((arrived.cause as Error).cause).toBeInstanceOf(TypeError);
    expect(Object.keys(arrived)).toEqual([]);
    expect(sendError(new Error('a', { cause: { at: [1] } })).cause).toEqual({ at: [1] });
    expect(Object.hasOwn(sendError(new Error('a', { cause: undefined })), 'cause')).toBe(true);
  });

  it('with the errors of an AggregateError', () => {
    const errors = [new TypeError('one'), 'two', new HttpError(3)];
    const arrived = sendError(new AggregateError(errors, 'all'), { HttpError });
    expect(arrived).toBeInstanceOf(AggregateError);
    expect(arrived.errors[0]).toBeInstanceOf(TypeError);
    expect(arrived.errors[1]).toBe('two');
    expect(arrived.errors[2]).toBeInstanceOf(HttpError);
    expect(Object.keys(arrived)).toEqual([]);
  });

  it('with its own fields, whatever they are called', () => {
    const fields = JSON.parse('{ "__proto__": { "a": 1 }, "constructor": 2, "status": [3] }');
    const error = new Error('a');
    for (const [key, value] of Object.entries(fields)) {
      Object.defineProperty(error, key, { value, enumerable: true });
    }
    Object.assign(error, { at: new Date(7), map: new Map([['a', 1]]) });
    const arrived = sendError(error);
    expect(Object.getPrototypeOf(arrived)).toBe(Error.prototype);
    expect(Object.entries(arrived)).toEqual([
      ['__proto__', { a: 1 }],
      ['constructor', 2],
      ['status', [3]],
      ['at', new Date(7)],
      ['map', new Map([['a', 1]])],
    ]);
  });

  it('with its code, wherever the class keeps it', () => {
    class OnPrototype extends Error {
      get code(): string {
        return 'E_PROTOTYPE';
      }
    }
    const hidden = Object.defineProperty(new Error('a'), 'code', { value: 'E_HIDDEN' });
    const own = Object.assign(new Error('a'), { code: 'E_OWN' });
    expect(sendError(new OnPrototype())).toMatchObject({ code: 'E_PROTOTYPE' });
    expect(sendError(hidden)).toMatchObject({ code: 'E_HIDDEN' });
    expect(Object.keys(sendError(hidden))).toEqual([]);
    expect(Object.entries(sendError(own))).toEqual([['code', 'E_OWN']]);
  });

  it('of QTasksError, with code and data', () => {
    const data = { path: ['args', 0] };
    const arrived = sendError(new QTasksError('VALUE_UNSUPPORTED', 'no', { data }));
    expect(arrived).toBeInstanceOf(QTasksError);
    expect(isQTasksError(arrived, 'VALUE_UNSUPPORTED')).toBe(true);
    expect(arrived.data).toEqual(data);
    expect(Object.hasOwn(arrived, 'name')).toBe(false);
  });

  it('of QTasksError with all that its data leads to', () => {
    const first = new HttpError(1);
    const errors = [first, new TypeError('two')];
    const data = { errors, value: { done: true } };
    const error = new QTasksError('CLEANUP_FAILED', 'no', { cause: first, data });
    const arrived = sendError(error, { HttpError });
    expect(arrived.cause).toBeInstanceOf(HttpError);
    expect(arrived.data.errors[0]).toBe(arrived.cause);
    expect(arrived.data.errors[1]).toBeInstanceOf(TypeError);
    expect(arrived.data.value).toEqual({ done: true });
  });

  it('of QTasksError, from another copy of the library too', () => {
    const other = Object.assign(new Error('no'), { code: 'TASK_TIMEOUT', data: {} });
    Object.defineProperty(other, 'name', { value: 'QTasksError' });
    expect(sendError(other)).toBeInstanceOf(QTasksError);
  });

  it.each(['AbortError', 'TimeoutError', 'QuotaExceededError'])('as DOMException %s', (name) => {
    const error = new DOMException('stopped', name);
    const arrived = sendError(error);
    expect(arrived).toBeInstanceOf(DOMException);
    expect(arrived).toMatchObject({ name, message: 'stopped', code: error.code });
    expect(arrived.stack).toBe(error.stack ?? `${name}: stopped`);
    expect(Object.keys(arrived)).toEqual([]);
  });

  it('as an Error with the name of the DOMException where there is no such class', () => {
    const packed = packError(new DOMException('stopped', 'AbortError'), {});
    vi.stubGlobal('DOMException', undefined);
    const arrived = unpackError(packed, {});
    vi.unstubAllGlobals();
    expect(Object.getPrototypeOf(arrived)).toBe(Error.prototype);
    expect(arrived).toMatchObject({ name: 'AbortError', message: 'stopped', code: 20 });
  });

  it('as the reason of a signal: by default an AbortError', () => {
    const { reason } = AbortSignal.abort();
    expect(send(reason)).toBeInstanceOf(DOMException);
    expect(send(reason)).toMatchObject({ name: 'AbortError', message: reason.message });
  });
});

describe('an error of a registered class arrives', () => {
  it('as an instance, with its fields, without a call of the constructor', () => {
    const error = new HttpError(503);
    const before = made;
    const arrived = sendError(error, { HttpError });
    expect(made).toBe(before);
    expect(arrived).toBeInstanceOf(HttpError);
    expect(arrived).toMatchObject({ name: 'HttpError', message: 'HTTP 503', status: 503 });
    expect(arrived.isServerError).toBe(true);
    expect(() => arrived.secret).toThrow(TypeError);
  });

  it('by the key that both sides use, not by the name of the class', () => {
    const Minified = { e: class extends Error {} }.e;
    const error = new Minified('a');
    expect(sendError(error, { LimitError: Minified })).toBeInstanceOf(Minified);
    expect(sendError(error, { LimitError: Minified }, { LimitError: HttpError })).toBeInstanceOf(
      HttpError,
    );
    expect(sendError(error, { e: Minified }, { LimitError: Minified })).not.toBeInstanceOf(
      Minified,
    );
  });

  it('of the nearest class that is known there', () => {
    const error = new NotFound(404);
    const both = { HttpError, NotFound };
    expect(Object.getPrototypeOf(sendError(error, both))).toBe(NotFound.prototype);
    expect(Object.getPrototypeOf(sendError(error, { HttpError }))).toBe(HttpError.prototype);
    expect(Object.getPrototypeOf(sendError(error, both, { HttpError }))).toBe(HttpError.prototype);
    expect(Object.hasOwn(sendError(error, both), 'code')).toBe(false);
    expect(sendError(error, both, { HttpError })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('as an Error with its name and fields where it is not known', () => {
    for (const [here, there] of [
      [{ HttpError }, {}],
      [{}, { HttpError }],
    ]) {
      const arrived = sendError(new HttpError(500), here ?? {}, there ?? {});
      expect(Object.getPrototypeOf(arrived)).toBe(Error.prototype);
      expect(arrived).toMatchObject({ name: 'HttpError', message: 'HTTP 500', status: 500 });
    }
  });

  it('as what it extends where only that is known', () => {
    class Strict extends TypeError {
      override get name(): string {
        return 'Strict';
      }
    }
    class Own extends QTasksError {}
    expect(Object.getPrototypeOf(sendError(new Strict('a')))).toBe(TypeError.prototype);
    expect(sendError(new Strict('a')).name).toBe('Strict');
    expect(sendError(new Own('TASK_TIMEOUT', 'a'))).toBeInstanceOf(QTasksError);
    expect(sendError(new Own('TASK_TIMEOUT', 'a'), { Own })).toBeInstanceOf(Own);
  });

  it('under any key', () => {
    const classes = JSON.parse('{ "__proto__": 1, "": 1, "toString": 1 }');
    for (const key of Object.keys(classes)) {
      const known = Object.defineProperty({}, key, { value: HttpError, enumerable: true });
      expect(sendError(new HttpError(1), known)).toBeInstanceOf(HttpError);
      expect(sendError(new NotFound(1), known, {})).not.toBeInstanceOf(HttpError);
    }
    expect(sendError(new TypeError(), { '': HttpError })).not.toBeInstanceOf(HttpError);
  });
});

describe('classes can be registered', () => {
  const [, isClasses] = errorClassesKind;

  it('that extend Error', () => {
    expect([{}, { HttpError }, { a: NotFound, b: TypeError }].map(isClasses)).toEqual(
      Array(3).fill(true),
    );
  });

  it('and nothing else', () => {
    const wrong = [
      null,
      undefined,
      [HttpError],
      HttpError,
      { a: class {} },
      { a: () => {} },
      { a: 1 },
    ];
    expect(wrong.map(isClasses)).toEqual(wrong.map(() => false));
  });
});

describe('what is thrown and is no error', () => {
  it.each([
    ['a text', 'no'],
    ['a number', -0],
    ['nothing', undefined],
    ['null', null],
    ['a bigint', 1n],
    ['a record', { code: 7, at: new Date(1) }],
  ])('keeps its value: %s', (_name, value) => {
    expect(send(value)).toStrictEqual(value);
  });

  it('is VALUE_UNSUPPORTED where it cannot be copied', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const paths: unknown[] = [];
    for (const thrown of [() => {}, Symbol('x'), { a: { b() {} } }, Promise.resolve(), proxy]) {
      const arrived = send(thrown);
      if (!isQTasksError(arrived, 'VALUE_UNSUPPORTED')) throw arrived;
      expect(arrived).toBeInstanceOf(QTasksError);
      paths.push(arrived.data.path);
    }
    expect(paths).toEqual([['error'], ['error'], ['error', 'a', 'b'], ['error'], ['error']]);
  });
});
