/** The scenario with its states in Redis: by a connection, over HTTP, and from a page of Chromium. */
import { QTasks, type StorageAdapter } from 'qtasks-lite';
import { redis } from 'qtasks-lite/redis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Serving, serveProxy } from '../../adapters/redis-proxy/serve.js';
import { adminToken, ProxyStage, tokenOf } from '../support/redis-proxy.js';
import { Tabs } from '../support/tabs.js';
import type { Teller } from './page.js';
import { scenario } from './scenario.js';
import * as tasks from './tasks.js';
import { transcript } from './transcript.js';

declare const teller: Teller;

const stage = new ProxyStage();
let server: Serving;
let tabs: Tabs;

beforeAll(async () => {
  tabs = await Tabs.launch({ modules: { page: 'test/isomorphism/page.ts' } });
  const proxy = stage.open({ cors: [tabs.url] });
  server = await serveProxy(proxy, { host: '127.0.0.1', port: 0, log: () => {} });
});

afterAll(async () => {
  await tabs?.close();
  await server?.close();
});

/** The scenario has three sessions, and a token of one opens no other: each has its own way. */
function oneTokenEach(): StorageAdapter {
  const sessions = new Map<string, StorageAdapter>();
  const of = ({ session = '' }: { readonly session?: string }): StorageAdapter => {
    const token = () => tokenOf(session, { app: 'club' });
    const storage = sessions.get(session) ?? redis({ url: server.url, token });
    sessions.set(session, storage);
    return storage;
  };
  const unavailable = (): never => {
    throw new Error('a storage over HTTP watches and locks');
  };
  return {
    name: 'redis',
    scope: 'shared',
    read: (id, options) => of(id).read(id, options),
    commit: (id, commit, options) => of(id).commit(id, commit, options),
    list: (place) => of(place).list(place),
    watch: (id, listener) => of(id).watch?.(id, listener) ?? unavailable(),
    lock: (place, options) => of(place).lock?.(place, options) ?? unavailable(),
    close: async () => {
      await Promise.all([...sessions.values()].map((storage) => storage.close()));
    },
  };
}

const places = {
  'by a connection of ioredis': () => redis({ client: stage.redis }),
  'by a connection of node-redis': async () => redis({ client: await stage.server.nodeRedis() }),
  'over HTTP with the admin token': () => redis({ url: server.url, token: adminToken }),
  'over HTTP with a token for each session': oneTokenEach,
};

test.each(Object.entries(places))('in Redis, %s', async (_place, open) => {
  const storage = await open();
  expect(await scenario(new QTasks({ name: 'club', tasks, storage }))).toEqual(transcript);
});

test('in Redis, from a page of another origin', async () => {
  const { url } = server;
  const { page } = await tabs.open(
    `${tabs.url}/page?${new URLSearchParams({ url, token: adminToken })}`,
  );
  expect(await page.evaluate(() => teller.tell())).toEqual(transcript);
});
