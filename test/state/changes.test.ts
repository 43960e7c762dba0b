/** `changes`: all fields after each change, for a reader that may be slow or leave. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { AsyncState, Context, QTasks } from '../../src/index.js';
import { settle } from '../support/clock.js';
import { answerAfter, FaultyStorage, failWith, gate } from '../support/faulty.js';

type Shape = Record<string, unknown>;

class Any extends AsyncState<Shape> {
  static readonly id = 'any';
  static readonly initial: Shape = { step: 0 };
}

const open = (storage = memory()): QTasks => new QTasks({ name: 'app', storage });

/** Reads on in the background and says what came and how it ended. */
function follow(
  state: Any,
  signal?: AbortSignal,
): { readonly seen: Shape[]; readonly ended: Promise<string> } {
  const seen: Shape[] = [];
  const read = async (): Promise<string> => {
    for await (const all of state.changes(signal ? { signal } : {})) seen.push(all);
    return 'ended';
  };
  return { seen, ended: read() };
}

const still = (promise: Promise<string>): Promise<string> =>
  Promise.race([promise, settle().then(() => 'still there')]);

describe('changes', () => {
  it('gives no initial value, then all fields after each change', async () => {
    const state = open().state(Any);
    await state.set('before', 1);
    const { seen } = follow(state);
    await settle();
    expect(seen).toEqual([]);
    await state.set('a', 1);
    await settle();
    await state.delete('before');
    await settle();
    expect(seen).toEqual([
      { step: 0, before: 1, a: 1 },
      { step: 0, a: 1 },
    ]);
  });

  it('begins with the call, not with the first look', async () => {
    const state = open().state(Any);
    const changes = state.changes();
    await state.set('a', 1);
    expect(await changes.next()).toEqual({ done: false, value: { step: 0, a: 1 } });
    await changes.return();
  });

  it('gives what another app writes', async () => {
    const storage = memory();
    const { seen } = follow(open(storage).state(Any));
    await open(storage).state(Any).update({ a: 1, step: 2 });
    await settle();
    expect(seen).toEqual([{ a: 1, step: 2 }]);
  });

  it('skips to the newest for a slow reader, and misses the last one never', async () => {
    const state = open().state(Any);
    const changes = state.changes();
    await state.set('step', 1);
    expect(await changes.next()).toMatchObject({ value: { step: 1 } });
    for (let step = 2; step <= 50; step++) await state.set('step', step);
    expect(await changes.next()).toMatchObject({ value: { step: 50 } });
    const next = changes.next();
    expect(await Promise.race([next, settle()])).toBeUndefined();
    await state.set('step', 51);
    expect(await next).toMatchObject({ value: { step: 51 } });
    await changes.return();
  });

  it('gives what is written while it reads', async () => {
    const storage = new FaultyStorage();
    const state = open(storage).state(Any);
    const changes = state.changes();
    await settle();
    const { opened, open: go } = gate();
    storage.nextReads.push(answerAfter(() => opened));
    await state.set('step', 1);
    const first = changes.next();
    await settle();
    await state.set('step', 2);
    go();
    expect(await first).toMatchObject({ value: { step: 1 } });
    expect(await changes.next()).toMatchObject({ value: { step: 2 } });
    await changes.return();
  });

  it('gives copies', async () => {
    const state = open().state(Any);
    const both = [follow(state), follow(state)];
    await state.set('list', [1]);
    await settle();
    for (const { seen } of both) {
      expect(seen).toEqual([{ step: 0, list: [1] }]);
      Object(seen[0]?.list).push(2);
    }
  });

  it('ends quietly on abort, however it waits, and gives its watch back', async () => {
    const storage = new FaultyStorage();
    const state = open(storage).state(Any);
    const controller = new AbortController();
    const { seen, ended } = follow(state, controller.signal);
    await state.set('a', 1);
    await settle();
    expect([await still(ended), storage.watches]).toEqual(['still there', 1]);
    controller.abort(new Error('quietly'));
    expect(await ended).toBe('ended');
    await state.set('a', 2);
    await settle();
    expect([storage.watches, seen.length]).toEqual([0, 1]);
  });

  it('gives nothing that it was reading during the abort', async () => {
    const storage = new FaultyStorage();
    const state = open(storage).state(Any);
    const controller = new AbortController();
    const { seen, ended } = follow(state, controller.signal);
    await settle();
    const { opened, open: go } = gate();
    storage.nextReads.push(answerAfter(() => opened));
    await state.set('a', 1);
    await settle();
    controller.abort();
    go();
    expect(await ended).toBe('ended');
    expect(seen).toEqual([]);
  });

  it('gives nothing by a signal that has aborted', async () => {
    const storage = new FaultyStorage();
    const state = open(storage).state(Any);
    const { seen, ended } = follow(state, AbortSignal.abort());
    await state.set('a', 1);
    expect([await ended, seen, storage.watches]).toEqual(['ended', [], 0]);
  });

  it('gives its watch back on abort also if nobody has looked yet', async () => {
    const storage = new FaultyStorage();
    const controller = new AbortController();
    const changes = open(storage).state(Any).changes({ signal: controller.signal });
    expect(storage.watches).toBe(1);
    controller.abort();
    expect(storage.watches).toBe(0);
    expect(await changes.next()).toEqual({ done: true, value: undefined });
  });

  it('gives its watch back on break, throw and return', async () => {
    const storage = new FaultyStorage();
    const state = open(storage).state(Any);
    const looped = (async () => {
      for await (const all of state.changes()) if (all.a === 1) break;
    })();
    const thrown = (async () => {
      for await (const _ of state.changes()) throw new Error('mine');
    })();
    const refused = expect(thrown).rejects.toThrow('mine');
    await settle();
    await state.set('a', 1);
    await Promise.all([looped, refused]);
    expect(storage.watches).toBe(0);
    const changes = state.changes();
    await changes.return();
    expect(storage.watches).toBe(0);
  });

  it('rejects with what a read fails with, and gives its watch back', async () => {
    const storage = new FaultyStorage();
    const state = open(storage).state(Any);
    const { ended } = follow(state);
    const failed = expect(ended).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await settle();
    storage.nextReads.push(failWith(new Error('down')));
    await state.set('a', 1);
    await failed;
    expect(storage.watches).toBe(0);
  });

  it('ends as the app closes, whether looked at or not', async () => {
    const storage = new FaultyStorage();
    const app = open(storage);
    const { ended } = follow(app.state(Any));
    const unread = app.session('s').state(Any).changes();
    await settle();
    await app.close();
    expect([await ended, storage.watches]).toEqual(['ended', 0]);
    expect(await unread.next()).toMatchObject({ done: true });
  });

  it('never hangs on a state of a closed app', async () => {
    const app = open();
    const state = app.state(Any);
    await app.close();
    const ended = (async () => follow(state).ended)().catch(({ code }) => code);
    expect(['ended', 'APP_CLOSED']).toContain(await still(ended));
  });

  it('ends with its task by the signal of the context', async () => {
    const app = open();
    const watch = app.task('watch', { state: Any, ctx: Context }, async ({ state, ctx }) => {
      const seen: unknown[] = [];
      for await (const { step } of state.changes({ signal: ctx.signal })) seen.push(step);
      return seen;
    });
    const run = watch();
    await settle();
    await app.state(Any).set('step', 1);
    await settle();
    run.cancel();
    expect(await run.settled).toMatchObject({ status: 'cancel' });
  });

  it.each([[null], [1], [{ signal: 1 }], [{ signals: undefined }]])(
    'refuses the options %o at once',
    (options) => {
      const state = open().state(Any);
      const wrong = expect.objectContaining({ code: 'OPTION_INVALID' });
      expect(() => state.changes(options as unknown as object)).toThrow(wrong);
    },
  );
});
