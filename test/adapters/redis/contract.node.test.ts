import { afterAll, beforeAll, test } from 'vitest';
import { redis } from '../../../adapters/redis.js';
import { testStorage } from '../../../adapters/testing/index.js';
import { RedisServer } from '../../support/redis.js';
import { RestServer } from '../../support/redis-rest.js';

let server: RedisServer;
let rest: RestServer;

beforeAll(async () => {
  server = await RedisServer.shared();
  rest = await RestServer.start(server.ioredis());
});

afterAll(async () => {
  await rest?.stop();
  await server?.stop();
});

testStorage(test, 'redis by ioredis', () => ({
  open: () => redis({ client: server.ioredis() }),
}));

testStorage(test, 'redis by node-redis', () => ({
  open: async () => redis({ client: await server.nodeRedis() }),
}));

testStorage(test, 'redis over HTTP', () => ({
  open: () => redis({ url: rest.url, token: rest.token }),
}));
