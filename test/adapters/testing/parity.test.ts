/** What passes between a caller and a task of a test app is what a worker would have got and sent. */
import { describe, expect, it } from 'vitest';
import { testApp } from '../../../adapters/testing/index.js';
import { Context, Depends, isQTasksError, QTasksError, task } from '../../../src/index.js';
import { gate, rejection } from '../../support/promises.js';

class Cart {
  items: string[] = [];
  add(item: string): void {
    this.items.push(item);
  }
}
class Full extends Error {
  override name = 'Full';
  readonly limit: number;
  constructor(limit: number) {
    super(`no more than ${limit}`);
    this.limit = limit;
  }
}

/** A task that gives what it gets, and one that is given what it does. */
const echo = task('echo', (...args: unknown[]) => args);
const act = (handler: () => unknown) => testApp().task('act', handler);

/** What a run is refused with. */
async function refusal(run: PromiseLike<unknown>) {
  const error = await rejection(run);
  if (!isQTasksError(error, 'VALUE_UNSUPPORTED')) throw error;
  return error;
}

describe('the arguments of a run', () => {
  it('are copied at the call: what is changed later is not seen', async () => {
    const app = testApp({ concurrency: 1, tasks: { echo } });
    const cart = { items: ['tea'] };
    const { promise, resolve } = gate();
    const first = app.task('first', () => promise);
    const blocking = first();
    const waiting = app.run(echo, cart);
    cart.items.push('milk');
    resolve();
    await blocking;
    expect(await waiting).toEqual([{ items: ['tea'] }]);
  });

  it('can be changed by the handler without the caller seeing it', async () => {
    const app = testApp();
    const change = app.task('change', (list: number[]) => list.push(4));
    const list = [1, 2, 3];
    expect(await change(list)).toBe(4);
    expect(list).toEqual([1, 2, 3]);
  });

  it('keep their types, one object stays one', async () => {
    const app = testApp({ tasks: { echo } });
    const shared = {
      at: new Date(7),
      map: new Map([['a', new Set([1n])]]),
      bytes: new Uint8Array(2),
    };
    const [one, two] = (await app.run('echo', shared, shared)) as [typeof shared, typeof shared];
    expect(one).toStrictEqual(shared);
    expect(one).toBe(two);
  });

  it('lose their classes', async () => {
    const app = testApp();
    const fill = app.task('fill', (cart: Cart) => cart.add('tea'));
    expect(await rejection(fill(new Cart()))).toMatchObject({
      message: 'cart.add is not a function',
    });
  });

  it('are refused where a worker could not take them, before anything starts', async () => {
    const app = testApp({ tasks: { echo } });
    const run = app.session('ann').run(echo, 1, { cb: () => {} });
    const error = await refusal(run);
    expect(error.message).toMatch(/^task "echo": args\[1\]\.cb is a function; /);
    expect(error.data.path).toEqual(['args', 1, 'cb']);
    expect(await run.settled).toMatchObject({ status: 'error', attempts: 0 });
    expect(app.events).toEqual([
      expect.objectContaining({ type: 'run:error', task: 'echo', attempt: 0 }),
    ]);
  });

  it('are not retried where they are refused', async () => {
    const app = testApp();
    let calls = 0;
    const count = app.task('count', (_value: unknown) => calls++, { retry: 3 });
    await refusal(count(Symbol('x')));
    await app.clock.advance(60_000);
    expect(calls).toBe(0);
  });

  it('are moved where the caller says so', async () => {
    const app = testApp();
    const size = app.task('size', (buffer: ArrayBuffer) => buffer.byteLength);
    const buffer = new ArrayBuffer(8);
    expect(await app.run(size, buffer)).toBe(8);
    expect(buffer.byteLength).toBe(8);
    expect(await app.with({ transfer: [buffer] }).run(size, buffer)).toBe(8);
    expect(buffer.byteLength).toBe(0);
    const twice = app.with({ transfer: [buffer, buffer] });
    expect((await refusal(twice.run(size, buffer))).data.path[0]).toMatch(/args|transfer/);
  });

  it('are what the input of the task looks at', async () => {
    const app = testApp();
    const seen: unknown[] = [];
    const input = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) => {
          seen.push(value);
          return { value: value as [object] };
        },
      },
    } as const;
    const checked = app.task('checked', (value: object) => seen.push(value), { input });
    const value = new Cart();
    await checked(value);
    expect(seen).toEqual([[{ items: [] }], { items: [] }]);
    expect(seen[1]).not.toBeInstanceOf(Cart);
  });

  it('of a child run stay in their thread', async () => {
    const call = task('call', (callback: () => string) => callback());
    const parent = task('parent', { ctx: Context }, ({ ctx }) => ctx.run(call, () => 'called'));
    expect(await testApp({ tasks: { call, parent } }).run('parent')).toBe('called');
  });
});

