import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { expect, test, vi } from 'vitest';
import { redis } from '../../../adapters/redis.js';
import { RedisServer } from '../../support/redis.js';
import { Stage } from './support.js';

const stage = new Stage();

test('a process that has closed its storage ends by itself', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'qtasks-visitor-'));
  try {
    const outfile = join(folder, 'visitor.mjs');
    const source = fileURLToPath(new URL('./visitor.ts', import.meta.url));
    await build({ entryPoints: [source], bundle: true, format: 'esm', platform: 'node', outfile });
    const { url, token } = stage.rest;
    // A process that does not end is killed, which rejects.
    const { stdout } = await promisify(execFile)(process.execPath, [outfile, url, token], {
      timeout: 10_000,
    });
    expect(stdout.trim().split('\n')).toEqual(['told', 'told', 'closed']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test.each(['ioredis', 'node-redis'] as const)(
  'a storage that is closed while Redis is down leaves nothing that waits for it: %s',
  async (kind) => {
    const server = await RedisServer.start();
    const ioredis = new Redis(server.url, { maxRetriesPerRequest: null });
    const nodeRedis = createClient({ url: server.url });
    const client = kind === 'ioredis' ? ioredis : nodeRedis;
    for (const one of [ioredis, nodeRedis]) one.on('error', () => {});
    await Promise.all([ioredis.ping(), nodeRedis.connect()]);
    const duplicate = vi.spyOn(ioredis, 'duplicate');
    const otherDuplicate = vi.spyOn(nodeRedis, 'duplicate');
    await server.kill();
    const storage = redis({ client, retry: { limit: 0, timeout: 100 } });
    storage.watch?.(stage.bucket(), () => {});
    const isOpen = (): boolean | undefined =>
      kind === 'ioredis'
        ? duplicate.mock.results[0]?.value.status !== 'end'
        : otherDuplicate.mock.results[0]?.value.isOpen;
    await expect.poll(isOpen).toBe(true);
    await storage.close();
    await expect.poll(isOpen).toBe(false);
    ioredis.disconnect();
    nodeRedis.destroy();
    await server.stop();
  },
);

test.each(['ioredis', 'node-redis'] as const)(
  'a closed storage leaves its client of %s open, and nothing else',
  async (kind) => {
    const admin = stage.server.ioredis();
    const count = async (): Promise<number> =>
      String(await admin.call('CLIENT', 'LIST'))
        .trim()
        .split('\n').length;
    const client = kind === 'ioredis' ? stage.server.ioredis() : await stage.server.nodeRedis();
    const storage = redis({ client });
    await storage.read(stage.bucket());
    const before = await count();
    const stop = storage.watch?.(stage.bucket(), () => {});
    storage.watch?.(stage.bucket({ state: 'other' }), () => {});
    await expect.poll(count).toBe(before + 1);
    stop?.();
    await storage.close();
    await expect.poll(count).toBe(before);
    await storage.commit(stage.bucket(), stage.commit());
    storage.watch?.(stage.bucket(), () => {});
    await expect.poll(count).toBe(before + 1);
    await storage.close();
    await expect.poll(count).toBe(before);
  },
);
