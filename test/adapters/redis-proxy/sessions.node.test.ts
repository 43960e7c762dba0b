/** What a session token may do, and how tokens are made. */
import { Cluster } from 'ioredis';
import { beforeAll, describe, expect, test } from 'vitest';
import { bucketKey, lockKey } from '../../../adapters/redis/keys.js';
import { commit, lock, read } from '../../../adapters/redis/scripts.js';
import { redisProxy, type Secret, signSession } from '../../../adapters/redis-proxy/index.js';
import { isQTasksError } from '../../../src/index.js';
import { ManualClock } from '../../support/clock.js';
import { rejection } from '../../support/promises.js';
import { adminToken, ProxyStage, secret, tokenOf } from '../../support/redis-proxy.js';

const stage = new ProxyStage();
const id = { app: 'shop', session: 'ann', state: 'cart' };
const own = bucketKey(id);

/** A commit of one field, as the adapter makes it. */
const commitOf = (key: string, lockName: string, sequence: number, value: string) => [
  ...['EVALSHA', commit.sha, 2, key, lockName],
  ...['writer', String(sequence), '', '', '*', '', '0', 'field', value],
];
const readOf = (key: string) => ['EVALSHA', read.sha, 1, key, 'some', 'field'];

let token: string;

beforeAll(async () => {
  token = await tokenOf('ann');
});

describe('a session', () => {
  test('commits, reads and locks its buckets', async () => {
    const body = [
      commitOf(own, lockKey(id), 1, 'value'),
      readOf(own),
      ['EVALSHA', lock.sha, 1, lockKey(id), 'holder', 1000],
      ['EVALSHA', lock.sha, 1, lockKey({ app: 'shop', session: 'ann' }), 'holder', 1000],
      ['HGET', own, 'field'],
      ['hlen', own],
      ['EXISTS', own, own],
      ['TYPE', own],
      ['TTL', own],
      ['UNLINK', own],
      ['HGETALL', own],
    ];
    const { json } = await stage.ask('/pipeline', { token, body });
    const revision = expect.stringMatching(/^\d+$/);
    expect(json).toEqual([
      { result: [revision, '', '0', revision] },
      { result: [revision, revision, ['value']] },
      { result: 1 },
      { result: 1 },
      { result: 'value' },
      { result: 2 },
      { result: 2 },
      { result: 'hash' },
      { result: -1 },
      { result: 1 },
      { result: [] },
    ]);
  });

  test.each([
    ['/', readOf(own)],
    ['/pipeline', [['HGET', own, 'a'], readOf(own), readOf(own)]],
    ['/multi-exec', [readOf(own), ['HGET', own, 'a'], readOf(own)]],
  ])('never hears of NOSCRIPT from %s', async (path, body) => {
    await stage.redis.script('FLUSH');
    const { status, text } = await stage.ask(path, { token, body });
    expect(status).toBe(200);
    expect(text).not.toContain('error');
  });

  test('gets its commits in order when Redis has forgotten the scripts', async () => {
    await stage.redis.script('FLUSH');
    const commits = Array.from({ length: 20 }, (_, place) =>
      commitOf(own, lockKey(id), 100 + place, `value ${place}`),
    );
    const { json } = await stage.ask('/pipeline', { token, body: [...commits, readOf(own)] });
    expect(json).toHaveLength(21);
    expect(Array.isArray(json) ? json.at(-1) : undefined).toEqual({
      result: [expect.any(String), expect.any(String), ['value 19']],
    });
  });

  test.each([
    ['a:b', 'c:d'],
    ['%', '%25'],
    ['', ''],
    ['{}', '}{'],
    ['ü🐟', '\ud800'],
    ['\0', '\n'],
    ['*', '?'],
    ['x'.repeat(10_000), 'y'],
  ])('may be called %j of the app %j', async (session, app) => {
    const key = bucketKey({ app, session, state: ':' });
    await stage.redis.hset(key, 'field', 'value');
    const strange = await tokenOf(session, { app });
    const answer = await stage.ask('/', { token: strange, body: ['HGET', key, 'field'] });
    expect(answer.json).toEqual({ result: 'value' });
    const other = await tokenOf(`${session}:`, { app });
    expect((await stage.ask('/', { token: other, body: ['HGET', key, 'field'] })).status).toBe(400);
  });

  test('hears the kind of an error of Redis, not its words', async () => {
    const errorOf = async (body: unknown) => {
      const { status, json } = await stage.ask('/', { token, body });
      return [status, json];
    };
    await stage.redis.set(own, 'a text');
    const wrong = [400, { error: 'WRONGTYPE the command failed' }];
    expect(await errorOf(['HGETALL', own])).toEqual(wrong);
    expect(await errorOf(readOf(own))).toEqual(wrong);
    await stage.redis.del(own);
    await stage.redis.hset(own, 'written by somebody else', 'x');
    expect(await errorOf(readOf(own))).toEqual([400, { error: 'CORRUPT the command failed' }]);
    await stage.redis.del(own);
  });
});

