/** What goes over the wire, by the documentation of the Upstash Redis REST API. */
import { describe, expect, test } from 'vitest';
import { ProxyStage, requestOf } from '../../support/redis-proxy.js';

const stage = new ProxyStage({ cors: ['https://app.example'] });
const base64 = { 'upstash-encoding': 'base64' };
const encode = (text: string) => Buffer.from(text).toString('base64');

describe('a proxy below a path', () => {
  test('answers there, and nowhere else', async () => {
    const proxy = stage.open({ path: '/api/redis' });
    for (const place of [
      '/api/redis',
      '/api/redis/',
      '/api/redis/echo/hi',
      '/api/redis/pipeline',
    ]) {
      const body = place.endsWith('pipeline') ? [['ECHO', 'hi']] : ['ECHO', 'hi'];
      const asked = place.endsWith('hi') ? {} : { body };
      expect((await stage.ask(place, asked, proxy)).status).toBe(200);
    }
    for (const place of ['/', '/pipeline', '/api', '/api/redisx', '/x/api/redis']) {
      expect((await stage.ask(place, { body: ['ECHO', 'hi'] }, proxy)).status).toBe(404);
    }
    expect((await stage.ask('/api/redis/healthz', { token: null }, proxy)).status).toBe(200);
  });

  test.each(['redis', '/', '/redis/', '/redis?', ''])('is refused at %j', (path) => {
    expect(() => stage.open({ path })).toThrow(/option "path" must be a path/);
  });
});

