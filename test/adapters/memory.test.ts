import { describe, expect, test, vi } from 'vitest';
import { type MemoryOptions, memory } from '../../adapters/memory.js';
import { testStorage } from '../../adapters/testing/index.js';
import type { BucketId, Commit, StorageAdapter } from '../../src/storage.js';
import { ManualClock, settle } from '../support/clock.js';

// All openers of one test are the same object, as they are in a runtime; its time is moved by hand.
testStorage(test, 'memory', () => {
  const clock = new ManualClock();
  const storage = memory({ clock });
  return { open: () => storage, sleep: (duration) => clock.advance(duration) };
});

const bucket = (session: string, state = 'cart'): BucketId => ({ app: 'app', session, state });

let sequence = 0;

/** Commits as a writer that never repeats itself, unless told to. */
function put(storage: StorageAdapter, id: BucketId, changes: Partial<Commit> = {}) {
  const commit = { writer: 'me', sequence: ++sequence, set: new Map([['a', '1']]), ...changes };
  return storage.commit(id, commit);
}

async function sessions(storage: StorageAdapter): Promise<string[]> {
  const found = new Set<string>();
  for await (const { session } of storage.list({ app: 'app' })) found.add(session);
  return [...found].sort();
}

/** A storage on a clock moved by hand, and the sessions that it has dropped. */
function bounded(options: MemoryOptions = {}) {
  const clock = new ManualClock();
  const evicted: string[] = [];
  const onEvict = ({ session }: { session: string }): number => evicted.push(session);
  return { clock, evicted, storage: memory({ clock, onEvict, ...options }) };
}

/** Makes more commits than it takes until the storage has looked for what is over. */
async function sweep(storage: StorageAdapter): Promise<void> {
  for (let count = 0; count < 2_100; count++) await put(storage, bucket('busy', 'other'));
}

/** Lets a bucket go, by an expiry that nobody looks at or by emptying it. */
const empty = { clear: true, set: new Map() };

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

describe('maxSessions', () => {
  test('drops the session that was used least recently, with all its buckets', async () => {
    const { evicted, storage } = bounded({ maxSessions: 2 });
    await put(storage, bucket('ann'));
    await put(storage, bucket('ann', 'wishes'));
    await put(storage, bucket('bob'));
    await put(storage, bucket('cid'));
    expect(await sessions(storage)).toEqual(['bob', 'cid']);
    expect(evicted).toEqual(['ann']);
    expect(await storage.read(bucket('ann', 'wishes'))).toMatchObject({ revision: null });
  });

  test('counts a read as a use', async () => {
    const { evicted, storage } = bounded({ maxSessions: 2 });
    await put(storage, bucket('ann'));
    await put(storage, bucket('bob'));
    await storage.read(bucket('ann'));
    await put(storage, bucket('cid'));
    expect(evicted).toEqual(['bob']);
  });

  test('counts a list as no use', async () => {
    const { evicted, storage } = bounded({ maxSessions: 3 });
    for (const session of ['ann', 'bob', 'cid']) await put(storage, bucket(session));
    await sessions(storage);
    await put(storage, bucket('dan'));
    expect(evicted).toEqual(['ann']);
  });

  test('tells nothing of a session that was emptied, and gives its place away', async () => {
    const { evicted, storage } = bounded({ maxSessions: 2 });
    await put(storage, bucket('ann'));
    await put(storage, bucket('bob'));
    await put(storage, bucket('ann'), { clear: true, set: new Map() });
    await put(storage, bucket('cid'));
    expect(evicted).toEqual([]);
    expect(await sessions(storage)).toEqual(['bob', 'cid']);
  });

  test('keeps a place for nothing: a clear of what is absent drops nobody', async () => {
    const { evicted, storage } = bounded({ maxSessions: 1 });
    await put(storage, bucket('ann'));
    await put(storage, bucket('bob'), { clear: true, set: new Map() });
    expect(evicted).toEqual([]);
    expect(await sessions(storage)).toEqual(['ann']);
  });

  test('tells sessions of different apps apart', async () => {
    const dropped: unknown[] = [];
    const storage = memory({ maxSessions: 1, onEvict: (session) => dropped.push(session) });
    await put(storage, { app: 'a', session: 'b:c', state: 's' });
    await put(storage, { app: 'a:b', session: 'c', state: 's' });
    expect(dropped).toEqual([{ app: 'a', session: 'b:c' }]);
  });

  test('a revision from before an eviction never fits again', async () => {
    const { storage } = bounded({ maxSessions: 1 });
    const first = await put(storage, bucket('ann'));
    await put(storage, bucket('bob'));
    await put(storage, bucket('ann'));
    const ifRevision = first.ok ? first.revision : 'none';
    expect(await put(storage, bucket('ann'), { ifRevision })).toMatchObject({ ok: false });
  });

  test('tells nothing of a session whose states had all expired', async () => {
    const { clock, evicted, storage } = bounded({ maxSessions: 1 });
    await put(storage, bucket('ann'), { ttl: 1_000 });
    await clock.advance(1_000);
    await put(storage, bucket('bob'));
    await settle();
    expect(evicted).toEqual([]);
  });

  test('an evicted bucket still knows the sequences of its writers', async () => {
    const { evicted, storage } = bounded({ maxSessions: 1 });
    await put(storage, bucket('ann'), { writer: 'w', sequence: 1 });
    await put(storage, bucket('bob'));
    await put(storage, bucket('ann'), { writer: 'w', sequence: 1 });
    expect(await sessions(storage)).toEqual(['bob']);
    expect(evicted).toEqual(['ann']);
  });

  test('onEvict may use the storage', async () => {
    const evicted: string[] = [];
    const storage: StorageAdapter = memory({
      maxSessions: 1,
      async onEvict({ session }) {
        evicted.push(session);
        if (session === 'ann') await put(storage, bucket('archive'));
      },
    });
    await put(storage, bucket('ann'));
    expect(await put(storage, bucket('bob'))).toMatchObject({ ok: true });
    await settle();
    expect(await sessions(storage)).toEqual(['archive']);
    expect(evicted).toEqual(['ann', 'bob']);
  });
});

