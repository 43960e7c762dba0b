import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { expect, test } from 'vitest';
import { redis } from '../../../adapters/redis.js';
import { AsyncState, QTasks } from '../../../src/index.js';
import type { BucketId, Change, StorageAdapter } from '../../../src/storage.js';
import { RedisServer } from '../../support/redis.js';
import { Stage } from './support.js';

const stage = new Stage(() => RedisServer.start({ aof: true }));

function watch(storage: StorageAdapter, id: BucketId): { changes: Change[]; stop: () => void } {
  const changes: Change[] = [];
  const stop = storage.watch?.(id, (change) => changes.push(change)) ?? (() => {});
  return { changes, stop };
}

const sequences = (changes: readonly Change[]): number[] => changes.map(({ sequence }) => sequence);

test('all buckets of a client share one stream, also those that come later, and nothing is lost', async () => {
  const [storage, other] = [stage.open(), stage.open()];
  const ids = Array.from({ length: 8 }, (_, index) => stage.bucket({ session: `s${index}` }));
  const [first] = ids;
  const watched: ReturnType<typeof watch>[] = [];
  let sequence = 0;
  const commit = async (): Promise<void> => {
    await other.commit(first as BucketId, {
      writer: 'w',
      sequence: ++sequence,
      set: new Map([['a', '1']]),
    });
  };
  for (const id of ids) {
    watched.push(watch(storage, id));
    await sleep(watched.length === 1 ? 100 : 5);
    await commit();
  }
  await expect.poll(() => stage.rest.streams).toBe(1);
  await commit();
  const told = (): number[] => sequences(watched[0]?.changes ?? []);
  await expect.poll(() => told().at(-1)).toBe(9);
  // Two streams overlap for a moment; where they disagree, anything may have changed.
  const exact = told().filter((sequence) => sequence > 0);
  expect(exact).toEqual([...exact].sort((a, b) => a - b));
  if (exact.length < 9) expect(told()).toContain(0);
  const [last] = ids.slice(-1);
  await other.commit(last as BucketId, { writer: 'w', sequence: 1, clear: true });
  await expect.poll(() => watched[7]?.changes.length).toBe(1);
  for (const { stop } of watched) stop();
  await expect.poll(() => stage.rest.streams).toBe(0);
});

test('after a gap a watcher is told that anything may have changed, and then of each commit again', async () => {
  const [storage, other] = [stage.open(), redis({ client: stage.server.ioredis() })];
  const { changes } = watch(storage, stage.bucket());
  const quiet = watch(storage, stage.bucket({ state: 'quiet' }));
  await expect.poll(() => stage.rest.streams).toBe(1);
  await sleep(100);
  const { opened } = stage.rest;
  stage.rest.cut();
  await other.commit(stage.bucket(), stage.commit({ writer: 'other' }));
  await expect.poll(() => changes.length).toBe(1);
  expect(changes[0]).toMatchObject({ writer: '', fields: 'all' });
  await expect.poll(() => stage.rest.opened).toBeGreaterThan(opened);
  await sleep(300);
  const next = stage.commit({ writer: 'other' });
  await other.commit(stage.bucket(), next);
  await expect.poll(() => sequences(changes)).toEqual([0, next.sequence]);
  expect(quiet.changes).toEqual([]);
  await storage.close();
});

test.each(['ioredis', 'node-redis'] as const)(
  'a Redis that was killed is heard again: %s',
  async (kind) => {
    const open = async (): Promise<StorageAdapter> =>
      redis({
        client: kind === 'ioredis' ? stage.server.ioredis() : await stage.server.nodeRedis(),
      });
    const [storage, other] = [await open(), await open()];
    await Promise.all([storage.read(stage.bucket()), other.read(stage.bucket())]);
    const { changes } = watch(storage, stage.bucket());
    await sleep(100);
    await other.commit(stage.bucket(), stage.commit({ writer: 'w', sequence: 1 }));
    await expect.poll(() => sequences(changes)).toEqual([1]);
    await stage.server.kill();
    await stage.server.restart();
    await other.commit(stage.bucket(), stage.commit({ writer: 'w', sequence: 2 }));
    await expect.poll(() => changes.length, { timeout: 5_000 }).toBeGreaterThan(1);
    await sleep(300);
    await other.commit(stage.bucket(), stage.commit({ writer: 'w', sequence: 3 }));
    await expect.poll(() => sequences(changes).at(-1)).toBe(3);
    expect((await storage.read(stage.bucket())).fields.size).toBe(1);
    await storage.close();
  },
);

test('a client that keeps no commands until it is connected watches as others do', async () => {
  const client = new Redis(stage.server.url, { enableOfflineQueue: false });
  await once(client, 'ready');
  const storage = redis({ client });
  const { changes } = watch(storage, stage.bucket());
  await sleep(1_000);
  const commit = stage.commit();
  await stage.open().commit(stage.bucket(), commit);
  // Told of the commit itself, not that something has changed.
  await expect.poll(() => sequences(changes)).toEqual([commit.sequence]);
  await storage.close();
  client.disconnect();
});

