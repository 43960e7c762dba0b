import type { Redis as IoRedis } from 'ioredis';
import type { createClient } from 'redis';
import { expectTypeOf, test } from 'vitest';
import {
  type RedisClient,
  type RedisClientOptions,
  type RedisFetch,
  type RedisUrlOptions,
  redis,
} from '../../adapters/redis.js';
import type { StorageAdapter } from '../../src/storage.js';

test('takes the clients of ioredis and node-redis as they are', () => {
  expectTypeOf<IoRedis>().toExtend<RedisClient>();
  expectTypeOf<ReturnType<typeof createClient>>().toExtend<RedisClient>();
});

test('takes the fetch of the runtime, and one that answers by itself', () => {
  expectTypeOf<typeof fetch>().toExtend<RedisFetch>();
  expectTypeOf<(url: string) => Promise<Response>>().toExtend<RedisFetch>();
  expectTypeOf<
    (request: RequestInfo | URL, init?: RequestInit) => Promise<Response>
  >().toExtend<RedisFetch>();
});

test('takes a url and a token, or a client', () => {
  expectTypeOf(redis({ url: '', token: '' })).toEqualTypeOf<StorageAdapter>();
  expectTypeOf<{ url: string; token: () => Promise<string> }>().toExtend<RedisUrlOptions>();
  expectTypeOf<{ url: string }>().not.toExtend<RedisUrlOptions | RedisClientOptions>();
  expectTypeOf<{ client: object }>().not.toExtend<RedisClientOptions>();
});