describe('POST /', () => {
  test.each<[command: unknown, result: unknown]>([
    [['SET', 'wire', 'value'], 'OK'],
    [['GET', 'wire'], 'value'],
    [['get', 'wire'], 'value'],
    [['GeT', 'wire'], 'value'],
    [['GET', 'nothing'], null],
    [['SET', 'wire:number', 12.5], 'OK'],
    [['GET', 'wire:number'], '12.5'],
    [['SET', 'wire:boolean', true], 'OK'],
    [['GET', 'wire:boolean'], 'true'],
    [['SET', 'wire:ex', 'a', 'EX', 100], 'OK'],
    [['TTL', 'wire:ex'], 100],
    [['HSET', 'wire:hash', 'a', 1, 'b', 2], 2],
    [
      ['HGETALL', 'wire:hash'],
      ['a', '1', 'b', '2'],
    ],
    [['HGETALL', 'nothing'], []],
    [
      ['HMGET', 'wire:hash', 'a', 'c'],
      ['1', null],
    ],
    [['RPUSH', 'wire:list', 'OK', '', 'ü'], 3],
    [
      ['LRANGE', 'wire:list', 0, -1],
      ['OK', '', 'ü'],
    ],
    [
      ['EVAL', "return {1,'a',{2,{'b'}},false}", 0],
      [1, 'a', [2, ['b']], null],
    ],
    [
      ['EVAL', 'return {ARGV[1],KEYS[1]}', 1, 'k', 'v'],
      ['v', 'k'],
    ],
    [['PING'], 'PONG'],
    [['ECHO', '\u2028"\\'], '\u2028"\\'],
  ])('%j is answered with %j', async (command, result) => {
    const { status, json, headers } = await stage.run(command);
    expect([status, json]).toEqual([200, { result }]);
    expect(headers.get('content-type')).toBe('application/json');
  });

  test('integers keep all their digits', async () => {
    await stage.redis.set('wire:big', '9007199254740993');
    expect((await stage.run(['INCR', 'wire:big'])).text).toBe('{"result":9007199254740994}');
    expect((await stage.run(['EVAL', 'return {1}', 0])).text).toBe('{"result":[1]}');
  });

  test('bytes that are no UTF-8 become replacement characters', async () => {
    await stage.redis.set('wire:bytes', Buffer.from([0x61, 0xff, 0x62]));
    expect((await stage.run(['GET', 'wire:bytes'])).json).toEqual({ result: 'a\ufffdb' });
  });

  test.each<[command: unknown, error: RegExp]>([
    [['GET'], /wrong number of arguments/],
    [['LPUSH', 'wire', 'x'], /^WRONGTYPE/],
    [['EVALSHA', 'f'.repeat(40), 0], /^NOSCRIPT/],
    [['NOTHING', 'x'], /unknown or unsupported command/],
    [[], /command/],
    [[''], /command/],
    [[1], /command/],
    [{}, /array/],
    ['"GET"', /array/],
    ['{', /JSON/],
    ['', /JSON/],
    [[['GET', 'wire']], /strings, numbers or booleans/],
    [['GET', null], /strings, numbers or booleans/],
    [['GET', { a: 1 }], /strings, numbers or booleans/],
    [['GET', ['a']], /strings, numbers or booleans/],
  ])('%j fails with 400 and %s', async (command, error) => {
    const { status, json } = await stage.run(command);
    expect([status, json]).toEqual([400, { error: expect.stringMatching(error) }]);
  });

  test.each(
    'BLPOP BRPOP BLMOVE BLMPOP BRPOPLPUSH BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE MULTI EXEC DISCARD WATCH UNWATCH SELECT AUTH HELLO CLIENT RESET QUIT MONITOR SHUTDOWN CONFIG ACL DEBUG MODULE REPLICAOF SLAVEOF SAVE BGSAVE MIGRATE MOVE SWAPDB SYNC PSYNC CLUSTER FAILOVER ASKING READONLY'.split(
      ' ',
    ),
  )('%s is refused for everybody', async (name) => {
    const { status, json } = await stage.run([name, 'x', '0']);
    expect([status, json]).toEqual([400, { error: 'ERR unknown or unsupported command' }]);
  });

  test.each([
    [['XREAD', 'BLOCK', '0', 'STREAMS', 'wire:stream', '$']],
    [['xread', 'COUNT', '1', 'block', '0', 'STREAMS', 'wire:stream', '$']],
    [['XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 'wire:stream', '>']],
  ])('%j, which would block the connection, is refused', async (command) => {
    expect((await stage.run(command)).json).toEqual({
      error: 'ERR blocking commands are not supported',
    });
  });

  test('a stream, a group or a consumer may be named BLOCK', async () => {
    await stage.redis.xadd('BLOCK', '1-1', 'a', 'b');
    const read = await stage.run(['XREAD', 'STREAMS', 'BLOCK', '0']);
    expect(read.json).toEqual({ result: [['BLOCK', [['1-1', ['a', 'b']]]]] });
    await stage.redis.xgroup('CREATE', 'BLOCK', 'BLOCK', '0');
    const own = await stage.run(['XREADGROUP', 'GROUP', 'BLOCK', 'BLOCK', 'STREAMS', 'BLOCK', '>']);
    expect(own.status).toBe(200);
  });

  test.each([
    [['SCRIPT', 'KILL']],
    [['SCRIPT', 'DEBUG', 'YES']],
    [['FUNCTION', 'KILL']],
    [['PUBSUB', 'SHARDCHANNELS']],
    [['MEMORY', 'PURGE']],
  ])('%j is refused, other forms of it are not', async (command) => {
    expect((await stage.run(command)).status).toBe(400);
  });

  test('an error does not quote the arguments', async () => {
    const { text } = await stage.run(['JSON.SET', 'the-key', '$', 'the-value']);
    expect(text).toBe('{"error":"ERR unknown command"}');
    expect((await stage.run(['OBJECT', 'the-value', 'k'])).text).not.toContain('the-value');
  });
});

describe('/pipeline', () => {
  test('answers each command in order, errors at their places', async () => {
    const { status, json } = await stage.ask('/pipeline', {
      body: [
        ['SET', 'pipe', '1'],
        ['LPUSH', 'pipe', 'x'],
        ['INCR', 'pipe'],
        ['CONFIG', 'GET', '*'],
        ['GET', 'pipe'],
      ],
    });
    expect(status).toBe(200);
    expect(json).toEqual([
      { result: 'OK' },
      { error: expect.stringMatching(/^WRONGTYPE/) },
      { result: 2 },
      { error: 'ERR unknown or unsupported command' },
      { result: '2' },
    ]);
  });

  test.each<[body: unknown]>([[{}], ['x'], [['GET', 'a']], [[]], [[[]]], [[['GET', {}]]]])(
    '%j is refused as a whole',
    async (body) => {
      const { status, json } = await stage.ask('/pipeline', { body });
      expect([status, json]).toEqual([400, { error: expect.any(String) }]);
    },
  );
});

describe('/multi-exec', () => {
  test('runs all as one; what fails in it does not stop the rest', async () => {
    const { status, json } = await stage.ask('/multi-exec', {
      body: [
        ['SET', 'multi', '1'],
        ['LPUSH', 'multi', 'x'],
        ['INCR', 'multi'],
        ['LRANGE', 'nothing', 0, -1],
      ],
    });
    expect(status).toBe(200);
    expect(json).toEqual([
      { result: 'OK' },
      { error: expect.stringMatching(/^WRONGTYPE/) },
      { result: 2 },
      { result: [] },
    ]);
  });

  test.each([
    ['a wrong number of arguments', ['GET']],
    ['a command that is not allowed', ['CONFIG', 'GET', '*']],
  ])('%s discards the whole', async (_what, wrong) => {
    await stage.redis.set('multi:discarded', 'before');
    const body = [['SET', 'multi:discarded', 'after'], wrong];
    const { status, json } = await stage.ask('/multi-exec', { body });
    expect([status, json]).toEqual([400, { error: expect.any(String) }]);
    expect(await stage.redis.get('multi:discarded')).toBe('before');
  });

  test('no other command comes between, of forty at once', async () => {
    const transfer = [
      ['INCR', 'multi:a'],
      ['EVAL', "return redis.call('get','multi:a') == redis.call('get','multi:b')", 0],
      ['INCR', 'multi:b'],
      ['EVAL', "return redis.call('get','multi:a') == redis.call('get','multi:b')", 0],
    ];
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => stage.ask('/multi-exec', { body: transfer })),
    );
    for (const { json } of answers) {
      expect(json).toMatchObject([{}, { result: null }, {}, { result: 1 }]);
    }
    expect(await stage.redis.mget('multi:a', 'multi:b')).toEqual(['40', '40']);
  });
});

