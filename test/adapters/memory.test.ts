import { describe, expect, test, vi } from 'vitest';
import { type MemoryOptions, memory } from '../../adapters/memory.js';
import { testStorage } from '../../adapters/testing/index.js';
import type { StorageAdapter } from '../../src/storage.js';
import { ManualClock, settle } from '../support/clock.js';
import { bounded, bucket, empty, put, sessions, sweep } from '../support/memory.js';

// All openers of one test are the same object, as they are in a runtime; its time is moved by hand.
testStorage(test, 'memory', () => {
  const clock = new ManualClock();
  const storage = memory({ clock });
  return { open: () => storage, sleep: (duration) => clock.advance(duration) };
});

test.for<[what: string, options: unknown]>([
  ['no session', { maxSessions: 0 }],
  ['a part of a session', { maxSessions: 1.5 }],
  ['sessions without end', { maxSessions: Infinity }],
  ['a text for maxSessions', { maxSessions: '3' }],
  ['no time', { ttl: 0 }],
  ['time that is no number', { ttl: Number.NaN }],
  ['time without end', { ttl: Infinity }],
  ['negative time', { ttl: -1 }],
  ['an onEvict that is no function', { onEvict: true }],
  ['a clock that is none', { clock: {} }],
  ['an option that there is not', { max: 3 }],
  ['no object', 3],
])('refuses %s', ([, options]) => {
  expect(() => memory(options as MemoryOptions)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID' }),
  );
});

test('takes every option as undefined', async () => {
  const none = { maxSessions: undefined, ttl: undefined, onEvict: undefined, clock: undefined };
  const storage = memory(none as unknown as MemoryOptions);
  await put(storage, bucket('ann'));
  expect(await sessions(storage)).toEqual(['ann']);
});

test('says what it expected and what it received', () => {
  expect(() => memory({ maxSessions: 1.5 })).toThrow(/maxSessions.*whole number.*received 1\.5/);
  expect(() => memory({ ttl: Number.NaN })).toThrow(/ttl.*milliseconds.*received NaN/);
});

test('goes by the time of the runtime by default', async () => {
  const storage = memory();
  const start = performance.now();
  await put(storage, bucket('ann'), { ttl: 30 });
  while ((await storage.read(bucket('ann'))).revision !== null) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  // The two clocks may round apart.
  expect(performance.now() - start).toBeGreaterThan(28);
});

test('says what it is', () => {
  expect(memory()).toMatchObject({ name: 'memory', scope: 'runtime' });
});

test('an id that is changed after its use names another bucket', async () => {
  const storage = memory();
  const id = { ...bucket('ann') };
  await put(storage, id);
  id.session = 'bob';
  await put(storage, id);
  expect(await sessions(storage)).toEqual(['ann', 'bob']);
});

test('two storages share nothing', async () => {
  const [one, other] = [memory(), memory()];
  await put(one, bucket('ann'));
  expect(await sessions(other)).toEqual([]);
});

test('drops nothing by default', async () => {
  const { clock, evicted, storage } = bounded();
  for (let index = 0; index < 3_000; index++) await put(storage, bucket(`s${index}`));
  await clock.advance(1e12);
  await sweep(storage);
  expect(await sessions(storage)).toHaveLength(3_001);
  expect(evicted).toEqual([]);
});

describe('watch', () => {
  const watched = (storage: StorageAdapter) => {
    const told: number[] = [];
    const stop = storage.watch?.(bucket('ann'), (change) => told.push(change.sequence));
    return { told, stop };
  };

  test('tells nothing before the commit was made, and all in its order', async () => {
    const storage = memory();
    const { told } = watched(storage);
    const commits = [1, 2, 3].map((sequence) => put(storage, bucket('ann'), { sequence }));
    expect(told).toEqual([]);
    await Promise.all(commits);
    expect(told).toEqual([1, 2, 3]);
  });

  test('a stop counts at once, also for what was not told yet', async () => {
    const storage = memory();
    const { told, stop } = watched(storage);
    const commit = put(storage, bucket('ann'));
    stop?.();
    await commit;
    await settle();
    expect(told).toEqual([]);
  });

  test('a close counts at once, also for what was not told yet', async () => {
    const storage = memory();
    const { told } = watched(storage);
    const commit = put(storage, bucket('ann'));
    await storage.close();
    await commit;
    await settle();
    expect(told).toEqual([]);
  });

  test('tells who comes later nothing of what was before', async () => {
    const storage = memory();
    const first = watched(storage);
    const commit = put(storage, bucket('ann'));
    const later = watched(storage);
    await commit;
    await settle();
    expect([first.told.length, later.told]).toEqual([1, []]);
  });

  test('an error of a listener is printed, and the others are told', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const storage = memory();
    const error = new Error('of a listener');
    storage.watch?.(bucket('ann'), () => {
      throw error;
    });
    const { told } = watched(storage);
    expect(await put(storage, bucket('ann'), { sequence: 1 })).toMatchObject({ ok: true });
    await settle();
    expect(told).toEqual([1]);
    expect(print.mock.calls).toEqual([[expect.stringContaining('watch'), error]]);
    print.mockRestore();
  });
});

