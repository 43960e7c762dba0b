/** The Redis adapter against the proxy: the whole contract for a server, one session for a browser. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redis } from '../../../adapters/redis.js';
import { type Serving, serveProxy } from '../../../adapters/redis-proxy/serve.js';
import { testStorage } from '../../../adapters/testing/index.js';
import type { StorageAdapter } from '../../../src/storage.js';
import { adminToken, ProxyStage, tokenOf } from '../../support/redis-proxy.js';

const stage = new ProxyStage();
let server: Serving;

beforeAll(async () => {
  server = await serveProxy(stage.proxy, { host: '127.0.0.1', port: 0, log: () => {} });
});

afterAll(() => server.close());

testStorage(test, 'redis over the proxy', () => ({
  open: () => redis({ url: server.url, token: adminToken }),
}));

describe('with the token of a session', () => {
  const own = { app: 'shop', session: 'ann', state: 'cart' };
  const others = { ...own, session: 'bob' };
  const commitOf = (sequence: number, value: string) => ({
    writer: 'w',
    sequence,
    set: new Map([['item', value]]),
  });
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'done',
      (error: { code?: unknown }) => error.code,
    );

  async function withStorage(
    work: (storage: StorageAdapter) => Promise<void>,
    token: () => Promise<string> = () => tokenOf('ann'),
  ): Promise<void> {
    const storage = redis({ url: server.url, token });
    try {
      await work(storage);
    } finally {
      await storage.close();
    }
  }

  test('the session commits, reads, locks and is told, also after Redis has lost the scripts', () =>
    withStorage(async (storage) => {
      const seen: unknown[] = [];
      const stop = storage.watch?.(own, ({ fields }) => seen.push(fields));
      for (let sequence = 1; sequence < 4; sequence++) {
        await stage.redis.script('FLUSH');
        expect(await storage.commit(own, commitOf(sequence, `${sequence}`))).toMatchObject({
          ok: true,
        });
        const { fields } = await storage.read(own);
        expect([...fields]).toEqual([['item', `${sequence}`]]);
      }
      await expect.poll(() => seen.length, { timeout: 10_000 }).toBeGreaterThan(0);
      stop?.();
      const release = await storage.lock?.({ app: 'shop', session: 'ann' }, {});
      await release?.();
    }));

  test('nothing else is to be had', () =>
    withStorage(async (storage) => {
      await stage.redis.hset('qt:{shop:bob:cart}', 'item', 'hidden');
      expect(await codeOf(storage.read(others))).toBe('STORAGE_UNAUTHORIZED');
      expect(await codeOf(storage.commit(others, commitOf(1, 'x')))).toBe('STORAGE_UNAUTHORIZED');
      expect(await codeOf(storage.lock?.(others, {}) ?? Promise.resolve())).toBe(
        'STORAGE_UNAUTHORIZED',
      );
      const list = async () => {
        for await (const _ of storage.list({ app: 'shop', session: 'ann' }));
      };
      expect(await codeOf(list())).toBe('STORAGE_UNAUTHORIZED');
      expect(await stage.redis.hgetall('qt:{shop:bob:cart}')).toEqual({ item: 'hidden' });
    }));

  test('one that does what is not allowed beside what is does not spoil it', () =>
    withStorage(async (storage) => {
      const codes = await Promise.all([
        codeOf(storage.read(own)),
        codeOf(storage.read(others)),
        codeOf(storage.commit(own, { ...commitOf(1, 'x'), writer: 'beside' })),
        codeOf(storage.read(own)),
      ]);
      expect(codes).toEqual(['done', 'STORAGE_UNAUTHORIZED', 'done', 'done']);
    }));

  test('one that may only read does not write', () =>
    withStorage(
      async (storage) => {
        expect(await codeOf(storage.read(own))).toBe('done');
        expect(await codeOf(storage.commit(own, commitOf(9, 'x')))).toBe('STORAGE_UNAUTHORIZED');
      },
      () => tokenOf('ann', { ops: 'r' }),
    ));

  test('a token that has expired is asked for again', async () => {
    let asked = 0;
    await withStorage(
      async (storage) => {
        expect(await codeOf(storage.read(own))).toBe('done');
        expect(asked).toBe(2);
      },
      async () => {
        const token = await tokenOf('ann', { expiresIn: ++asked === 1 ? 1 : 60_000 });
        await sleep(5);
        return token;
      },
    );
  });

  test('a bucket that somebody else has written is told from one that is not allowed', () =>
    withStorage(async (storage) => {
      const state = 'broken';
      await stage.redis.set('qt:{shop:ann:broken}', 'x');
      expect(await codeOf(storage.read({ ...own, state }))).toBe('STORAGE_CORRUPT');
    }));
});
