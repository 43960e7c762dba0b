/** Part of `npm run bench -- growth`: states in Redis, by a connection. */
import { redis } from 'qtasks-lite/redis';
import { RedisServer } from '../../test/support/redis.js';
import { bytes, fields, type Place, sessions } from './storages.js';

const server = await RedisServer.start();
const storage = redis({ client: server.ioredis() });
try {
  const place: Place = { name: 'Redis', waits: true, calls: 100, create: () => storage };
  await fields(place);
  await sessions(place);
  await bytes(place);
} finally {
  await storage.close();
  await server.stop();
}
