import { Redis } from 'ioredis';
import { describe, expect, test, vi } from 'vitest';
import { type RedisUrlOptions, redis } from '../../../adapters/redis.js';
import { redisProxy, signSession } from '../../../adapters/redis-proxy/index.js';
import { RedisServer } from '../../support/redis.js';
import * as faults from '../../support/redis-faults.js';
import type { Fault } from '../../support/redis-rest.js';
import { codeOf, quick, Stage } from './support.js';

// One of its own: its scripts are flushed, and its memory runs out.
const stage = new Stage(() => RedisServer.start());

const secret = 'the secret of the tests, of 32 and more';
const busy = (seconds: string): Fault =>
  faults.status(429, { headers: { 'retry-after': seconds } });
const wrongPass = faults.status(401, { body: '{"error":"WRONGPASS"}' });

/** What passes by itself; what a commit and a read say where it does not pass. */
const passing: [what: string, fault: Fault, commit: string, read: string][] = [
  ['a request that is dropped', faults.drop, 'UNKNOWN_OUTCOME', 'UNAVAILABLE'],
  ['an answer that is dropped', faults.dropReply, 'UNKNOWN_OUTCOME', 'UNAVAILABLE'],
  ['an answer that breaks off', faults.truncate, 'UNKNOWN_OUTCOME', 'UNAVAILABLE'],
  ['an answer that is half there', faults.shorten, 'UNKNOWN_OUTCOME', 'UNAVAILABLE'],
  ['a page instead of an answer', faults.page, 'UNKNOWN_OUTCOME', 'UNAVAILABLE'],
  ['some other JSON', faults.otherJson, 'UNKNOWN_OUTCOME', 'UNAVAILABLE'],
  ['a 502 before', faults.status(502), 'UNKNOWN_OUTCOME', 'UNAVAILABLE'],
  ['a 502 after', faults.status(502, { isDone: true }), 'UNKNOWN_OUTCOME', 'UNAVAILABLE'],
  ['a 500 with a page', faults.status(500, { body: '<p>' }), 'UNKNOWN_OUTCOME', 'UNAVAILABLE'],
  ['a 503', faults.status(503), 'UNKNOWN_OUTCOME', 'UNAVAILABLE'],
  ['a 429', faults.status(429), 'UNAVAILABLE', 'UNAVAILABLE'],
  [
    'a Redis that loads its data',
    faults.refuse('LOADING Redis is loading'),
    'UNAVAILABLE',
    'UNAVAILABLE',
  ],
  ['a replica', faults.refuse("READONLY You can't write"), 'UNAVAILABLE', 'UNAVAILABLE'],
];

/** What is told at once. */
const lasting: [what: string, fault: Fault, code: string][] = [
  ['a 401', wrongPass, 'UNAUTHORIZED'],
  ['a 403', faults.status(403), 'UNAUTHORIZED'],
  [
    'a command that is not allowed',
    faults.refuse('NOPERM no permissions for evalsha'),
    'UNAUTHORIZED',
  ],
  ['a 413', faults.status(413), 'QUOTA'],
  [
    'too much for a request',
    faults.status(400, { body: '{"error":"ERR max request size exceeded"}' }),
    'QUOTA',
  ],
  [
    'a Redis that is full',
    faults.refuse("OOM command not allowed when used memory > 'maxmemory'."),
    'QUOTA',
  ],
  ['a key of another type', faults.refuse('WRONGTYPE Operation against a key'), 'CORRUPT'],
  ['a 400', faults.status(400, { body: '{"error":"ERR unknown command"}' }), 'UNAVAILABLE'],
  ['a 404', faults.status(404, { body: '<p>' }), 'UNAVAILABLE'],
  ['a command that there is not', faults.refuse("ERR unknown command 'EVALSHA'"), 'UNAVAILABLE'],
  ['an error that says nothing', faults.refuse(''), 'UNAVAILABLE'],
];

