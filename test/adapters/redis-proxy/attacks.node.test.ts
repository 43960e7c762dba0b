/** What a session token must not do: each is refused, and Redis is not even asked. */
import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { bucketKey, channelOf, lockKey } from '../../../adapters/redis/keys.js';
import { commit, lock, read } from '../../../adapters/redis/scripts.js';
import { type Asked, ProxyStage, secret, tokenOf } from '../../support/redis-proxy.js';

const stage = new ProxyStage();
const key = (session: string, app = 'shop', state = 'cart') => bucketKey({ app, session, state });
const lockOf = (session: string) => lockKey({ app: 'shop', session, state: 'cart' });
const own = key('ann');
const foreign = key('bob');
const hidden = 'hidden-from-ann';
const long = 'x'.repeat(10_000);
const url = encodeURIComponent;

/** A commit on buckets and locks of whomever, in full. */
const commitArgs = ['w', '1', '', '', '*', '', '0', 'field', 'written-by-ann'];
const othersScript = "return redis.call('hget', KEYS[1], 'secret')";

let token: string;
let others: string;

beforeAll(async () => {
  token = await tokenOf('ann');
  await stage.redis.hset(own, 'mine', '1');
  for (const name of [foreign, key('ann', 'other'), key('', 'shop'), key('ann2')]) {
    await stage.redis.hset(name, 'secret', hidden);
  }
  await stage.redis.set('plain', hidden);
  others = String(await stage.redis.script('LOAD', othersScript));
  // So that the connection is made, and its own commands are over.
  await stage.ask('/', { token, body: ['HGETALL', own] });
});

/** All that is in Redis. */
async function contents(): Promise<unknown> {
  const names = (await stage.redis.keys('*')).sort();
  return Promise.all(names.map(async (name) => [name, await stage.redis.dump(name)]));
}

/** What a request makes Redis do, as the names of the commands that it ran. */
async function commandsOf(request: () => Promise<unknown>): Promise<string[]> {
  await stage.redis.config('RESETSTAT');
  await request();
  const stats = await stage.redis.info('commandstats');
  const names = [...stats.matchAll(/^cmdstat_([^:]+)/gm)].map(([, name = '']) => name);
  return names.filter((name) => name !== 'config|resetstat' && name !== 'info');
}