test.each(['ioredis', 'node-redis'] as const)(
  'a client that does not connect again by itself goes on watching: %s',
  async (kind) => {
    const ioredis = new Redis(stage.server.url, { retryStrategy: () => null });
    const nodeRedis = createClient({
      url: stage.server.url,
      socket: { reconnectStrategy: false },
    });
    await nodeRedis.connect();
    const storage = redis({ client: kind === 'ioredis' ? ioredis : nodeRedis });
    const { changes } = watch(storage, stage.bucket());
    await sleep(100);
    await stage.server.ioredis().call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await stage.open().commit(stage.bucket(), stage.commit());
    await expect.poll(() => changes.length).toBe(1);
    await sleep(500);
    const commit = stage.commit();
    await stage.open().commit(stage.bucket(), commit);
    await expect.poll(() => sequences(changes).at(-1)).toBe(commit.sequence);
    await storage.close();
    ioredis.disconnect();
    nodeRedis.destroy();
  },
);

test('while a stream has said nothing the revisions tell of changes', async () => {
  stage.rest.isMute = true;
  const [storage, other] = [stage.open(), stage.open()];
  const { changes } = watch(storage, stage.bucket());
  await expect.poll(() => stage.rest.streams).toBe(1);
  await other.commit(stage.bucket(), stage.commit({ writer: 'other' }));
  await expect.poll(() => changes.length, { timeout: 5_000 }).toBe(1);
  expect(changes[0]).toMatchObject({ writer: '', fields: 'all' });
  await storage.close();
  await expect.poll(() => stage.rest.streams).toBe(0);
});

test('where there is no stream the revisions tell of changes', async () => {
  stage.rest.canSubscribe = false;
  const [storage, other] = [stage.open(), stage.open()];
  const { changes } = watch(storage, stage.bucket());
  await sleep(50);
  await other.commit(stage.bucket(), stage.commit({ writer: 'other' }));
  await expect.poll(() => changes.length, { timeout: 3_000 }).toBe(1);
  expect(changes[0]).toMatchObject({ writer: '', fields: 'all' });
  await storage.commit(stage.bucket(), stage.commit({ writer: 'own', sequence: 1 }));
  await expect.poll(() => changes.length).toBe(2);
  expect(changes[1]).toMatchObject({ writer: 'own', sequence: 1, fields: ['a'] });
  await sleep(1_500);
  expect(changes.length).toBe(2);
  expect(stage.rest.exchanges.filter(({ path }) => path !== '/pipeline').length).toBe(1);
  await storage.close();
  const sent = stage.rest.exchanges.length;
  await sleep(1_200);
  expect(stage.rest.exchanges.length).toBe(sent);
});

test('a stream ends with the storage, also where `fetch` heeds no signal', async () => {
  const storage = stage.open({
    fetch: (url, { signal: _, ...init }) => fetch(url, init),
  });
  watch(storage, stage.bucket());
  await expect.poll(() => stage.rest.streams).toBe(1);
  await sleep(50);
  await storage.close();
  await expect.poll(() => stage.rest.streams).toBe(0);
});

test.each(['HTTP', 'a client'])('names of any kind are told: over %s', async (way) => {
  const storage = way === 'HTTP' ? stage.open() : redis({ client: stage.server.ioredis() });
  const { changes } = watch(storage, stage.bucket());
  await sleep(100);
  const names = [
    'a\u2028b',
    'a\u2029b',
    'a\rb',
    'a\r\nb',
    '\u0085',
    '\u007f',
    '\0',
    ',',
    '"',
    '\ud83d',
  ];
  for (const name of names) {
    const commit = stage.commit({ writer: name, set: new Map([[name, '1']]) });
    await stage.open().commit(stage.bucket(), commit);
  }
  await expect.poll(() => changes.length).toBe(names.length);
  expect(changes.map(({ fields }) => fields)).toEqual(names.map((name) => [name]));
  expect(changes.map(({ writer }) => writer)).toEqual(names);
  await storage.close();
});

test('names of any length are watched, as many as there are', async () => {
  const storage = stage.open();
  const ids = [
    stage.bucket({ session: '%'.repeat(10_000) }),
    ...Array.from({ length: 300 }, (_, index) => stage.bucket({ session: `s${index}` })),
  ];
  const watched = ids.map((id) => watch(storage, id));
  await sleep(200);
  const other = stage.open();
  await Promise.all(
    ids.map((id, index) => other.commit(id, stage.commit({ writer: `w${index}` }))),
  );
  const isTold = (): boolean => watched.every(({ changes }) => changes.length === 1);
  await expect.poll(isTold, { timeout: 5_000 }).toBe(true);
  await storage.close();
});

test('what is published by others than the script is passed over', async () => {
  const storage = stage.open();
  const { changes } = watch(storage, stage.bucket());
  await sleep(100);
  const client = stage.server.ioredis();
  const channel = `qt:{${stage.app}:ann:cart}:changes`;
  for (const message of ['', 'null', '{}', '[]', '["x"]', '[', '1'])
    await client.publish(channel, message);
  const commit = stage.commit();
  await stage.open().commit(stage.bucket(), commit);
  await expect.poll(() => sequences(changes)).toEqual([commit.sequence]);
  await storage.close();
});

test('a write of one’s own is told once, however soon it comes', async () => {
  class Cart extends AsyncState<{ items: number }> {
    static readonly id = 'cart';
  }
  for (const storage of [stage.open(), redis({ client: stage.server.ioredis() })]) {
    const cart = new QTasks({ name: stage.app, storage }).session('ann').state(Cart);
    const told: string[] = [];
    const stop = cart.subscribe(({ origin, changed }) => told.push(`${origin} ${changed}`));
    await cart.set('items', 1);
    await cart.set('items', 2);
    await sleep(300);
    expect(told).toEqual(['local items', 'local items']);
    stop();
    await storage.close();
  }
});