describe.each(passing)('%s', (_what, fault, commitCode, readCode) => {
  test('is over with the next attempt, and the commit is made once', async () => {
    const storage = stage.open();
    const id = stage.bucket();
    const first = await storage.commit(id, stage.commit());
    stage.rest.next.push(fault);
    const made = await storage.commit(id, stage.commit({ set: new Map([['a', '2']]) }));
    stage.rest.next.push(fault);
    const { revision, fields } = await storage.read(id);
    expect([made.ok, fields.get('a')]).toEqual([true, '2']);
    expect(made.ok && made.revision).toBe(revision);
    expect(first.ok && first.revision).not.toBe(revision);
  });

  test('is told once there were enough attempts', async () => {
    const storage = stage.open();
    stage.rest.fault = fault;
    expect(await codeOf(storage.commit(stage.bucket(), stage.commit()))).toBe(
      `STORAGE_${commitCode}`,
    );
    expect(stage.rest.exchanges.length).toBe(1 + quick.limit);
    expect(await codeOf(storage.read(stage.bucket()))).toBe(`STORAGE_${readCode}`);
    expect(stage.rest.exchanges.length).toBe(2 + 2 * quick.limit);
  });
});

describe.each(lasting)('%s', (_what, fault, code) => {
  test('is told at once, and the next call is made', async () => {
    const storage = stage.open();
    stage.rest.next.push(fault, fault);
    expect(await codeOf(storage.commit(stage.bucket(), stage.commit()))).toBe(`STORAGE_${code}`);
    expect(await codeOf(storage.read(stage.bucket()))).toBe(`STORAGE_${code}`);
    expect(stage.rest.exchanges.length).toBe(2);
    expect(await storage.commit(stage.bucket(), stage.commit())).toMatchObject({ ok: true });
  });
});

test('no message contains a value, a name, a token or a command', async () => {
  const storage = stage.open({ retry: { limit: 0 } });
  const commit = stage.commit({ writer: 'hush', set: new Map([['hush', 'hush']]) });
  const inside: Fault = ({ response }) => response.end('[{"result":["hush",]}]');
  for (const fault of [inside, ...[...passing, ...lasting].map(([, fault]) => fault)]) {
    stage.rest.next.push(fault);
    const id = stage.bucket({ session: 'hush' });
    const error = await storage.commit(id, commit).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(Error);
    for (let some = error; some instanceof Error; some = some.cause) {
      expect(some.message).not.toMatch(/hush|EVAL|a-token|127\.0/i);
    }
  }
});

test('what is told after an attempt that was lost leaves open what became of the commit', async () => {
  const storage = stage.open();
  stage.rest.next.push(faults.dropReply, wrongPass);
  const commit = storage.commit(stage.bucket(), stage.commit());
  expect(await codeOf(commit)).toBe('STORAGE_UNKNOWN_OUTCOME');
});

test('an attempt that takes too long is given up, and made again', async () => {
  const storage = stage.open({ retry: { ...quick, timeout: 100 } });
  stage.rest.next.push(faults.delay(0, 1_000));
  const start = performance.now();
  const result = await storage.commit(stage.bucket(), stage.commit());
  expect(result).toMatchObject({ ok: true });
  expect(performance.now() - start).toBeGreaterThan(95);
  expect(stage.rest.exchanges.length).toBe(2);
});

test.each(['null', '"OK"', '{}', '1'])(
  'a result of %s instead of a list is told at once',
  async (result) => {
    const storage = stage.open();
    const text = `[{"result":${result}}]`;
    const { rest } = stage;
    rest.fault = ({ response }) => response.end(text);
    expect(await codeOf(storage.commit(stage.bucket(), stage.commit()))).toBe(
      'STORAGE_UNAVAILABLE',
    );
    expect(await codeOf(storage.read(stage.bucket()))).toBe('STORAGE_UNAVAILABLE');
    expect(rest.exchanges.length).toBe(2);
  },
);

test.each([
  ['ERR syntax error', 'ERR'],
  ['NOPERM this token may not do that', 'NOPERM'],
  ['WRONGTYPE Operation against a key', 'WRONGTYPE'],
  ['Command is not available', 'with an error'],
  ['', 'with an error'],
])('of the error "%s" no more than its kind is told', async (text, kind) => {
  const storage = stage.open();
  const body = JSON.stringify({ error: text });
  for (const fault of [faults.status(400, { body }), faults.refuse(text)]) {
    stage.rest.next.push(fault);
    await expect(storage.read(stage.bucket())).rejects.toHaveProperty(
      'message',
      `redis: the server answered ${kind}`,
    );
  }
});

