/** How much a request and a caller may use, and that the proxy's memory stays bounded whatever comes. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bucketKey } from '../../../adapters/redis/keys.js';
import { read } from '../../../adapters/redis/scripts.js';
import { redis } from '../../../adapters/redis.js';
import type { RedisProxyOptions } from '../../../adapters/redis-proxy/index.js';
import { serveProxy } from '../../../adapters/redis-proxy/serve.js';
import { ManualClock, settle } from '../../support/clock.js';
import { adminToken, ProxyStage, requestOf, tokenOf } from '../../support/redis-proxy.js';

const stage = new ProxyStage();
const tooLarge = { error: 'ERR max request size exceeded' };
const megabyte = 2 ** 20;

/** A proxy with other limits. */
const withLimits = (limits: RedisProxyOptions['limits'] = {}, others = {}) =>
  stage.open({ ...others, limits });

/** A proxy that listens. */
async function listen(limits: RedisProxyOptions['limits'] = {}): Promise<URL> {
  const server = await serveProxy(withLimits(limits), {
    host: '127.0.0.1',
    port: 0,
    log: () => {},
  });
  onTestFinished(() => server.close());
  return new URL(server.url);
}

/** A body of so many bytes, always the same chunk, and how many of them were wanted. */
function bodyOf(size: number, chunk = new Uint8Array(65_536).fill(0x20)) {
  const body = { sent: 0, stream: new ReadableStream<Uint8Array>() };
  body.stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      // A turn, as a network has it.
      await new Promise<void>((done) => setImmediate(done));
      controller.enqueue(chunk);
      body.sent += chunk.length;
      if (body.sent >= size) controller.close();
    },
  });
  return body;
}

/** How far the memory of this process rises meanwhile, in MB. */
async function peakOf(work: () => Promise<unknown>): Promise<number> {
  const used = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / megabyte;
  };
  const before = used();
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, used());
  }, 2);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(peak, used()) - before;
}

describe('a body', () => {
  test('may have as many bytes as the limit, and no more', async () => {
    const proxy = withLimits({ bodyBytes: 1000 });
    const padded = (size: number) => '["PING"]'.padEnd(size, ' ');
    for (const path of ['/', '/echo']) {
      const fits = await stage.ask(path, { body: padded(1000) }, proxy);
      expect(fits.status).toBe(200);
      const larger = await stage.ask(path, { body: padded(1001) }, proxy);
      expect([larger.status, larger.json]).toEqual([413, tooLarge]);
    }
    const many = bodyOf(1500, new Uint8Array(300).fill(0x20));
    const streamed = await stage.ask('/', { method: 'POST', body: many.stream }, proxy);
    expect([streamed.status, streamed.json]).toEqual([413, tooLarge]);
  });

  test('that never ends is answered, read for a second more and then left', async () => {
    const clock = new ManualClock();
    const body = bodyOf(Number.POSITIVE_INFINITY);
    const rise = await peakOf(async () => {
      const proxy = withLimits({ bodyBytes: megabyte }, { clock });
      const { status, json } = await stage.ask('/', { method: 'POST', body: body.stream }, proxy);
      expect([status, json]).toEqual([413, tooLarge]);
      expect(body.sent).toBeLessThan(2 * megabyte);
      await expect.poll(() => body.sent).toBeGreaterThan(50 * megabyte);
    });
    expect(rise).toBeLessThan(30);
    await clock.advance(1000);
    await settle();
    const sent = body.sent;
    await settle();
    expect(body.sent).toBe(sent);
  });

  test('that does not come is waited for, but not for ever', async () => {
    const clock = new ManualClock();
    const proxy = withLimits({ bodyTimeout: 5000 }, { clock });
    const silent = new ReadableStream<Uint8Array>();
    const answering = stage.ask('/', { method: 'POST', body: silent }, proxy);
    await expect.poll(() => clock.pending).toBe(1);
    await clock.advance(5000);
    expect((await answering).status).toBe(408);
    await clock.advance(1000);
  });

  test('that breaks off is refused', async () => {
    const broken = new ReadableStream<Uint8Array>({
      start: (controller) => controller.error(new Error('the connection is lost')),
    });
    const { status, json } = await stage.ask('/', { method: 'POST', body: broken });
    expect([status, json]).toEqual([400, { error: 'ERR the request ended early' }]);
  });

  test('without a valid token is not read', async () => {
    const clock = new ManualClock();
    const proxy = withLimits({}, { clock });
    const body = bodyOf(Number.POSITIVE_INFINITY);
    const asked = { method: 'POST', token: 'another', body: body.stream };
    expect((await stage.ask('/', asked, proxy)).status).toBe(401);
    await clock.advance(1000);
    await settle();
    const sent = body.sent;
    await settle();
    expect(body.sent).toBe(sent);
  });
});