describe('the result of a run', () => {
  it('is a copy, without its class', async () => {
    const cart = new Cart();
    const result = await act(() => cart)();
    expect(result).toEqual({ items: [] });
    expect(result).not.toBeInstanceOf(Cart);
    const list = [new Date(7)];
    const run = act(() => list)();
    expect(await run).toEqual(list);
    expect(await run).not.toBe(list);
    expect((await run.settled).value).toBe(await run);
  });

  it('makes the run fail where a worker could not send it, after teardown', async () => {
    const app = testApp();
    const log: string[] = [];
    const db = Depends(async function* () {
      yield 'db';
      log.push('closed');
    });
    const bad = app.task('bad', { db }, () => ({ list: [1, () => {}] }), { retry: 2 });
    const run = bad();
    const error = await refusal(run);
    expect(error.message).toMatch(/^task "bad": result\.list\[1\] is a function; /);
    expect(error.data.path).toEqual(['result', 'list', 1]);
    expect(log).toEqual(['closed']);
    expect(await run.settled).toMatchObject({ status: 'error', error, attempts: 1 });
    expect(run.status).toBe('error');
  });

  it('that is refused is told as the failure that it is', async () => {
    const app = testApp();
    const bad = app.task('bad', () => () => {});
    const error = await refusal(bad());
    expect(app.events.map(({ type }) => type)).toEqual(['run:start', 'run:return', 'run:error']);
    expect(app.events.at(-1)).toMatchObject({ error });
    expect(app.inspect()).toMatchObject({ counts: { success: 0, error: 1 } });
  });

  it('that is refused leaves the app as it was', async () => {
    const app = testApp({ tasks: { echo } });
    const bad = app.task('bad', () => Promise.resolve(() => {}));
    await refusal(bad());
    expect(await app.run('echo', 1)).toEqual([1]);
    expect(app.inspect().runs).toEqual([]);
  });
});

describe('what a handler yields', () => {
  it('is copied as it is yielded', async () => {
    const app = testApp();
    const progress = app.task('progress', async function* () {
      const state = { done: 0, cart: new Cart() };
      for (; state.done < 3; state.done++) yield state;
    });
    const seen: { done: number; cart: Cart }[] = [];
    for await (const state of progress()) seen.push(state);
    expect(seen.map(({ done }) => done)).toEqual([0, 1, 2]);
    expect(seen[0]?.cart).not.toBeInstanceOf(Cart);
  });

  it('makes the run fail where a worker could not send it, and its handler end', async () => {
    const app = testApp();
    const log: unknown[] = [];
    const bad = app.task('bad', function* () {
      try {
        yield 1;
        yield { cb: () => {} };
        log.push('went on');
      } catch (error) {
        log.push(error);
      } finally {
        log.push('ended');
      }
    });
    const run = bad();
    const seen: unknown[] = [];
    const error = await refusal(
      (async () => {
        for await (const value of run) seen.push(value);
      })(),
    );
    expect(seen).toEqual([1]);
    expect(error.message).toMatch(/^task "bad": yield\.cb is a function; /);
    expect(error.data.path).toEqual(['yield', 'cb']);
    expect(log).toEqual([expect.objectContaining({ code: 'VALUE_UNSUPPORTED' }), 'ended']);
    expect(run.status).toBe('error');
  });
});