describe('what never comes', () => {
  const never = (): Promise<never> => new Promise(() => {});
  const headers = { get: () => null };

  test.each<[what: string, options: Partial<RedisUrlOptions>]>([
    ['a token', { token: never }],
    ['an answer', { fetch: never }],
    ['the text of an answer', { fetch: async () => ({ status: 200, headers, text: never }) }],
    ['the text of a refusal', { fetch: async () => ({ status: 400, headers, text: never }) }],
  ])('%s is waited for no longer than an attempt may take', async (_what, options) => {
    const storage = stage.open({ retry: { limit: 1, delay: 1, timeout: 20 }, ...options });
    expect(await codeOf(storage.read(stage.bucket()))).toBe('STORAGE_UNAVAILABLE');
    expect(await codeOf(storage.commit(stage.bucket(), stage.commit()))).toBe(
      'STORAGE_UNKNOWN_OUTCOME',
    );
    await storage.close();
  });

  test('a token is asked for again', async () => {
    const token = vi.fn(() => Promise.resolve(stage.rest.token)).mockImplementationOnce(never);
    const storage = stage.open({ token, retry: { ...quick, timeout: 200 } });
    await storage.read(stage.bucket());
    expect(token).toHaveBeenCalledTimes(2);
  });
});

test('a server that is not there is told', async () => {
  const storage = stage.open({ url: 'http://127.0.0.1:9' });
  expect(await codeOf(storage.read(stage.bucket()))).toBe('STORAGE_UNAVAILABLE');
});

test('waits as long as the server asks, and not at all where that is too long', async () => {
  const storage = stage.open();
  stage.rest.next.push(busy('1'));
  const start = performance.now();
  await storage.read(stage.bucket());
  expect(performance.now() - start).toBeGreaterThan(995);
  stage.rest.next.push(busy(new Date(Date.now() + 3_600_000).toUTCString()));
  expect(await codeOf(storage.read(stage.bucket()))).toBe('STORAGE_UNAVAILABLE');
});

describe('the token', () => {
  test('is asked for once, and once more after a refusal', async () => {
    const tokens = ['old', stage.rest.token];
    const token = vi.fn(async () => tokens.shift() ?? '');
    const storage = stage.open({ token });
    await Promise.all([storage.read(stage.bucket()), storage.read(stage.bucket({ state: 'b' }))]);
    await storage.read(stage.bucket());
    expect(token).toHaveBeenCalledTimes(2);
  });

  test('that is refused twice is told, and the next call asks again', async () => {
    const token = vi.fn(() => 'wrong');
    const storage = stage.open({ token });
    expect(await codeOf(storage.commit(stage.bucket(), stage.commit()))).toBe(
      'STORAGE_UNAUTHORIZED',
    );
    expect(token).toHaveBeenCalledTimes(2);
    token.mockReturnValue(stage.rest.token);
    await storage.read(stage.bucket());
    expect(token).toHaveBeenCalledTimes(3);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('offline');
      },
    ],
    ['gives nothing', () => undefined],
    ['gives what no header can carry', () => 'a\nb'],
  ])('of a function that %s is told, and asked for again', async (_what, give) => {
    const token = vi.fn(give as () => string);
    const storage = stage.open({ token });
    expect(await codeOf(storage.read(stage.bucket()))).toBe('STORAGE_UNAUTHORIZED');
    token.mockImplementation(() => stage.rest.token);
    await storage.read(stage.bucket());
    expect(token).toHaveBeenCalledTimes(2);
  });
});