describe('over a connection', () => {
  const headers = { authorization: `Bearer ${adminToken}` };

  /** Sends a body as fast as it is taken, until the answer is there. */
  async function upload(url: URL, size: number, more: object = {}) {
    const request = httpRequest(url, { method: 'POST', headers: { ...headers, ...more } });
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    const chunk = Buffer.alloc(65_536, ' ');
    let sent = 0;
    let isOver = false;
    request.on('error', () => {
      isOver = true;
    });
    const over = new Promise((done) => request.once('close', done));
    const send = async () => {
      while (sent < size && !isOver) {
        sent += chunk.length;
        if (!request.write(chunk)) {
          await Promise.race([new Promise((done) => request.once('drain', done)), over]);
        }
      }
      request.end();
    };
    const sending = send();
    const [response] = await answered;
    let text = '';
    for await (const part of response) text += part;
    isOver = true;
    request.destroy();
    await sending;
    return { status: response.statusCode, text, sent };
  }

  test.each([
    ['100 MB', 100 * megabyte, {}],
    ['100 MB that were announced', 100 * megabyte, { 'content-length': 100 * megabyte }],
    ['no end', Number.POSITIVE_INFINITY, {}],
  ])('a body of %s is answered with 413, in bounded memory', async (_what, size, more) => {
    const url = await listen();
    let answer: Awaited<ReturnType<typeof upload>> | undefined;
    const rise = await peakOf(async () => {
      answer = await upload(url, size, more);
    });
    expect([answer?.status, answer?.text]).toEqual([413, JSON.stringify(tooLarge)]);
    expect(rise).toBeLessThan(60);
    // And the server goes on.
    const after = await fetch(new URL('/ping', url), { headers });
    expect(await after.json()).toEqual({ result: 'PONG' });
  });

  test('a reader that reads nothing is left, in bounded memory', async () => {
    const url = await listen();
    const socket = connect(Number(url.port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(
      `POST /subscribe/flood HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${adminToken}\r\ncontent-length: 2\r\n\r\n[]`,
    );
    await once(socket, 'readable');
    socket.pause();
    const payload = 'x'.repeat(100_000);
    const listeners = async () => (await stage.redis.pubsub('NUMSUB', 'flood'))[1];
    expect(await listeners()).toBe(1);
    let published = 0;
    const rise = await peakOf(async () => {
      while ((await listeners()) === 1 && published < 1000) {
        await stage.redis.publish('flood', payload);
        published++;
      }
    });
    // What the operating system keeps for both ends is some megabytes.
    expect(published).toBeLessThan(300);
    expect(rise).toBeLessThan(30);
  });

  test('a client that hangs up is not listened for', async () => {
    const url = await listen();
    const controller = new AbortController();
    const asked = { method: 'POST', headers, body: '[]', signal: controller.signal };
    await fetch(new URL('/subscribe/hangup', url), asked);
    expect((await stage.redis.pubsub('NUMSUB', 'hangup'))[1]).toBe(1);
    controller.abort();
    await expect.poll(async () => (await stage.redis.pubsub('NUMSUB', 'hangup'))[1]).toBe(0);
  });
});

describe('a request', () => {
  const proxyOf = () => withLimits({ commands: 3, arguments: 4, valueBytes: 5 });
  test.each<[path: string, body: unknown, status: number]>([
    ['/pipeline', [['PING'], ['PING'], ['PING']], 200],
    ['/pipeline', [['PING'], ['PING'], ['PING'], ['PING']], 413],
    ['/multi-exec', [['PING'], ['PING'], ['PING'], ['PING']], 413],
    ['/', ['EXISTS', 'a', 'b', 'c'], 200],
    ['/', ['EXISTS', 'a', 'b', 'c', 'd'], 413],
    ['/multi-exec', [['EXISTS', 'a', 'b', 'c', 'd']], 413],
    ['/multi-exec', [['PING'], ['ECHO', '123456']], 413],
    ['/exists/a/b/c/d/e', undefined, 413],
    ['/', ['ECHO', '12345'], 200],
    ['/', ['ECHO', '123456'], 413],
    ['/', ['ECHO', 'üü1'], 200],
    ['/', ['ECHO', 'üüü'], 413],
    ['/', ['ECHO', 123_456], 413],
    ['/echo', '123456', 413],
    ['/echo/123456', undefined, 413],
  ])('to %s of %j is answered with %i', async (path, body, status) => {
    const answer = await stage.ask(path, { body }, proxyOf());
    expect(answer.status).toBe(status);
    if (status === 413) expect(answer.json).toEqual(tooLarge);
  });
});

test('a command of a pipeline that is too large is refused at its place', async () => {
  const proxy = withLimits({ arguments: 4, valueBytes: 5 });
  const body = [['PING'], ['ECHO', '123456'], ['EXISTS', 'a', 'b', 'c', 'd'], ['ECHO', '12345']];
  const { status, json } = await stage.ask('/pipeline', { body }, proxy);
  expect(status).toBe(200);
  expect(json).toEqual([{ result: 'PONG' }, tooLarge, tooLarge, { result: '12345' }]);
});

describe('much to answer', () => {
  const id = (state: string) => ({ app: 'shop', session: 'ann', state });
  const states = Array.from({ length: 30 }, (_, place) => `large${place}`);

  /** Writes 3,000 bytes to each state. */
  async function fill(): Promise<void> {
    const storage = redis({ client: stage.redis });
    const set = new Map([['field', 'x'.repeat(3_000)]]);
    const writes = states.map((state, place) =>
      storage.commit(id(state), { writer: 'w', sequence: place, set }),
    );
    await Promise.all(writes);
  }

  test('is not all asked for at once, and what is too much is refused in its place', async () => {
    await fill();
    const proxy = withLimits({ answerBytes: 10_000 });
    const token = await tokenOf('ann');
    const body = states.map((state) => ['HGETALL', bucketKey(id(state))]);
    const { status, json } = await stage.ask('/pipeline', { token, body }, proxy);
    expect(status).toBe(200);
    const refused = Array(22).fill({ error: 'ERR max response size exceeded' });
    expect(json).toEqual([...Array(8).fill({ result: expect.any(Array) }), ...refused]);
    const transaction = await stage.ask('/multi-exec', { token, body: body.slice(0, 9) }, proxy);
    expect([transaction.status, transaction.json]).toEqual([413, tooLarge]);
  });

  test('comes with further requests of the client', async () => {
    await fill();
    const proxy = withLimits({ answerBytes: 10_000 });
    const storage = redis({
      url: 'http://proxy',
      token: await tokenOf('ann'),
      fetch: (url, init) => proxy(new Request(url, init)),
    });
    const found = await Promise.all(states.map((state) => storage.read(id(state))));
    expect(found.map(({ fields }) => fields.get('field')?.length)).toEqual(Array(30).fill(3_000));
    await storage.close();
  });

  test('is nothing that a field named as a word of the script takes part in', async () => {
    await fill();
    const storage = redis({ client: stage.redis });
    expect((await storage.read(id('large0'), { fields: ['some', 'field'] })).fields.size).toBe(1);
    const token = await tokenOf('ann');
    const body = ['EVALSHA', read.sha, 1, bucketKey(id('large0')), 'some', 'some', 'field'];
    expect((await stage.ask('/', { token, body })).status).toBe(200);
  });
});

describe('too many commands', () => {
  const key = bucketKey({ app: 'shop', session: 'ann', state: 'cart' });
  const pipeline = (count: number) => Array.from({ length: count }, () => ['EXISTS', key]);

  test('of a session are answered with 429 until it has waited', async () => {
    const clock = new ManualClock();
    const proxy = withLimits({ commandsPerSecond: 10 }, { clock });
    const token = await tokenOf('ann', { clock });
    const ask = (count: number) => stage.ask('/pipeline', { token, body: pipeline(count) }, proxy);
    expect((await ask(60)).status).toBe(200);
    expect((await ask(40)).status).toBe(200);
    const refused = await ask(25);
    expect([refused.status, refused.json]).toEqual([
      429,
      { error: 'ERR max requests limit exceeded' },
    ]);
    expect(refused.headers.get('retry-after')).toBe('3');
    await clock.advance(2400);
    expect((await ask(25)).status).toBe(429);
    await clock.advance(100);
    expect((await ask(25)).status).toBe(200);
  });

  test('of one session are not those of another, or of another address', async () => {
    const clock = new ManualClock();
    const addressOf = (request: Request) => request.headers.get('x-test') ?? '';
    const proxy = withLimits({ commandsPerSecond: 1 }, { clock, addressOf });
    const statusOf = async (session: string, address: string) => {
      const token = await tokenOf(session, { clock });
      const headers = { 'x-test': address };
      const body = Array.from({ length: 10 }, () => ['EXISTS', key]);
      return (await stage.ask('/pipeline', { token, headers, body }, proxy)).status;
    };
    expect(await statusOf('ann', '1')).toBe(200);
    expect(await statusOf('ann', '1')).toBe(429);
    expect(await statusOf('bob', '1')).toBe(200);
    expect(await statusOf('ann', '2')).toBe(200);
  });

  test('another token of the same session has no more', async () => {
    const clock = new ManualClock();
    const proxy = withLimits({ commandsPerSecond: 1 }, { clock });
    const statuses = [];
    for (const expiresIn of [1000, 2000]) {
      const token = await tokenOf('ann', { clock, expiresIn });
      statuses.push((await stage.ask('/pipeline', { token, body: pipeline(10) }, proxy)).status);
    }
    expect(statuses).toEqual([200, 429]);
  });

  test('a pipeline of more than ten seconds needs all of them, and leaves a debt', async () => {
    const clock = new ManualClock();
    const proxy = withLimits({ commandsPerSecond: 1 }, { clock });
    const token = await tokenOf('ann', { clock, expiresIn: 60_000 });
    const ask = (count: number) => stage.ask('/pipeline', { token, body: pipeline(count) }, proxy);
    expect((await ask(20)).status).toBe(200);
    await clock.advance(10_000);
    expect((await ask(1)).status).toBe(429);
    await clock.advance(1000);
    expect((await ask(1)).status).toBe(200);
  });

  test('of servers have a limit where one is given', async () => {
    const clock = new ManualClock();
    const proxy = withLimits({ adminCommandsPerSecond: 1 }, { clock });
    expect((await stage.ask('/pipeline', { body: pipeline(10) }, proxy)).status).toBe(200);
    expect((await stage.ask('/ping', {}, proxy)).status).toBe(429);
    expect((await stage.ask('/subscribe/a', { body: [] }, proxy)).status).toBe(429);
  });

  test('without a valid token are answered with 429, and do not keep out who has one', async () => {
    const clock = new ManualClock();
    const proxy = withLimits({ failuresPerSecond: 1 }, { clock });
    const statuses = [];
    for (let count = 0; count < 12; count++) {
      const response = await proxy(requestOf('/ping', { token: `guess-${count}` }));
      statuses.push(response.status);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
    expect((await stage.ask('/ping', {}, proxy)).status).toBe(200);
  });
});