describe('the error of a run', () => {
  it('arrives as a copy, with its stack, of a class that everybody knows', async () => {
    const thrown = new RangeError('no', { cause: new TypeError('why') });
    const error = await rejection(
      act(() => {
        throw thrown;
      })(),
    );
    expect(error).not.toBe(thrown);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toStrictEqual(thrown);
    expect((error as Error).stack).toBe(thrown.stack);
  });

  it('arrives as what it was where its class is registered, else as an Error of its name', async () => {
    const fill = task('fill', () => Promise.reject(new Full(3)));
    const known = await rejection(testApp({ tasks: { fill }, errors: { Full } }).run('fill'));
    expect(known).toBeInstanceOf(Full);
    expect(known).toMatchObject({ message: 'no more than 3', limit: 3 });
    const unknown = await rejection(testApp({ tasks: { fill } }).run('fill'));
    expect(unknown).not.toBeInstanceOf(Full);
    expect(unknown).toMatchObject({ name: 'Full', message: 'no more than 3', limit: 3 });
  });

  it('arrives without the fields that a worker could not send, and names them', async () => {
    const error = await rejection(
      act(() => {
        throw Object.assign(new Error('no'), { status: 500, retry: () => {} });
      })(),
    );
    expect(error).toMatchObject({ status: 500, omittedFields: ['retry'] });
    expect(error).not.toHaveProperty('retry');
  });

  it('is one object for all who look', async () => {
    const run = act(() => Promise.reject(new Error('no')))();
    const error = await rejection(run);
    expect(await rejection(run)).toBe(error);
    expect((await run.settled).error).toBe(error);
  });

  it('keeps the value of what is no error, if a worker could send it', async () => {
    expect(await rejection(act(() => Promise.reject('no'))())).toBe('no');
    expect(await rejection(act(() => Promise.reject({ code: 7 }))())).toEqual({ code: 7 });
    expect((await refusal(act(() => Promise.reject(() => {}))())).data.path).toEqual(['error']);
  });

  it('ends its stream too', async () => {
    const app = testApp({ errors: { Full } });
    const fill = app.task('fill', function* () {
      yield 1;
      throw new Full(1);
    });
    const read = (async () => {
      for await (const value of fill()) expect(value).toBe(1);
    })();
    expect(await rejection(read)).toBeInstanceOf(Full);
  });

  it('is judged by retries before it leaves', async () => {
    const app = testApp();
    let calls = 0;
    const when = [Full];
    const fill = app.task('fill', () => Promise.reject(new Full(++calls)), {
      retry: { limit: 2, when },
    });
    const error = rejection(fill());
    await app.clock.advance(1_000);
    expect(await error).toMatchObject({ name: 'Full', limit: 3 });
  });

  it('is told to listeners and the logger as it was thrown', async () => {
    const logged: unknown[] = [];
    const line = (_text: string, error?: unknown): void => void logged.push(error);
    const thrown = new Full(1);
    const app = testApp({ logger: { info() {}, warn: line, error: line } });
    const fill = app.task('fill', () => Promise.reject(thrown));
    await rejection(fill());
    expect(app.events.at(-1)).toHaveProperty('error', thrown);
    expect(logged).toEqual([thrown]);
    expect(logged[0]).toBe(thrown);
  });

  it('is CLEANUP_FAILED with all that teardown threw', async () => {
    const app = testApp({ errors: { Full } });
    const stuck = Depends(async function* () {
      yield 1;
      throw new Full(1);
    });
    const run = app.task('use', { stuck }, () => ({ cart: new Cart(), cb: () => {} }))();
    const error = await rejection(run);
    if (!isQTasksError(error, 'CLEANUP_FAILED')) throw error;
    expect(error).toBeInstanceOf(QTasksError);
    expect(error.cause).toBeInstanceOf(Full);
    expect(error.data.errors).toEqual([error.cause]);
    expect(error.data.value).toEqual({ cart: { items: [] } });
    expect(error).toMatchObject({ omittedFields: ['data.value.cb'] });
  });

  it('has beside it what teardown threw', async () => {
    const app = testApp({ errors: { Full } });
    const thrown = new Full(1);
    const stuck = Depends(async function* () {
      try {
        yield 1;
      } finally {
        await Promise.reject(thrown);
      }
    });
    const run = app.task('use', { stuck }, () => Promise.reject(new TypeError('no')))();
    const { error, cleanupErrors } = await run.settled;
    expect(error).toBeInstanceOf(TypeError);
    expect(cleanupErrors).toEqual([thrown]);
    expect(cleanupErrors[0]).toBeInstanceOf(Full);
    expect(cleanupErrors[0]).not.toBe(thrown);
  });
});

describe('the reason of a cancelled run', () => {
  it('arrives as a copy', async () => {
    const app = testApp();
    const wait = app.task('wait', { ctx: Context }, ({ ctx }) => ctx.sleep(1_000));
    const reason = new TypeError('enough');
    const run = wait();
    run.cancel(reason);
    expect(await rejection(run)).toStrictEqual(reason);
    expect(run.status).toBe('cancel');
    const aborted = app.with({ signal: AbortSignal.abort() }).run(wait);
    expect(await rejection(aborted)).toBeInstanceOf(DOMException);
    expect(await rejection(aborted)).toMatchObject({ name: 'AbortError' });
    const silent = wait();
    silent.cancel();
    expect(await rejection(silent)).toMatchObject({ name: 'QTasksError', code: 'TASK_CANCELLED' });
  });
});

describe('without parity', () => {
  it('everything is the very same object, as in an app of one thread', async () => {
    const app = testApp({ parity: false });
    const cart = new Cart();
    const callback = (): Cart => cart;
    const call = app.task('call', (back: () => Cart) => back());
    expect(await call(callback)).toBe(cart);
    const thrown = new Full(1);
    expect(await rejection(app.task('fill', () => Promise.reject(thrown))())).toBe(thrown);
    const stream = app.task('stream', function* () {
      yield cart;
    });
    for await (const value of stream()) expect(value).toBe(cart);
  });
});
