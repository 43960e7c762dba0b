/** The user of Redis in docs/redis-security.md: what the proxy needs, and no more. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { redis } from '../adapters/redis.js';
import { type RedisProxy, redisProxy, signSession } from '../adapters/redis-proxy/index.js';
import { AsyncState, QTasks } from '../src/index.js';
import { rejection } from './support/promises.js';
import { RedisServer } from './support/redis.js';
import { pageAt } from './support/samples.js';

class Cart extends AsyncState<{ count: number }> {
  static readonly id = 'cart';
  static readonly ttl = 60_000;
}

const secret = 'a secret of the tests, of 32 characters';
let server: RedisServer;
let owner: Redis;
let url: string;
let proxy: RedisProxy;

beforeAll(async () => {
  server = await RedisServer.start();
  owner = new Redis(server.url);
  const line = /redis-cli ACL (SETUSER .+)/.exec(pageAt('docs/redis-security.md').text)?.[1] ?? '';
  await owner.call('ACL', ...line.replaceAll("'", '').split(' '));
  url = server.url.replace('redis://', 'redis://proxy:password@');
  proxy = redisProxy({ redis: url, secret });
});

afterAll(async () => {
  await proxy?.close();
  owner?.disconnect();
  await server?.stop();
});

test('the proxy serves sessions with it: commits, watching, locks', async () => {
  const token = await signSession({ secret, app: 'shop', session: 'ann', expiresIn: 60_000 });
  const fetch = (to: string, init: RequestInit) => proxy(new Request(to, init));
  const storage = redis({ url: 'http://proxy', token, fetch });
  const app = new QTasks({ name: 'shop', storage });
  const count = app.task('count', { cart: Cart }, ({ cart }) => cart.update(add), {
    exclusive: true,
  });
  const ann = app.session('ann');
  const ofAnn = ann.state(Cart);
  const changes = ofAnn.changes();
  const heard = changes.next();
  await Promise.all([ann.run(count), ann.run(count)]);
  expect(await ofAnn.get('count')).toBe(2);
  expect((await heard).done).toBe(false);
  await changes.return();
  await app.close();
  await storage.close();
});

test('it reaches no other key and no administration', async () => {
  const client = new Redis(url);
  await owner.set('secret', 'of somebody else');
  for (const command of [['GET', 'secret'], ['CONFIG', 'GET', '*'], ['FLUSHALL'], ['KEYS', '*']]) {
    const [name = '', ...args] = command;
    expect(String(await rejection(client.call(name, ...args)))).toContain('NOPERM');
  }
  client.disconnect();
});

const add = ({ count = 0 }: Partial<{ count: number }>) => ({ count: count + 1 });