describe('a token', () => {
  test('is valid until it expires', async () => {
    const clock = new ManualClock();
    const proxy = stage.open({ clock });
    const short = await tokenOf('ann', { expiresIn: 1000, clock });
    const asked = { token: short, body: ['EXISTS', own] };
    expect((await stage.ask('/', asked, proxy)).status).toBe(200);
    await clock.advance(999);
    expect((await stage.ask('/', asked, proxy)).status).toBe(200);
    await clock.advance(1);
    expect((await stage.ask('/', asked, proxy)).status).toBe(401);
  });

  test('of one secret stays valid while another one is current', async () => {
    const [first, second] = ['1', '2'].map((part) => part.repeat(32));
    const before = { current: '2026-01', keys: { '2026-01': String(first) } };
    const both = { current: '2026-02', keys: { ...before.keys, '2026-02': String(second) } };
    const after = { current: '2026-02', keys: { '2026-02': String(second) } };
    const options = { app: 'shop', session: 'ann', expiresIn: 60_000 };
    const old = await signSession({ ...options, secret: before });
    const young = await signSession({ ...options, secret: both });
    const named = await signSession({ ...options, secret: both, kid: '2026-01' });
    const statuses = async (given: Secret) => {
      const proxy = stage.open({ secret: given });
      const asked = [old, young, named].map((token) => ({ token, body: ['EXISTS', own] }));
      const answers = await Promise.all(asked.map((each) => stage.ask('/', each, proxy)));
      return answers.map(({ status }) => status);
    };
    expect(await statuses(before)).toEqual([200, 401, 200]);
    expect(await statuses(both)).toEqual([200, 200, 200]);
    expect(await statuses(after)).toEqual([401, 200, 401]);
  });

  test('of a session is nothing where there is no secret, nor the admin token where there is none', async () => {
    const { url: redis } = stage.server;
    const servers = redisProxy({ redis, adminToken });
    const browsers = redisProxy({ redis, secret });
    const ask = (proxy: typeof servers, token?: string) =>
      stage.ask('/', { body: ['EXISTS', own], ...(token ? { token } : {}) }, proxy);
    expect((await ask(servers)).status).toBe(200);
    expect((await ask(servers, token)).status).toBe(401);
    expect((await ask(browsers)).status).toBe(401);
    expect((await ask(browsers, token)).status).toBe(200);
    await Promise.all([servers.close(), browsers.close()]);
  });
});

describe('wrong options', () => {
  const signing = { secret, app: 'shop', session: 'ann', expiresIn: 1000 };
  test.each<[options: object, message: RegExp]>([
    [{ ...signing, secret: 'short' }, /secret.*at least 32 characters/],
    [{ ...signing, secret: undefined }, /secret/],
    [{ ...signing, secret: { current: 'a', keys: {} } }, /no secret of that name/],
    [{ ...signing, secret: { current: 'a', keys: { a: 'short' } } }, /32 characters/],
    [{ ...signing, kid: 'other' }, /expected one of default/],
    [{ ...signing, app: 1 }, /app.*a string/],
    [{ ...signing, session: undefined }, /session.*a string/],
    [{ ...signing, expiresIn: 0 }, /expiresIn.*more than 0/],
    [{ ...signing, expiresIn: Number.POSITIVE_INFINITY }, /expiresIn.*finite/],
    [{ ...signing, expiresIn: undefined }, /expiresIn/],
    [{ ...signing, ops: 'w' }, /ops.*"r" or "rw"/],
    [{ ...signing, admin: true }, /no option "admin"/],
  ])('signSession(%j) rejects', async (options, message) => {
    const call: (options: never) => Promise<string> = signSession;
    const error = await rejection(call(options as never));
    expect(isQTasksError(error, 'OPTION_INVALID')).toBe(true);
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain(secret);
  });

  const proxying = { redis: 'redis://127.0.0.1:1', secret };
  test.each<[options: object, message: RegExp]>([
    [{ redis: proxying.redis }, /neither "secret" nor "adminToken"/],
    [{ secret }, /redis/],
    [{ ...proxying, redis: 'http://user:password@host' }, /redis.*a URL/],
    [{ ...proxying, redis: {} }, /redis.*a URL/],
    [{ ...proxying, redis: new Cluster([], { lazyConnect: true }) }, /redis.*a URL/],
    [{ ...proxying, logger: {} }, /logger/],
    [{ ...proxying, adminToken: 'short' }, /adminToken.*16 characters/],
    [{ ...proxying, adminToken: 'with spaces in between' }, /adminToken/],
    [{ ...proxying, secret: 'short' }, /secret.*32 characters/],
    [{ ...proxying, cors: 'app.example' }, /cors.*origin/],
    [{ ...proxying, cors: ['https://app.example/'] }, /cors.*origin/],
    [{ ...proxying, cors: 1 }, /cors/],
    [{ ...proxying, limits: { commands: 0 } }, /commands.*1 or more/],
    [{ ...proxying, limits: { bodyTimeout: 0 } }, /bodyTimeout.*more than 0/],
    [{ ...proxying, limits: { nothing: 1 } }, /no option "nothing"/],
    [{ ...proxying, tokens: [] }, /no option "tokens"/],
  ])('redisProxy(%j) throws', (options, message) => {
    const call: (options: never) => unknown = redisProxy;
    let error: unknown;
    try {
      call(options as never);
    } catch (thrown) {
      error = thrown;
    }
    expect(isQTasksError(error, 'OPTION_INVALID')).toBe(true);
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toMatch(/password|the secret/);
  });

  test('a Redis with a prefix is refused, another one is used for its settings', async () => {
    const prefixed = stage.redis.duplicate({ keyPrefix: 'x:', lazyConnect: true });
    expect(() => redisProxy({ redis: prefixed, adminToken })).toThrow(/without a keyPrefix/);
    const given = stage.redis.duplicate({ db: 1 });
    const proxy = redisProxy({ redis: given, adminToken });
    await stage.ask('/set/only/there', {}, proxy);
    await proxy.close();
    expect(await stage.redis.get('only')).toBeNull();
    expect(await given.get('only')).toBe('there');
    given.disconnect();
  });
});