describe('ttl', () => {
  test('drops a session once it was not used for so long', async () => {
    const { clock, storage } = bounded({ ttl: 1_000 });
    await put(storage, bucket('ann'));
    await clock.advance(999);
    expect(await sessions(storage)).toEqual(['ann']);
    await clock.advance(2);
    expect(await sessions(storage)).toEqual([]);
    expect(await storage.read(bucket('ann'))).toMatchObject({ revision: null });
  });

  test('holds on a clock that begins at 0', async () => {
    let now = 0;
    const clock = { now: () => now, setTimeout() {}, clearTimeout() {} };
    const storage = memory({ ttl: 1_000, clock });
    await put(storage, bucket('ann'));
    now = 1_001;
    expect(await storage.read(bucket('ann'))).toMatchObject({ revision: null });
  });

  test('a commit to one state keeps the others of its session', async () => {
    const { clock, storage } = bounded({ ttl: 1_000 });
    await put(storage, bucket('ann', 'wishes'));
    for (let time = 0; time < 3_000; time += 500) {
      await clock.advance(500);
      await put(storage, bucket('ann'));
    }
    expect(await storage.read(bucket('ann', 'wishes'))).not.toMatchObject({ revision: null });
  });

  test('counts from the last read or commit', async () => {
    const { clock, storage } = bounded({ ttl: 1_000 });
    await put(storage, bucket('ann'));
    await put(storage, bucket('bob'));
    for (let time = 0; time < 3_000; time += 500) {
      await clock.advance(500);
      await storage.read(bucket('ann'));
      await put(storage, bucket('bob'));
    }
    expect(await sessions(storage)).toEqual(['ann', 'bob']);
  });

  test('counts a list as no use', async () => {
    const { clock, storage } = bounded({ ttl: 1_000 });
    await put(storage, bucket('ann'));
    await clock.advance(600);
    expect(await sessions(storage)).toEqual(['ann']);
    await clock.advance(600);
    expect(await sessions(storage)).toEqual([]);
  });

  test('tells of a session that nobody asks for again, while others go on', async () => {
    const { clock, evicted, storage } = bounded({ ttl: 1_000 });
    await put(storage, bucket('idle'));
    for (let time = 0; time < 3_000; time += 500) {
      await sweep(storage);
      await clock.advance(500);
    }
    expect(evicted).toEqual(['idle']);
  });
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
    await put(storage, bucket('ann'), { writer: 'w', sequence: 1 });
    await put(storage, bucket('ann'), { ...empty, writer: 'w', sequence: 2 });
    await clock.advance(119_999);
    await put(storage, bucket('bob'), empty);
    await put(storage, bucket('ann'), { writer: 'w', sequence: 2 });
    expect(await sessions(storage)).toEqual([]);
  });

  test('the sequences of 5,000 buckets that are gone are known, and of no more than 10,000', async () => {
    const { storage } = bounded();
    const leave = async (name: string): Promise<void> => {
      await put(storage, bucket(name), { ...empty, writer: 'w', sequence: 1 });
    };
    await leave('ann');
    for (let index = 0; index < 4_999; index++) await leave(`a${index}`);
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