describe('an abort', () => {
  const reason = new Error('enough');

  test('before anything is sent sends nothing', async () => {
    const storage = stage.open();
    const controller = new AbortController();
    const { signal } = controller;
    const commit = storage.commit(stage.bucket(), stage.commit(), { signal });
    const read = storage.read(stage.bucket(), { signal });
    controller.abort(reason);
    expect(await codeOf(commit)).toBe(reason);
    expect(await codeOf(read)).toBe(reason);
    expect(stage.rest.exchanges).toEqual([]);
  });

  test('ends a read with the reason, and leaves open what became of a commit', async () => {
    const storage = stage.open();
    for (const [call, expected] of [
      ['read', reason],
      ['commit', 'STORAGE_UNKNOWN_OUTCOME'],
    ] as const) {
      const controller = new AbortController();
      const { signal } = controller;
      stage.rest.next.push(faults.delay(1_000));
      const answer =
        call === 'read'
          ? storage.read(stage.bucket(), { signal })
          : storage.commit(stage.bucket(), stage.commit(), { signal });
      await expect.poll(() => stage.rest.next.length).toBe(0);
      controller.abort(reason);
      expect(await codeOf(answer)).toBe(expected);
    }
  });

  test('while it waits to be sent again', async () => {
    const storage = stage.open({ retry: { delay: 60_000, maxDelay: 60_000 } });
    for (const [fault, expected] of [
      [faults.status(429), reason],
      [faults.drop, 'STORAGE_UNKNOWN_OUTCOME'],
    ] as const) {
      const controller = new AbortController();
      stage.rest.next.push(fault);
      const { signal } = controller;
      const commit = storage.commit(stage.bucket(), stage.commit(), { signal });
      await expect.poll(() => stage.rest.next.length).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 50));
      controller.abort(reason);
      expect(await codeOf(commit)).toBe(expected);
      // Nobody has to wait for one that has gone.
      await storage.commit(stage.bucket(), stage.commit());
    }
  });
});

describe('what is sent', () => {
  test('is one request for all calls of a tick, with two headers of its own', async () => {
    const seen: RequestInit[] = [];
    const storage = stage.open({
      fetch: (url, init) => {
        seen.push(init);
        return fetch(url, init);
      },
    });
    const ids = ['a', 'b', 'c'].map((session) => stage.bucket({ session }));
    await Promise.all([
      ...ids.map((id) => storage.commit(id, stage.commit())),
      ...ids.map((id) => storage.read(id)),
    ]);
    expect(seen.map(({ method, headers }) => [method, Object.keys(headers ?? {})])).toEqual(
      seen.map(() => ['POST', ['Authorization', 'Content-Type']]),
    );
    expect(seen.flatMap((init) => Object.keys(init))).not.toContain('keepalive');
    expect(seen.flatMap((init) => Object.keys(init))).not.toContain('cache');
    expect(stage.rest.pipelines[0]?.length).toBe(6);
  });

  test('is the text of a script only where the server does not know it', async () => {
    const storage = stage.open();
    await stage.server.ioredis().script('FLUSH');
    for (let round = 0; round < 2; round++) {
      await Promise.all(
        ['a', 'b', 'c'].map((session) => storage.commit(stage.bucket({ session }), stage.commit())),
      );
    }
    const names = stage.rest.pipelines.map((commands) => commands.map(([name]) => name));
    expect(names).toEqual([
      ['EVALSHA', 'EVALSHA', 'EVALSHA'],
      ['EVAL', 'EVAL', 'EVAL'],
      ['EVALSHA', 'EVALSHA', 'EVALSHA'],
    ]);
  });

  test('is less at once where a server finds it too much', async () => {
    const storage = stage.open();
    const tooMuch = faults.status(413, { body: '<h1>413 Request Entity Too Large</h1>' });
    stage.rest.fault = (exchange) =>
      exchange.body.length > 20_000 || JSON.parse(exchange.body).length > 3
        ? tooMuch(exchange)
        : undefined;
    const ids = Array.from({ length: 20 }, (_, index) => stage.bucket({ session: `s${index}` }));
    const huge = stage.commit({ set: new Map([['a', 'x'.repeat(30_000)]]) });
    const refused = codeOf(storage.commit(stage.bucket(), huge));
    await Promise.all(
      ids.flatMap((id) => [
        storage.commit(id, { writer: 'w', sequence: 1, set: new Map([['a', '1']]) }),
        storage.commit(id, { writer: 'w', sequence: 2, set: new Map([['a', '2']]) }),
      ]),
    );
    expect(await refused).toBe('STORAGE_QUOTA');
    for (const { fields } of await Promise.all(ids.map((id) => storage.read(id)))) {
      expect(fields.get('a')).toBe('2');
    }
    await storage.close();
  });

  test('is not one huge request', async () => {
    const storage = stage.open();
    const set = new Map([['a', 'x'.repeat(300_000)]]);
    const ids = Array.from({ length: 10 }, (_, index) => stage.bucket({ session: `s${index}` }));
    await Promise.all(ids.map((id) => storage.commit(id, stage.commit({ set }))));
    expect(Math.max(...stage.rest.exchanges.map(({ body }) => body.length))).toBeLessThan(
      1_100_000,
    );
    await Promise.all(
      Array.from({ length: 2_500 }, (_, index) =>
        storage.read(stage.bucket({ state: `${index}` })),
      ),
    );
    expect(Math.max(...stage.rest.pipelines.map(({ length }) => length))).toBe(1_000);
  });
});