describe('a command as a path', () => {
  test.each<[method: string, path: string, body: string | undefined, result: unknown]>([
    ['GET', '/set/path/value', undefined, 'OK'],
    ['GET', '/get/path', undefined, 'value'],
    ['POST', '/get/path', undefined, 'value'],
    ['GET', '/GET/path', undefined, 'value'],
    ['GET', '/set/path%2Fa%20b%25/%C3%BC', undefined, 'OK'],
    ['GET', '/get/path%2Fa%20b%25', undefined, 'ü'],
    ['POST', '/set/path', '{"a":1}', 'OK'],
    ['GET', '/get/path', undefined, '{"a":1}'],
    ['PUT', '/set/path?EX=100', 'put', 'OK'],
    ['GET', '/ttl/path', undefined, 100],
    ['POST', '/set/path?NX', 'other', null],
    ['GET', '/set/path/', undefined, 'OK'],
    ['GET', '/get/path', undefined, ''],
    ['GET', '/mget/path/nothing', undefined, ['', null]],
  ])('%s %s with %j is answered with %j', async (method, path, body, result) => {
    const { status, json } = await stage.ask(path, { method, body });
    expect([status, json]).toEqual([200, { result }]);
  });

  test('a body is an argument of bytes', async () => {
    const bytes = Uint8Array.from([0, 255, 128, 10]);
    await stage.ask('/set/path:bytes', { method: 'POST', body: bytes });
    expect(await stage.redis.getBuffer('path:bytes')).toEqual(Buffer.from(bytes));
  });

  test('HEAD runs it too, and has the headers of the answer alone', async () => {
    const { status, text } = await stage.ask('/set/path:head/1', { method: 'HEAD' });
    expect([status, text]).toEqual([200, '']);
    expect(await stage.redis.get('path:head')).toBe('1');
    const failed = await stage.ask('/lpush/path:head/1', { method: 'HEAD' });
    expect([failed.status, failed.text]).toEqual([400, '']);
  });

  test.each(['/get/%ff', '/get/%', '//get/a', '/%00/a'])('%s is refused', async (path) => {
    expect((await stage.ask(path)).status).toBe(400);
  });
});