async function expectRefused(path: string, asked: Asked): Promise<void> {
  const before = await contents();
  let status = 0;
  let text = '';
  const commands = await commandsOf(async () => {
    const response = await stage.fetch(path, { token, ...asked });
    status = response.status;
    text =
      status === 200 && !response.headers.get('content-type')?.includes('json')
        ? 'a stream'
        : await response.text();
    await response.body?.cancel().catch(() => {});
  });
  expect(commands).toEqual([]);
  expect(await contents()).toEqual(before);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  expect(text).toMatch(asked.method === 'HEAD' ? /^$/ : /^\{"error":"[^"]*"\}$/);
  expect(text).not.toMatch(/hidden|bob|\bann|shop|cart|secret|plain|xxx/);
}

const keys: readonly (readonly [what: string, key: string])[] = [
  ['another session', foreign],
  ['another app', key('ann', 'other')],
  ['the session without a name', key('')],
  ['an app without a name', key('ann', '')],
  ['a session that begins alike', key('ann2')],
  ['a session that is a beginning', key('an')],
  ['a session in other case', key('Ann')],
  ['an app in other case', key('ann', 'Shop')],
  ['a key of something else', 'plain'],
  ['an empty key', ''],
  ['10 kB', long],
  ['10 kB after the prefix', `qt:{shop:ann:${long}`],
  ['the prefix alone', 'qt:{shop:ann:'],
  ['no state', 'qt:{shop:ann:}'],
  ['no end', 'qt:{shop:ann:cart'],
  ['something after the end', `${own}x`],
  ['a line after the end', `${own}\n`],
  ['a NUL after the end', `${own}\0`],
  ['a space before', ` ${own}`],
  ['two ends', `${own}}`],
  ['an end within', 'qt:{shop:ann:ca}rt}'],
  ['braces within', 'qt:{shop:ann:{bob}}'],
  ['one part more', 'qt:{shop:ann:cart:more}'],
  ['two parts more', 'qt:{shop:ann:::}'],
  ['one part less', 'qt:{shop:ann}'],
  ['a prefix in upper case', own.toUpperCase()],
  ['no prefix', own.slice(3)],
  ['a letter in percent signs', 'qt:{shop:ann:c%61rt}'],
  ['a letter of the session in percent signs', 'qt:{shop:%61nn:cart}'],
  ['a colon in percent signs', 'qt:{shop:ann%3Acart}'],
  ['the parts as one', 'qt:{shop%3Aann:cart}'],
  ['percent signs in lower case', 'qt:{shop:ann:%3a}'],
  ['percent signs twice', 'qt:{shop%253Aann:cart:x}'],
  ['a percent sign alone', 'qt:{shop:ann:%}'],
  ['a percent sign before no digits', 'qt:{shop:ann:%ZZ}'],
  ['half of a character in percent signs', 'qt:{shop:ann:%C3}'],
  ['a letter that is not encoded', 'qt:{shop:ann:ü}'],
  ['a fullwidth colon', 'qt:{shop：ann:cart}'],
  ['a surrogate', 'qt:{shop:ann:\ud800}'],
  ['a replacement character', 'qt:{shop:ann:%EF%BF%BD}'],
  ['a replacement character with other digits', 'qt:{shop:ann:%EF%BF%BD0041}'],
  ['a question mark', 'qt:{shop:ann:car?}'],
  ['a class of characters', 'qt:{shop:ann:[a-z]}'],
  ['a space', 'qt:{shop:ann:ca rt}'],
  ['a way up', 'qt:{shop:ann:../bob:cart}'],
  ['two keys in one', `${own},${foreign}`],
  ['a lock of its own as a bucket', lockOf('ann')],
  ['a channel of its own as a bucket', channelOf(own)],
  ['a lock of another session', lockOf('bob')],
];

describe('keys', () => {
  test.each(keys)('HGETALL of %s', (_what, name) =>
    expectRefused('/', { body: ['HGETALL', name] }),
  );
  test.each(keys)('the script that reads, of %s', (_what, name) =>
    expectRefused('/', { body: ['EVALSHA', read.sha, 1, name, 'all'] }),
  );
  test.each(keys)('the script that commits, of %s', (_what, name) =>
    expectRefused('/', {
      body: ['EVALSHA', commit.sha, 2, name, lockOf('ann'), ...commitArgs],
    }),
  );
  test.each(keys.filter(([, name]) => name !== '' && !name.includes('\ud800')))(
    'a stream of the changes of %s',
    (_what, name) => expectRefused(`/subscribe/${url(channelOf(name))}`, { body: [] }),
  );
});

const commands: readonly (readonly [command: readonly unknown[]])[] = [
  // Without keys.
  [['KEYS', '*']],
  [['KEYS', 'qt:{shop:ann:*']],
  [['SCAN', '0']],
  [['SCAN', 0, 'MATCH', 'qt:{shop:ann:*']],
  [['RANDOMKEY']],
  [['DBSIZE']],
  [['FLUSHALL']],
  [['FLUSHDB', 'ASYNC']],
  [['INFO']],
  [['TIME']],
  [['PING']],
  [['ECHO', hidden]],
  [['COMMAND', 'LIST']],
  [['CONFIG', 'GET', '*']],
  [['CONFIG', 'SET', 'requirepass', 'x']],
  [['ACL', 'WHOAMI']],
  [['CLIENT', 'LIST']],
  [['CLIENT', 'KILL', 'TYPE', 'normal']],
  [['SCRIPT', 'LOAD', 'return 1']],
  [['SCRIPT', 'FLUSH']],
  [['SCRIPT', 'EXISTS', read.sha]],
  [['FUNCTION', 'LIST']],
  [['FCALL', 'f', 1, own]],
  [['PUBSUB', 'CHANNELS', '*']],
  [['PUBSUB', 'NUMSUB', channelOf(foreign)]],
  [['PUBLISH', channelOf(foreign), '[]']],
  [['PUBLISH', channelOf(own), '[]']],
  [['SPUBLISH', channelOf(own), '[]']],
  [['SUBSCRIBE', channelOf(own)]],
  [['PSUBSCRIBE', '*']],
  [['MONITOR']],
  [['MULTI']],
  [['EXEC']],
  [['WATCH', own]],
  [['SELECT', 1]],
  [['SWAPDB', 0, 1]],
  [['AUTH', 'x']],
  [['HELLO', 3]],
  [['RESET']],
  [['QUIT']],
  [['SHUTDOWN', 'NOSAVE']],
  [['DEBUG', 'SLEEP', 1]],
  [['WAIT', 0, 0]],
  // Scripts.
  [['EVAL', othersScript, 1, foreign]],
  [['EVAL', othersScript.replace('KEYS[1]', `'${foreign}'`), 1, own]],
  [['EVAL', read.text, 1, own, 'all']],
  [['EVAL_RO', othersScript, 1, own]],
  [['EVALSHA', 'f'.repeat(40), 1, own]],
  [['EVALSHA', read.sha.toUpperCase(), 1, own, 'all']],
  [['EVALSHA', ` ${read.sha}`, 1, own, 'all']],
  [['EVALSHA', read.sha]],
  [['EVALSHA', read.sha, 0]],
  [['EVALSHA', read.sha, 0, foreign, 'all']],
  [['EVALSHA', read.sha, 1]],
  [['EVALSHA', read.sha, 2, own, foreign, 'all']],
  [['EVALSHA', read.sha, 2, own, own, 'all']],
  [['EVALSHA', read.sha, -1, own, 'all']],
  [['EVALSHA', read.sha, '01', own, 'all']],
  [['EVALSHA', read.sha, '1.0', own, 'all']],
  [['EVALSHA', read.sha, ' 1', own, 'all']],
  [['EVALSHA', read.sha, '+1', own, 'all']],
  [['EVALSHA', read.sha, '1\0', own, 'all']],
  [['EVALSHA', read.sha, true, own, 'all']],
  [['EVALSHA_RO', read.sha, 1, own, 'all']],
  [['EVALSHA', read.sha, 1, own, 'some', 'a', 'b', 'a']],
  [['HMGET', own, 'a', 'a']],
  [['EVALSHA', commit.sha, 2, own, foreign, ...commitArgs]],
  [['EVALSHA', commit.sha, 2, own, own, ...commitArgs]],
  [['EVALSHA', commit.sha, 2, lockOf('ann'), own, ...commitArgs]],
  [['EVALSHA', commit.sha, 2, own, lockOf('bob'), ...commitArgs]],
  [['EVALSHA', commit.sha, 2, foreign, lockOf('ann'), ...commitArgs]],
  [['EVALSHA', commit.sha, 1, own, lockOf('ann'), ...commitArgs]],
  [['EVALSHA', commit.sha, 3, own, lockOf('ann'), foreign, ...commitArgs]],
  // A writer, a sequence and a token that are kept, and read with each command.
  [['EVALSHA', commit.sha, 2, own, lockOf('ann'), 'w'.repeat(257), '1', '', '', '', '', '0']],
  [['EVALSHA', commit.sha, 2, own, lockOf('ann'), 'ü'.repeat(129), '1', '', '', '', '', '0']],
  [['EVALSHA', commit.sha, 2, own, lockOf('ann'), 'w', '1'.repeat(257), '', '', '', '', '0']],
  [['EVALSHA', lock.sha, 1, lockOf('ann'), 't'.repeat(257), 1000]],
  [['EVALSHA', lock.sha, 1, lockOf('bob'), 'token', 1000]],
  [['EVALSHA', lock.sha, 1, own, 'token', 1000]],
  [['EVALSHA', lock.sha, 1, lockKey({ app: 'shop', session: 'bob' }), 'token', 1000]],
  // One key of many.
  [['EXISTS', own, foreign]],
  [['EXISTS', foreign, own]],
  [['EXISTS']],
  [['DEL', own, foreign]],
  [['DEL', foreign]],
  [['UNLINK', own, own, foreign]],
  [['DEL', own, lockOf('ann')]],
  [['MGET', own, foreign]],
  [['RENAME', own, foreign]],
  [['RENAME', foreign, own]],
  [['COPY', foreign, own]],
  [['COPY', own, key('ann', 'shop', 'copy'), 'DB', 1]],
  [['MOVE', own, 1]],
  [['MIGRATE', '127.0.0.1', 1, own, 0, 1]],
  [['SORT', own, 'BY', 'nosort', 'GET', 'plain']],
  [['SORT_RO', own]],
  [['BITOP', 'OR', own, foreign]],
  [['SUNIONSTORE', own, foreign]],
  [['LCS', own, foreign]],
  [['OBJECT', 'ENCODING', foreign]],
  [['OBJECT', 'ENCODING', own]],
  [['MEMORY', 'USAGE', foreign]],
  [['DUMP', foreign]],
  [['RESTORE', own, 0, 'x']],
  [['XREAD', 'STREAMS', foreign, '0']],
  // What only the scripts may do.
  [['GET', 'plain']],
  [['SET', own, 'x']],
  [['HSET', own, 'field', 'x']],
  [['HSET', foreign, 'field', 'x']],
  [['HDEL', own, 'mine']],
  [['HINCRBY', own, 'mine', 1]],
  [['EXPIRE', own, 1]],
  [['PERSIST', own]],
  [['SETRANGE', own, 536_870_911, 'x']],
  // In other writing.
  [['hgetall', foreign]],
  [['hGeTaLl', foreign]],
  [['EvAl', 'return 1', 0]],
  [['HGETALL ', own]],
  [['HGETALL\r\nKEYS', '*']],
  [['HGETALL\0', own]],
  [['ĥgetall', own]],
  [['KEYſ', '*']],
  [['']],
  [[]],
  [['HGETALL']],
  [['constructor', own]],
  [['__proto__', own]],
  // Arguments that are no texts.
  [['HGETALL', [own]]],
  [['HGETALL', [[foreign]]]],
  [['HGETALL', { 0: own }]],
  [['HGETALL', null]],
  [['HGETALL', 1]],
  [['HGETALL', true]],
  [[['HGETALL'], own]],
  [[['HGETALL', own]]],
];

describe('commands', () => {
  test.each(commands)('%j', (command) => expectRefused('/', { body: command }));

  test.each(commands)('in a transaction: %j', (command) =>
    expectRefused('/multi-exec', { body: [['HGETALL', own], command] }),
  );
});

describe('paths', () => {
  const post = (body: string | Uint8Array) => ({ method: 'POST', body });
  test.each<[path: string, asked: Asked]>([
    [`/hgetall/${url(foreign)}`, {}],
    [`/HgEtAlL/${url(foreign)}`, {}],
    [`/%68getall/${url(foreign)}`, {}],
    [`/hgetall/${foreign}`, {}],
    [`/hgetall/${url(own)}/../${url(foreign)}`, {}],
    [`/hgetall/${url(own)}/%2e%2e/${url(foreign)}`, {}],
    [`/x/../hgetall/${url(foreign)}`, {}],
    [`/hgetall//${url(own)}`, {}],
    [`//hgetall/${url(own)}`, {}],
    ['/keys/*', {}],
    ['/scan/0', {}],
    ['/dbsize', {}],
    ['/flushall', {}],
    ['/flushall', { method: 'HEAD' }],
    [`/eval/${url('return 1')}/0`, {}],
    [`/evalsha/${read.sha}/1/${url(foreign)}/all`, {}],
    [`/exists/${url(own)}/${url(foreign)}`, {}],
    [`/exists/${url(own)}?${url(foreign)}`, {}],
    [`/exists/${url(own)}?${url(own)}=${url(foreign)}`, {}],
    ['/hgetall', post(foreign)],
    ['/hgetall', post(own)],
    [`/exists/${url(own)}`, post(foreign)],
    [`/exists/${url(own)}`, post(own)],
    [`/exists/${url(own)}`, post(Uint8Array.from([0xff, 0xfe]))],
    [`/pipeline/x`, post('[]')],
    ['/monitor', post('[]')],
    [`/subscribe/${url(channelOf(foreign))}`, post('[]')],
    [`/subscribe/${url(channelOf(own))}/${url(channelOf(foreign))}`, post('[]')],
    [`/SUBSCRIBE/${url(channelOf(foreign))}`, post('[]')],
    [`/subscribe/${url(own)}`, post('[]')],
    [`/subscribe/${url(lockOf('ann'))}`, post('[]')],
    [`/subscribe/${url(channelOf(lockOf('ann')))}`, post('[]')],
    ['/subscribe/*', post('[]')],
    ['/subscribe/', post('[]')],
    ['/subscribe', post('[]')],
    ['/psubscribe/*', post('[]')],
    [`/psubscribe/${url('qt:{shop:ann:*')}`, post('[]')],
    [`/psubscribe/${url('qt:{shop:*}:changes')}`, post('[]')],
    [`/psubscribe/${url(channelOf(own))}`, post('[]')],
    [`/PSUBSCRIBE/*`, {}],
    [`/ssubscribe/${url(channelOf(own))}`, post('[]')],
  ])('%s %j', (path, asked) => expectRefused(path, asked));
});

describe('a pipeline', () => {
  test('runs what is allowed, and tells nothing of the rest', async () => {
    const before = await contents();
    const body = [
      ['HGET', own, 'mine'],
      ['HGETALL', foreign],
      ['HGETALL', key('nobody')],
      ['EVAL', 'return 1', 0],
      ['EVALSHA', others, 1, own],
      ['DEL', foreign],
      ['KEYS', '*'],
      ['EXISTS', own],
    ];
    let json: unknown;
    const ran = await commandsOf(async () => {
      json = (await stage.ask('/pipeline', { token, body })).json;
    });
    const refused = { error: 'NOPERM this token may not do that' };
    expect(json).toEqual([
      { result: '1' },
      ...Array.from({ length: 6 }, () => refused),
      { result: 1 },
    ]);
    expect(ran.sort()).toEqual(['exists', 'hget']);
    expect(await contents()).toEqual(before);
  });

  test('with one thing that is no command is refused as a whole', () =>
    expectRefused('/pipeline', { body: [['HGETALL', own], 'KEYS'] }));

  test.each([
    [[['HGETALL', own], [['KEYS', '*']]]],
    [{ 0: ['KEYS', '*'] }],
    ['KEYS'],
    [null],
    [[]],
  ])('%j is refused', (body) => expectRefused('/pipeline', { body: JSON.stringify(body) }));
});

describe('scripts of others', () => {
  test.each([[own], [foreign]])('with %s', (name) =>
    expectRefused('/', { body: ['EVALSHA', others, 1, name] }),
  );
});

test.each(['-1e9', '-inf', 'nan'])(
  'a commit that deletes %s fields is over at once, as one that deletes none',
  async (count) => {
    const cart = key('counting');
    const commitTo = ['EVALSHA', commit.sha, 2, cart, lockOf('counting'), 'w'];
    const asked = { token: await tokenOf('counting') };
    const body = [...commitTo, Date.now(), '', '', '', '', count, 'field', count];
    expect((await stage.ask('/', { ...asked, body })).status).toBe(200);
    const { json } = await stage.ask('/', { ...asked, body: ['HGET', cart, 'field'] });
    expect(json).toEqual({ result: count });
  },
);

test('a lock is waited for by 128 at most, however many ask', async () => {
  const place = lockOf('crowd');
  const asked = { token: await tokenOf('crowd') };
  const ask = (index: number, ttl = 1e12) => ['EVALSHA', lock.sha, 1, place, `t${index}`, ttl];
  const body = Array.from({ length: 1_000 }, (_, index) => ask(index));
  const { json } = await stage.ask('/pipeline', { ...asked, body });
  expect(json).toEqual(body.map((_, index) => ({ result: Math.min(index + 1, 129) })));
  expect(JSON.parse((await stage.redis.get(place)) ?? '').length).toBe(256);
  // Whoever leaves makes room.
  const next = await stage.ask('/pipeline', { ...asked, body: [ask(0, 0), ask(500), ask(501)] });
  expect(next.json).toEqual([{ result: 0 }, { result: 128 }, { result: 129 }]);
});

describe('tokens', () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const hmac = (text: string, by = secret) =>
    createHmac('sha256', by).update(text).digest('base64url');
  const domain = 'qtasks-lite session token 1:';
  const forge = (claims: unknown, by = secret) => sign(encode(claims), by);
  const sign = (body: string, by = secret) => `${body}.${hmac(domain + body, by)}`;
  const forgeText = (claim: string) => {
    const others = JSON.stringify({ ...claims, ops: undefined });
    return sign(Buffer.from(`{${claim},${others.slice(1)}`).toString('base64url'));
  };
  const soon = Date.now() + 60_000;
  const claims = {
    v: 1,
    kid: 'default',
    app: 'shop',
    session: 'ann',
    ops: 'rw',
    nbf: 0,
    exp: soon,
  };
  const [body = '', signature = ''] = forge(claims).split('.');
  const jwt = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  const other = 'another secret of the tests, of 32 and more';

  test('one that is forged with the secret is right, so the others fail for what they say', async () => {
    const answer = await stage.ask('/', { token: forge(claims), body: ['HGET', own, 'mine'] });
    expect(answer.json).toEqual({ result: '1' });
  });

  test.each<[what: string, token: () => string | Promise<string>]>([
    ['expired', () => forge({ ...claims, exp: Date.now() - 1 })],
    ['not valid yet', () => forge({ ...claims, nbf: Date.now() + 60_000 })],
    ['without an end', () => forge({ ...claims, exp: undefined })],
    ['with an end that is a text', () => forge({ ...claims, exp: String(soon) })],
    ['with an end that is nothing', () => forge({ ...claims, exp: null })],
    ['without a beginning', () => forge({ ...claims, nbf: undefined })],
    ['of another version', () => forge({ ...claims, v: 2 })],
    ['without an app', () => forge({ ...claims, app: undefined })],
    ['with many sessions', () => forge({ ...claims, session: ['ann', 'bob'] })],
    ['with other rights', () => forge({ ...claims, ops: 'admin' })],
    ['with rights in its prototype', () => forgeText('"__proto__":{"ops":"rw"}')],
    ['that is a list', () => forge([claims])],
    ['that is nothing', () => forge(null)],
    ['by another secret', () => forge(claims, other)],
    ['by another secret with its own name', () => forge({ ...claims, kid: other }, other)],
    ['of another proxy', () => tokenOf('ann', { secret: other })],
    ['by a secret without a name', () => forge({ ...claims, kid: undefined })],
    ['by an unknown secret', () => forge({ ...claims, kid: 'unknown' })],
    ['by a secret of the prototype', () => forge({ ...claims, kid: '__proto__' })],
    ['by the empty secret', () => forge({ ...claims, kid: '' }, 'undefined')],
    ['signed without what it is for', () => `${body}.${hmac(body)}`],
    [
      'with the signature of another',
      () => `${encode({ ...claims, session: 'bob' })}.${signature}`,
    ],
    ['without a signature', () => body],
    ['with an empty signature', () => `${body}.`],
    ['with a part of the signature', () => `${body}.${signature.slice(0, -1)}`],
    ['with half of the signature', () => `${body}.${signature.slice(0, 22)}`],
    ['with a longer signature', () => `${body}.${signature}A`],
    ['with another last bit of the signature', () => `${body}.${lastBit(signature)}`],
    ['with padding', () => `${body}.${signature}=`],
    ['with a dot more', () => `${body}.${signature}.`],
    ['with a part more', () => `${body}.${signature}.${signature}`],
    ['with a dot before', () => `.${body}.${signature}`],
    ['with its parts turned round', () => `${signature}.${body}`],
    ['truncated', () => forge(claims).slice(0, 40)],
    ['as a JWT without an algorithm', () => `${encode({ alg: 'none' })}.${encode(claims)}.`],
    ['as a JWT of the same secret', () => `${jwt}.${hmac(jwt)}`],
    ['with an algorithm of its own', () => `${encode({ ...claims, alg: 'none' })}.`],
    ['of two megabytes', () => `${'A'.repeat(2 ** 21)}.${signature}`],
    ['that is the secret', () => secret.replaceAll(' ', '')],
    ['of percent signs', () => url(forge(claims)).replace('.', '%2E')],
  ])('one %s', async (_what, make) => {
    const forged = await make();
    await expectRefused('/', { token: forged, body: ['HGET', own, 'mine'] });
    const path = `/subscribe/${url(channelOf(own))}`;
    const { status, json } = await stage.ask(path, { token: forged, body: [] });
    expect([status, json]).toEqual([401, { error: 'WRONGPASS invalid or missing auth token' }]);
  });

  test('in the address, even a right one', async () => {
    const path = `/hget/${url(own)}/mine?_token=${token}`;
    await expectRefused(path, { token: null });
    await expectRefused(path, {});
  });

  test('one to read does not write', async () => {
    const reader = await tokenOf('ann', { ops: 'r' });
    const allowed = await stage.ask('/', {
      token: reader,
      body: ['EVALSHA', read.sha, 1, key('ann', 'shop', 'new'), 'all'],
    });
    expect(allowed.status).toBe(200);
    for (const command of [
      ['EVALSHA', commit.sha, 2, own, lockOf('ann'), ...commitArgs],
      ['EVALSHA', lock.sha, 1, lockOf('ann'), 'token', 1000],
      ['DEL', own],
      ['UNLINK', own],
    ]) {
      await expectRefused('/', { token: reader, body: command });
    }
  });
});

/** The same bytes, written otherwise: the last letter has bits that nobody reads. */
function lastBit(signature: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = letters.indexOf(signature.slice(-1));
  return signature.slice(0, -1) + letters.charAt(last ^ 1);
}