test('commits of one writer to one bucket are made in their order, whatever happens', async () => {
  const storage = stage.open({ retry: { ...quick, limit: 50 } });
  const fates = [faults.drop, faults.dropReply, faults.status(502, { isDone: true }), undefined];
  let request = 0;
  stage.rest.fault = (exchange) => fates[request++ % fates.length]?.(exchange);
  const results = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      storage.commit(stage.bucket(), {
        writer: 'w',
        sequence: index + 1,
        set: new Map([
          [`f${index}`, '1'],
          ['last', String(index)],
        ]),
      }),
    ),
  );
  expect(results.every(({ ok }) => ok)).toBe(true);
  stage.rest.fault = undefined;
  const { fields } = await storage.read(stage.bucket());
  expect([fields.size, fields.get('last')]).toEqual([41, '39']);
});

test('foreign data is told as such, whatever it is', async () => {
  const client = stage.server.ioredis();
  const storage = redis({ client });
  const key = `qt:{${stage.app}:ann:cart}`;
  for (const put of [
    () => client.set(key, 'text'),
    () => client.hset(key, 'a', '1'),
    () => client.hset(key, '\u0001', 'no JSON', 'a', '1'),
    () => client.hset(key, '\u0001', '{}', 'a', '1'),
  ]) {
    await client.del(key);
    await put();
    expect(await codeOf(storage.read(stage.bucket()))).toBe('STORAGE_CORRUPT');
    expect(await codeOf(storage.commit(stage.bucket(), stage.commit()))).toBe('STORAGE_CORRUPT');
  }
});

test.each(['-hset', '-time', 'resetchannels'])(
  'a user of Redis that lacks a right of the script is told: %s',
  async (rule) => {
    const admin = stage.server.ioredis();
    await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>pw', '~*', '&*', '+@all', rule);
    const client = new Redis(stage.server.url, { username: 'limited', password: 'pw' });
    const proxy = redisProxy({ redis: client, secret });
    const token = await signSession({
      secret,
      app: stage.app,
      session: 'ann',
      expiresIn: 60_000,
    });
    const byProxy = redis({
      url: 'http://proxy',
      token,
      fetch: (url, init) => proxy(new Request(url, init)),
    });
    for (const storage of [redis({ client }), byProxy]) {
      expect(await codeOf(storage.commit(stage.bucket(), stage.commit()))).toBe(
        'STORAGE_UNAUTHORIZED',
      );
    }
    await proxy.close();
    client.disconnect();
  },
);

test('a Redis that is full is told, and nothing is written by halves', async () => {
  const client = stage.server.ioredis();
  const storage = redis({ client });
  await storage.commit(stage.bucket(), stage.commit());
  await client.config('SET', 'maxmemory', '1');
  try {
    const set = new Map([
      ['a', '2'],
      ['b', '2'],
    ]);
    expect(await codeOf(storage.commit(stage.bucket(), stage.commit({ set })))).toBe(
      'STORAGE_QUOTA',
    );
    expect([...(await storage.read(stage.bucket())).fields]).toEqual([['a', '1']]);
  } finally {
    await client.config('SET', 'maxmemory', '0');
  }
});