describe('base64', () => {
  test.each<[command: unknown, result: unknown]>([
    [['SET', 'base64', 'bar'], 'OK'],
    [['GET', 'base64'], encode('bar')],
    [['GET', 'nothing'], null],
    [['STRLEN', 'base64'], 3],
    [['PING'], encode('PONG')],
    [
      ['EVAL', "return {'OK',{'a',1},false}", 0],
      [encode('OK'), [encode('a'), 1], null],
    ],
    [['EVAL', "return redis.status_reply('OK')", 0], 'OK'],
  ])('%j is answered with %j', async (command, result) => {
    expect((await stage.run(command, { headers: base64 })).json).toEqual({ result });
  });

  test('keeps bytes, and leaves errors as they are', async () => {
    await stage.redis.set('base64:bytes', Buffer.from([255, 254]));
    const { json } = await stage.run(['GET', 'base64:bytes'], { headers: base64 });
    expect(json).toEqual({ result: '//4=' });
    const error = await stage.run(['GET'], { headers: base64 });
    expect(error.json).toEqual({ error: expect.stringMatching(/^ERR wrong number/) });
  });

  test.each(['/pipeline', '/multi-exec'])('holds for each result of %s', async (path) => {
    const body = [
      ['SET', 'base64', 'bar'],
      ['GET', 'base64'],
      ['LPUSH', 'base64', 'x'],
    ];
    const { json } = await stage.ask(path, { body, headers: base64 });
    expect(json).toEqual([
      { result: 'OK' },
      { result: encode('bar') },
      { error: expect.stringMatching(/^WRONGTYPE/) },
    ]);
  });
});

describe('statuses and headers', () => {
  test.each<[method: string, path: string, allowed: string]>([
    ['DELETE', '/get/a', 'GET, HEAD, POST, PUT'],
    ['PATCH', '/', 'POST'],
    ['GET', '/', 'POST'],
    ['PUT', '/', 'POST'],
    ['HEAD', '/', 'POST'],
    ['GET', '/pipeline', 'POST'],
    ['GET', '/multi-exec', 'POST'],
    ['PUT', '/subscribe/a', 'GET, POST'],
    ['POST', '/healthz', 'GET, HEAD'],
  ])('%s %s is answered with 405', async (method, path, allowed) => {
    const { status, headers } = await stage.ask(path, { method });
    expect([status, headers.get('allow')]).toEqual([405, allowed]);
  });

  test.each<[what: string, headers: Record<string, string>]>([
    ['no token', {}],
    ['another token', { authorization: 'Bearer another' }],
    ['a longer token', { authorization: 'Bearer the-admin-token-of-the-tests1' }],
    ['a part of the token', { authorization: 'Bearer the-admin-token-of-the-test' }],
    ['another scheme', { authorization: 'Basic the-admin-token-of-the-tests' }],
    ['an empty token', { authorization: 'Bearer ' }],
  ])('%s is answered with 401', async (_what, headers) => {
    for (const path of ['/get/a', '/nothing/at/all']) {
      const { status, json } = await stage.ask(path, { token: null, headers });
      expect([status, json]).toEqual([401, { error: 'WRONGPASS invalid or missing auth token' }]);
    }
  });

  test('the admin token may stand in the address', async () => {
    const path = '/set/wire:url/1?_token=the-admin-token-of-the-tests&EX=50';
    expect((await stage.ask(path, { token: null })).json).toEqual({ result: 'OK' });
    expect(await stage.redis.ttl('wire:url')).toBeGreaterThan(40);
    expect((await stage.ask('/get/a?_token=another', { token: null })).status).toBe(401);
  });

  test('each answer has another sync token, errors too', async () => {
    const answers = [
      await stage.run(['PING']),
      await stage.run(['GET']),
      await stage.ask('/get/a', { token: null }),
      await stage.run(['PING'], { headers: { 'upstash-sync-token': 'any' } }),
    ];
    const tokens = answers.map(({ headers }) => headers.get('upstash-sync-token'));
    expect(new Set(tokens).size).toBe(4);
    expect(tokens).not.toContain(null);
  });

  test('another format of answers than JSON is refused', async () => {
    const headers = { 'upstash-response-format': 'resp2' };
    expect((await stage.run(['PING'], { headers })).status).toBe(400);
  });

  test('/healthz tells without a token whether Redis answers', async () => {
    const up = await stage.ask('/healthz', { token: null });
    expect([up.status, up.json]).toEqual([200, { result: 'OK' }]);
    const proxy = stage.open({ redis: 'redis://127.0.0.1:1' });
    expect((await proxy(requestOf('/healthz', { token: null }))).status).toBe(503);
    const command = await proxy(requestOf('/get/a'));
    expect([command.status, await command.json()]).toEqual([
      503,
      { error: 'ERR Redis is not available' },
    ]);
  });
});

