/** Many calls at once: none is lost, few commits are made, and each sees what it must. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { AsyncState, QTasks } from '../../src/index.js';
import { settle } from '../support/clock.js';
import { answerAfter, FaultyStorage, gate, passAfter } from '../support/faulty.js';

type Shape = Record<string, unknown>;

class Counter extends AsyncState<{ count: number }> {
  static readonly id = 'counter';
}

class Any extends AsyncState<Shape> {
  static readonly id = 'any';
}

const increment = ({ count = 0 }: { count?: number }): { count: number } => ({ count: count + 1 });
const app = (storage = memory()): QTasks => new QTasks({ name: 'app', storage });

/** Calls a function so often, all at once. */
const times = <T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => call(index)));

describe('1,000 concurrent updates by a function', () => {
  it('count to 1,000 in a few commits, and each sees another number', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Counter);
    const all = await times(1_000, () => state.update(increment));
    expect(await state.get('count')).toBe(1_000);
    expect(new Set(all.map(({ count }) => count)).size).toBe(1_000);
    expect(storage.commits.length).toBeLessThanOrEqual(3);
  });

  it.each([2, 3, 4])('lose nothing between %i apps on one storage', async (count) => {
    const storage = new FaultyStorage();
    const states = Array.from({ length: count }, () => app(storage).state(Counter));
    await times(1_000, async (index) => states[index % count]?.update(increment));
    for (const state of states) expect(await state.get('count')).toBe(1_000);
    expect(storage.commits.length).toBeLessThanOrEqual(8 * count);
  });

  it('lose nothing one after the other, from 3 apps that alternate by chance', async () => {
    const storage = memory();
    const one = async (): Promise<void> => {
      const state = app(storage).state(Counter);
      for (let turn = 0; turn < 50; turn++) await state.update(increment);
    };
    await times(3, one);
    expect(await app(storage).state(Counter).get('count')).toBe(150);
  });

  it('lose nothing from runs of a task', async () => {
    const one = app();
    const task = one.task('increment', { state: Counter }, async ({ state }) => {
      await state.update(increment);
    });
    await times(100, async () => task());
    expect(await one.state(Counter).get('count')).toBe(100);
  });
});

describe('writes without a look', () => {
  it('of one bucket travel as few commits that read nothing and never conflict', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Any);
    await times(1_000, (index) => state.set(`f${index}`, index));
    expect(storage.commits).toHaveLength(2);
    expect(storage.reads).toHaveLength(0);
    for (const { commit } of storage.commits) expect(commit).not.toHaveProperty('ifRevision');
    const all = await state.getAll();
    expect(Object.keys(all)).toHaveLength(1_000);
    expect(all).toMatchObject({ f0: 0, f999: 999 });
  });

  it('of one field end with the last one', async () => {
    const state = app().state(Any);
    await times(1_000, (index) => state.set('a', index));
    expect(await state.get('a')).toBe(999);
  });

  it('of several apps all survive', async () => {
    const storage = memory();
    const states = [app(storage), app(storage), app(storage)].map((one) => one.state(Any));
    await times(300, async (index) => states[index % 3]?.set(`f${index}`, index));
    expect(Object.keys((await states[0]?.getAll()) ?? {})).toHaveLength(300);
  });
});

describe('the order of calls', () => {
  it('is that of the program, whatever the calls are', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Any);
    const { opened, open } = gate();
    storage.nextCommits.push(passAfter(() => opened));
    const calls = [
      state.set('first', 1),
      state.set('a', 1),
      state.update({ b: 1, c: 1 }),
      state.clear(),
      state.set('b', 2),
      state.delete('b'),
      state.set('a', 3),
      state.update(({ a }) => ({ d: a })),
      state.delete('a'),
      state.set('e', 5),
    ];
    open();
    await Promise.all(calls);
    expect(await state.getAll()).toEqual({ d: 3, e: 5 });
    expect(storage.commits).toHaveLength(2);
  });

  it('is also that of the answers', async () => {
    const state = app().state(Any);
    const order: number[] = [];
    const calls = [state.set('a', 1), state.update(() => ({})), state.delete('a'), state.clear()];
    await Promise.all(calls.map(async (call, index) => call.then(() => order.push(index))));
    expect(order).toEqual([0, 1, 2, 3]);
  });
});

