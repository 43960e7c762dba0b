import { describe, expect, test } from 'vitest';
import { memory } from '../../adapters/memory.js';
import type { StorageAdapter } from '../../src/storage.js';
import { settle } from '../support/clock.js';
import { bounded, bucket, put, sessions, sweep } from '../support/memory.js';

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
    // More than a commit looks at by the way.
    for (const state of ['a', 'b', 'c', 'd'])
      await put(storage, bucket('ann', state), { ttl: 1_000 });
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

  test('may be a part of a millisecond', async () => {
    const { clock, storage } = bounded({ ttl: 0.5 });
    await put(storage, bucket('ann'));
    expect(await sessions(storage)).toEqual(['ann']);
    await clock.advance(2);
    expect(await sessions(storage)).toEqual([]);
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
