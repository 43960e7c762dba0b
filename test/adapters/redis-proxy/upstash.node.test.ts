/** The client of Upstash, as it is published, works against the proxy with the admin token. */
import { Redis, type RedisConfigNodejs } from '@upstash/redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Serving, serveProxy } from '../../../adapters/redis-proxy/serve.js';
import { adminToken, ProxyStage } from '../../support/redis-proxy.js';

const stage = new ProxyStage();
let server: Serving;
let redis: Redis;

const clientOf = (options: Partial<RedisConfigNodejs> = {}) =>
  new Redis({ url: server.url, token: adminToken, enableTelemetry: false, ...options });

beforeAll(async () => {
  server = await serveProxy(stage.proxy, { host: '127.0.0.1', port: 0, log: () => {} });
  redis = clientOf();
});

afterAll(() => server.close());

describe('the commands of its README', () => {
  test('on strings', async () => {
    expect(await redis.set('key', 'value')).toBe('OK');
    expect(await redis.get('key')).toBe('value');
    expect(await redis.set('key3', 'value3', { ex: 1 })).toBe('OK');
    expect(await redis.ttl('key3')).toBe(1);
  });

  test('on sorted sets, lists, hashes and sets', async () => {
    expect(await redis.zadd('scores', { score: 1, member: 'team1' })).toBe(1);
    expect(await redis.zrange('scores', 0, 100)).toEqual(['team1']);
    expect(await redis.lpush('elements', 'magnesium')).toBe(1);
    expect(await redis.lrange('elements', 0, 100)).toEqual(['magnesium']);
    expect(await redis.hset('people', { name: 'joe' })).toBe(1);
    expect(await redis.hget('people', 'name')).toBe('joe');
    expect(await redis.sadd('animals', 'cat')).toBe(1);
    expect(await redis.spop('animals', 1)).toEqual(['cat']);
  });
});

describe('other commands', () => {
  test('keep texts of all kinds and objects', async () => {
    for (const value of ['ü🐟', '', 'OK', 'a\nb\0c', '\u2028', { a: [1, { b: null }] }, 12, true]) {
      await redis.set('kinds', value);
      expect(await redis.get('kinds')).toEqual(value);
    }
    expect(await redis.get('nothing')).toBeNull();
    expect(await redis.mget('kinds', 'nothing')).toEqual([true, null]);
  });

  test('on hashes, scans, streams and places', async () => {
    await redis.hset('hash', { a: 'OK', b: '2', c: { d: 1 } });
    expect(await redis.hgetall('hash')).toEqual({ a: 'OK', b: 2, c: { d: 1 } });
    expect(await redis.hgetall('nothing')).toBeNull();
    expect(await redis.hmget('hash', 'a', 'z')).toEqual({ a: 'OK', z: null });
    const [cursor, found] = await redis.scan(0, { match: 'has*', count: 1000 });
    expect([cursor, found]).toEqual(['0', ['hash']]);
    const added = await redis.xadd('stream', '*', { field: 'value' });
    expect(await redis.xrange('stream', '-', '+')).toEqual({ [added]: { field: 'value' } });
    await redis.geoadd('places', { longitude: 13.36, latitude: 38.11, member: 'Palermo' });
    expect(await redis.geopos('places', 'Palermo')).toEqual([
      { lng: expect.closeTo(13.36, 3), lat: expect.closeTo(38.11, 3) },
    ]);
  });

  test('fail with what Redis says', async () => {
    await redis.set('text', 'x');
    await expect(redis.lpush('text', 'y')).rejects.toThrow('WRONGTYPE');
    await expect(clientOf({ token: 'another-token-of-16' }).get('text')).rejects.toThrow(
      'WRONGPASS',
    );
  });
});

describe('many at once', () => {
  test('are pipelined by themselves', async () => {
    const auto = clientOf({ enableAutoPipelining: true });
    const numbers = Array.from({ length: 500 }, (_, place) => place);
    await Promise.all(numbers.map((place) => auto.set(`auto:${place}`, place)));
    const read = await Promise.all(numbers.map((place) => auto.get(`auto:${place}`)));
    expect(read).toEqual(numbers);
  });

  test('in a pipeline, with an error among them', async () => {
    const pipeline = redis.pipeline();
    pipeline.set('piped', 1);
    pipeline.incr('piped');
    pipeline.get('piped');
    pipeline.hgetall('nothing');
    expect(await pipeline.exec()).toEqual(['OK', 2, 2, null]);
    const failing = redis.pipeline().lpush('piped', 'x').get('piped');
    await expect(failing.exec()).rejects.toThrow('WRONGTYPE');
    const kept = await redis.pipeline().lpush('piped', 'x').get('piped').exec({ keepErrors: true });
    expect(kept).toMatchObject([{ error: expect.stringMatching(/^WRONGTYPE/) }, { result: 2 }]);
  });

  test('in a transaction', async () => {
    const results = await redis.multi().set('multi', 'a').append('multi', 'b').get('multi').exec();
    expect(results).toEqual(['OK', 2, 'ab']);
  });
});

describe('scripts', () => {
  test('run by their text and by their hash', async () => {
    expect(await redis.eval('return {KEYS[1], ARGV[1], 3}', ['k'], ['v'])).toEqual(['k', 'v', 3]);
    const sha = await redis.scriptLoad('return ARGV[1]');
    expect(await redis.evalsha(sha, [], ['x'])).toBe('x');
    expect(await redis.scriptExists(sha, '0'.repeat(40))).toEqual([1, 0]);
  });

  test('are sent when Redis does not know them', async () => {
    const script = redis.createScript<string>('return "of " .. ARGV[1]');
    await redis.scriptFlush();
    expect(await script.exec([], ['now'])).toBe('of now');
    expect(await script.exec([], ['again'])).toBe('of again');
  });
});

test('messages arrive, as texts and as objects, of channels and of patterns', async () => {
  const received: unknown[] = [];
  const subscriber = redis.subscribe<unknown>(['news', 'weather']);
  const patterns = redis.psubscribe<unknown>('new*');
  subscriber.on('message', ({ channel, message }) => received.push([channel, message]));
  patterns.on('pmessage', ({ pattern, channel, message }) =>
    received.push([pattern, channel, message]),
  );
  const listening = async () => (await stage.redis.pubsub('NUMSUB', 'news', 'weather')).join();
  await expect.poll(listening, { timeout: 10_000 }).toBe('news,1,weather,1');
  await expect.poll(() => stage.redis.pubsub('NUMPAT')).toBe(1);
  await redis.publish('news', { a: 1 });
  await redis.publish('weather', 'sunny, later rain');
  await expect.poll(() => received.length).toBe(3);
  expect(received).toEqual(
    expect.arrayContaining([
      ['news', { a: 1 }],
      ['new*', 'news', { a: 1 }],
      ['weather', 'sunny, later rain'],
    ]),
  );
  await subscriber.unsubscribe();
  await patterns.unsubscribe();
  await expect.poll(listening, { timeout: 10_000 }).toBe('news,0,weather,0');
  await expect.poll(() => stage.redis.pubsub('NUMPAT')).toBe(0);
});