describe('reads', () => {
  it('see the writes that were called before them, those that still queue too', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Any);
    const gates = [gate(), gate()] as const;
    for (const { opened } of gates) storage.nextCommits.push(passAfter(() => opened));
    void state.set('a', 1);
    void state.set('a', 2);
    const read = state.get('a');
    await settle();
    gates[0].open();
    await settle();
    expect([storage.commits.length, storage.reads.length]).toEqual([2, 0]);
    gates[1].open();
    expect(await read).toBe(2);
  });

  it('do not join one that waits for fewer writes', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Any);
    const gates = [gate(), gate()] as const;
    for (const { opened } of gates) storage.nextCommits.push(passAfter(() => opened));
    void state.set('a', 1);
    const early = state.get('a');
    await settle();
    void state.set('a', 2);
    const late = state.get('a');
    gates[0].open();
    expect(await early).toBe(1);
    gates[1].open();
    expect(await late).toBe(2);
  });

  it('see a write that was called before them though it fails', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Any);
    storage.nextCommits.push(async () => Promise.reject(new Error('down')));
    const write = state.set('a', 1);
    const read = state.get('a');
    await expect(write).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await read).toBeUndefined();
  });

  it('do not wait for writes that keep coming', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Any);
    const { opened, open } = gate();
    void state.set('a', 1);
    const read = state.get('a');
    storage.nextCommits.push(passAfter(() => opened));
    await settle();
    const late = state.set('a', 2);
    expect(await Promise.race([read, settle().then(() => 'blocked')])).toBe(1);
    open();
    await late;
  });

  it('never hold a write up', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Any);
    const { opened, open } = gate();
    storage.nextReads.push(answerAfter(() => opened));
    const read = state.get('a');
    await settle();
    expect(storage.reads).toHaveLength(1);
    await state.set('a', 1);
    await state.update(() => ({ b: 2 }));
    open();
    expect(await read).toBeUndefined();
  });

  it('of one tick share one read of the fields that are wanted', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Any);
    await state.update({ a: 1, b: 2 });
    const all = await Promise.all([
      state.get('a'),
      state.get('b'),
      state.get('\0'),
      state.get('a'),
    ]);
    expect(all).toEqual([1, 2, undefined, 1]);
    expect(storage.reads).toHaveLength(1);
    expect(new Set(storage.reads[0]?.fields)).toEqual(new Set(['\0v', 'a', 'b', '\0\0']));
    await Promise.all([state.get('a'), state.getAll()]);
    expect(storage.reads).toHaveLength(2);
    expect(storage.reads[1]?.fields).toBeUndefined();
  });

  it('never take what was read before they were called', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Any);
    const { opened, open } = gate();
    storage.nextReads.push(answerAfter(() => opened));
    const early = state.get('a');
    await settle();
    await app(storage).state(Any).set('a', 1);
    const late = state.get('a');
    open();
    expect(await Promise.all([early, late])).toEqual([undefined, 1]);
  });

  it('in one tick with a write between them are told apart', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Any);
    const early = state.get('a');
    void state.set('a', 1);
    expect(await state.get('a')).toBe(1);
    expect([undefined, 1]).toContain(await early);
  });

  it('that come late do not make an update work on what is old', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Counter);
    const { opened, open } = gate();
    storage.nextReads.push(answerAfter(() => opened));
    const read = state.getAll();
    await settle();
    await state.update(increment);
    await state.update(increment);
    open();
    expect(await read).toEqual({});
    expect(await state.update(increment)).toEqual({ count: 3 });
  });
});

describe('different buckets', () => {
  it('never wait for each other', async () => {
    const storage = new FaultyStorage();
    const one = app(storage);
    const { opened, open } = gate();
    storage.nextCommits.push(passAfter(() => opened));
    const slow = one.session('slow').state(Any).set('a', 1);
    await one.session('fast').state(Any).set('a', 1);
    await one.session('slow').state(Counter).update(increment);
    await one.state(Any).set('a', 1);
    expect(await one.session('slow').state(Counter).get('count')).toBe(1);
    open();
    await slow;
  });
});

describe('an update function', () => {
  it('that throws on a stale view runs again before its rejection is believed', async () => {
    const storage = memory();
    const [state, other] = [app(storage).state(Counter), app(storage).state(Counter)];
    await state.update({ count: 1 });
    await other.update({ count: 2 });
    const seen: unknown[] = [];
    const all = await state.update(({ count }) => {
      seen.push(count);
      if (count !== 2) throw new Error('stale');
      return { count: 3 };
    });
    expect([all, seen]).toEqual([{ count: 3 }, [1, 2]]);
  });

  it('that throws on a first view without any knowledge is not believed either', async () => {
    const storage = memory();
    await app(storage).state(Counter).update({ count: 1 });
    const take = ({ count = 0 }): { count: number } => {
      if (count < 1) throw new Error('nothing left');
      return { count: count - 1 };
    };
    const state = app(storage).state(Counter);
    expect(await state.update(take)).toEqual({ count: 0 });
    await expect(state.update(take)).rejects.toThrow('nothing left');
  });

  it('that throws fails alone among the calls of its group', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Any);
    const { opened, open } = gate();
    storage.nextCommits.push(passAfter(() => opened));
    const first = state.set('first', 1);
    const fails = state.update(() => {
      throw new Error('mine');
    });
    const refused = state.update(() => ({ good: 1, bad: () => {} }));
    const others = [state.set('a', 1), state.update(({ a }) => ({ b: a })), first];
    open();
    await expect(fails).rejects.toThrow('mine');
    await expect(refused).rejects.toMatchObject({
      code: 'VALUE_UNSUPPORTED',
      data: { path: ['bad'] },
    });
    await Promise.all(others);
    expect(await state.getAll()).toEqual({ first: 1, a: 1, b: 1 });
  });

  it('may call the state itself, without a deadlock', async () => {
    const state = app().state(Any);
    let inner: Promise<unknown> | undefined;
    await state.update(() => {
      inner ??= Promise.all([state.set('b', 2), state.get('a')]);
      return { a: 1 };
    });
    expect(await inner).toEqual([undefined, 1]);
    expect(await state.getAll()).toEqual({ a: 1, b: 2 });
  });
});