test('a close leaves locks to who holds them and who waits', async () => {
  const storage = memory();
  const place = { app: 'app', session: 'ann' };
  const release = await storage.lock?.(place, {});
  let isIn = false;
  const next = storage.lock?.(place, {}).then(() => {
    isIn = true;
  });
  await storage.close();
  await settle();
  expect(isIn).toBe(false);
  await release?.();
  await next;
  expect(isIn).toBe(true);
});

test('locks are given in the order in which they were asked for', async () => {
  const storage = memory();
  const order: number[] = [];
  const enter = async (index: number): Promise<void> => {
    const release = await storage.lock?.({ app: 'app', session: 'ann' }, {});
    order.push(index);
    await settle();
    await release?.();
  };
  await Promise.all([1, 2, 3, 4].map(enter));
  expect(order).toEqual([1, 2, 3, 4]);
});

test('a ttl that is no duration is refused before anything happens', async () => {
  const storage = memory();
  for (const ttl of [Number.NaN, -1]) {
    const commit = { writer: 'w', sequence: 1, ttl };
    await expect(put(storage, bucket('ann'), commit)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
  }
  await put(storage, bucket('ann'), { writer: 'w', sequence: 1 });
  expect(await sessions(storage)).toEqual(['ann']);
});

describe('what is over', () => {
  test('an expired bucket is dropped, though nobody asks for it', async () => {
    const { clock, storage } = bounded();
    await put(storage, bucket('ann'), { writer: 'w', sequence: 1, ttl: 1_000 });
    await clock.advance(1_001);
    await sweep(storage);
    // What it left behind is now the oldest of its kind, and only so many are kept.
    for (let index = 0; index <= 10_000; index++) await put(storage, bucket(`s${index}`), empty);
    await put(storage, bucket('ann'), { writer: 'w', sequence: 1 });
    expect(await sessions(storage)).toEqual(['ann', 'busy']);
  });

  test('the sequences of a bucket that is gone are known for two minutes', async () => {
    const { clock, storage } = bounded();
    await clock.advance(119_000);
    await put(storage, bucket('ann'), { writer: 'w', sequence: 1 });
    await put(storage, bucket('ann'), { ...empty, writer: 'w', sequence: 2 });
    for (const passed of [60_000, 59_999]) {
      await clock.advance(passed);
      await put(storage, bucket('bob'), empty);
    }
    await put(storage, bucket('ann'), { writer: 'w', sequence: 2 });
    expect(await sessions(storage)).toEqual([]);
  });

  test('the sequences of 5,000 buckets that are gone are known, and of no more than 10,000', async () => {
    const { storage } = bounded();
    const leave = async (name: string): Promise<void> => {
      await put(storage, bucket(name), { ...empty, writer: 'w', sequence: 1 });
    };
    await leave('ann');
    for (let index = 0; index < 5_000; index++) await leave(`a${index}`);
    await put(storage, bucket('ann'), { writer: 'w', sequence: 1 });
    expect(await sessions(storage)).toEqual([]);
    for (let index = 0; index < 10_000; index++) await leave(`b${index}`);
    await put(storage, bucket('ann'), { writer: 'w', sequence: 1 });
    expect(await sessions(storage)).toEqual(['ann']);
  });

  test('an expired bucket still knows the sequences of its writers', async () => {
    const { clock, storage } = bounded();
    await put(storage, bucket('ann'), { writer: 'w', sequence: 1, ttl: 1_000 });
    await clock.advance(1_001);
    await put(storage, bucket('ann'), { writer: 'w', sequence: 1 });
    expect(await sessions(storage)).toEqual([]);
  });

  test('a writer that commits again is a new one', async () => {
    const storage = memory();
    const send = (writer: string, sequence: number, field = 'a') =>
      put(storage, bucket('ann'), { writer, sequence, set: new Map([[field, '1']]) });
    for (let index = 0; index < 16; index++) await send(`w${index}`, 1);
    await send('w0', 2);
    await send('w16', 1);
    await send('w0', 2, 'known');
    await send('w1', 1, 'forgotten');
    expect([...(await storage.read(bucket('ann'))).fields.keys()]).toEqual(['a', 'forgotten']);
  });

  test('a seventeenth writer makes a bucket forget the one that was silent longest', async () => {
    const storage = memory();
    const send = (writer: string, field: string) =>
      put(storage, bucket('ann'), { writer, sequence: 1, set: new Map([[field, '1']]) });
    for (let index = 0; index < 17; index++) await send(`w${index}`, 'a');
    await send('w1', 'known');
    await send('w0', 'forgotten');
    expect([...(await storage.read(bucket('ann'))).fields.keys()]).toEqual(['a', 'forgotten']);
  });
});
