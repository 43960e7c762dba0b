import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { redis } from '../../../adapters/redis.js';
import type { Change } from '../../../src/storage.js';
import { freePort, RedisServer } from '../../support/redis.js';

/** How many hash slots a cluster has. */
const slots = 16_384;
const servers: RedisServer[] = [];

/** Two nodes that share the slots, as `redis-cli --cluster create` would make them. */
beforeAll(async () => {
  const buses = [await freePort(), await freePort()];
  for (const bus of buses) {
    const args = ['--cluster-enabled', 'yes', '--cluster-port', String(bus)];
    servers.push(await RedisServer.start({ args }));
  }
  const clients = servers.map((server) => server.ioredis());
  for (const [index, client] of clients.entries()) {
    const half = Array.from({ length: slots / 2 }, (_, slot) => slot + (index * slots) / 2);
    await client.call('CLUSTER', 'ADDSLOTS', ...half);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  const { port } = new URL(servers[1]?.url ?? '');
  await clients[0]?.call('CLUSTER', 'MEET', '127.0.0.1', port, String(buses[1]));
  const states = (): Promise<unknown[]> =>
    Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')));
  const ready = expect.stringMatching(/cluster_state:ok.*cluster_known_nodes:2/s);
  await vi.waitFor(async () => expect(await states()).toEqual([ready, ready]), 20_000);
});

afterAll(async () => {
  for (const server of servers) await server.stop();
});

test('on a cluster of ioredis all is read, written, watched, locked and listed', async () => {
  const cluster = new Cluster([servers[0]?.url ?? '']);
  const storage = redis({ client: cluster });
  const ids = Array.from({ length: 20 }, (_, index) => ({
    app: 'shop',
    session: `s${index}`,
    state: 'cart',
  }));
  const told: Change[] = [];
  for (const id of ids) storage.watch?.(id, (change) => told.push(change));
  // Before it is connected.
  for await (const id of storage.list({ app: 'shop' })) expect(id).toBeUndefined();
  const set = new Map([['a', '1']]);
  for (const id of ids) {
    const release = await storage.lock?.(id, {});
    await storage.commit(id, { writer: 'w', sequence: 1, set });
    await release?.();
    expect((await storage.read(id)).fields).toEqual(set);
  }
  await expect.poll(() => told.length).toBe(ids.length);
  const listed: string[] = [];
  for await (const { session } of storage.list({ app: 'shop' })) listed.push(session);
  expect(listed.sort()).toEqual(ids.map(({ session }) => session).sort());
  await storage.close();
  cluster.disconnect();
});