test('a fault of the proxy is told to its logger, not to the client', async () => {
  const errors: unknown[] = [];
  const fault = new Error('hidden-from-clients');
  const proxy = stage.open({
    addressOf: () => {
      throw fault;
    },
    logger: { info() {}, warn() {}, error: (_line, error) => errors.push(error) },
  });
  const { status, json } = await stage.ask('/ping', {}, proxy);
  expect([status, json]).toEqual([500, { error: 'ERR the proxy failed' }]);
  expect(errors).toEqual([fault]);
});

describe('CORS', () => {
  const origin = 'https://app.example';
  const marked = (headers: Headers) => [
    headers.get('access-control-allow-origin'),
    headers.get('access-control-expose-headers'),
    headers.get('vary'),
  ];
  const open = [origin, 'upstash-sync-token, retry-after', 'origin'];

  test('a preflight needs no token and names the headers that are sent', async () => {
    const { status, text, headers } = await stage.ask('/pipeline', {
      method: 'OPTIONS',
      token: null,
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect([status, text]).toEqual([204, '']);
    expect(marked(headers)).toEqual(open);
    const names = headers.get('access-control-allow-headers')?.split(', ');
    expect(names).toEqual(
      expect.arrayContaining([
        'authorization',
        'content-type',
        'upstash-encoding',
        'cache-control',
      ]),
    );
    expect(headers.get('access-control-allow-methods')).toContain('POST');
    expect(headers.get('access-control-max-age')).toBe('7200');
  });

  test.each<[status: number, path: string, method: string, token: string | null | undefined]>([
    [200, '/ping', 'GET', undefined],
    [400, '/nothing', 'GET', undefined],
    [401, '/ping', 'GET', null],
    [405, '/ping', 'DELETE', undefined],
  ])('an answer of %i can be read by the page', async (status, path, method, token) => {
    const asked = token === undefined ? {} : { token };
    const answer = await stage.ask(path, { method, ...asked, headers: { origin } });
    expect(answer.status).toBe(status);
    expect(marked(answer.headers)).toEqual(open);
  });

  test.each(['https://app.example.evil', 'http://app.example', 'null', 'https://APP.example'])(
    'the origin %s gets no headers',
    async (other) => {
      const { headers } = await stage.ask('/ping', { headers: { origin: other } });
      expect(marked(headers)).toEqual([null, null, 'origin']);
    },
  );

  test('"*" lets all pages read', async () => {
    const { headers } = await stage.ask(
      '/ping',
      { headers: { origin } },
      stage.open({ cors: '*' }),
    );
    expect(marked(headers).slice(0, 2)).toEqual(['*', 'upstash-sync-token, retry-after']);
  });
});
