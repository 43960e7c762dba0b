/** Streams of messages: what they carry, and how each of them ends. */
import { describe, expect, test } from 'vitest';
import { bucketKey, channelOf } from '../../../adapters/redis/keys.js';
import { ManualClock, settle } from '../../support/clock.js';
import { turn } from '../../support/promises.js';
import { EventReader, ProxyStage, requestOf, tokenOf } from '../../support/redis-proxy.js';

const stage = new ProxyStage();
const own = channelOf(bucketKey({ app: 'shop', session: 'ann', state: 'cart' }));
const path = (...channels: string[]) => `/subscribe/${channels.map(encodeURIComponent).join('/')}`;
const accept = { accept: 'text/event-stream' };

/** Opens a stream, past what it says first. */
async function subscribe(
  channel: string,
  asked: Parameters<typeof requestOf>[1] = {},
  proxy = stage.proxy,
): Promise<EventReader> {
  const response = await proxy(requestOf(path(channel), { body: [], ...asked }));
  expect(response.status).toBe(200);
  const reader = new EventReader(response);
  expect(await reader.next()).toBe(`data: subscribe,${channel},1`);
  return reader;
}

/** How many connections listen to a channel; it is told a little later. */
const listening = (channel: string, count: number) =>
  expect
    .poll(async () => (await stage.redis.pubsub('NUMSUB', channel))[1], { timeout: 5000 })
    .toBe(count);

// First, while nothing of another test is still closing.
test('a proxy that is closed leaves no connection and no timer', async () => {
  const held = () =>
    process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name)).length;
  // The tests' own connection has been made before.
  await stage.redis.ping();
  const before = held();
  const proxy = stage.open();
  const token = await tokenOf('ann');
  const readers = [await subscribe(own, { token }, proxy), await subscribe('b', {}, proxy)];
  await proxy(requestOf('/ping'));
  expect(held()).toBeGreaterThan(before);
  await proxy.close();
  expect(await Promise.all(readers.map((reader) => reader.next()))).toEqual([undefined, undefined]);
  await expect.poll(held, { timeout: 10_000 }).toBeLessThanOrEqual(before);
});

describe('a stream', () => {
  test('says what it listens to, then what comes', async () => {
    const asked = { method: 'POST', body: [], headers: accept };
    const response = await stage.fetch(path('a/b?c', 'ü', 'ü'), asked);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = new EventReader(response);
    expect(await reader.next()).toBe('data: subscribe,a/b?c,1');
    expect(await reader.next()).toBe('data: subscribe,ü,2');
    await stage.redis.publish('a/b?c', '{"a":[1,2]}');
    await stage.redis.publish('ü', '🐟');
    expect(await reader.next()).toBe('data: message,a/b?c,{"a":[1,2]}');
    expect(await reader.next()).toBe('data: message,ü,🐟');
    await reader.cancel();
    await listening('ü', 0);
  });

  test('of a pattern tells the pattern and the channel', async () => {
    const reader = new EventReader(await stage.fetch('/psubscribe/pattern:*', { body: [] }));
    expect(await reader.next()).toBe('data: psubscribe,pattern:*,1');
    await stage.redis.publish('pattern:a', 'x');
    expect(await reader.next()).toBe('data: pmessage,pattern:*,pattern:a,x');
    await reader.cancel();
    await expect.poll(() => stage.redis.pubsub('NUMPAT')).toBe(0);
  });

  test.each<[payload: string, event: string]>([
    ['1\n2', 'data: message,lines,1\ndata:2'],
    ['1\r\n 2\r3', 'data: message,lines,1\ndata:  2\ndata:3'],
    ['\n', 'data: message,lines,\ndata:'],
    ['x\ndata: message,other,y', 'data: message,lines,x\ndata:data: message,other,y'],
    ['x\nmessage,other,y', 'data: message,lines,x\ndata:message,other,y'],
  ])('cannot be made to say something else by %j', async (payload, event) => {
    const reader = await subscribe('lines');
    await stage.redis.publish('lines', payload);
    expect(await reader.next()).toBe(event);
    await reader.cancel();
  });

  test('of a session hears of its commits', async () => {
    const reader = await subscribe(own, { token: await tokenOf('ann', { ops: 'r' }) });
    await stage.redis.publish(own, '["1"]');
    expect(await reader.next()).toBe(`data: message,${own},["1"]`);
    await reader.cancel();
  });
});

describe('all streams', () => {
  test('share one connection, which listens to a channel while anybody does', async () => {
    const readers = await Promise.all(Array.from({ length: 20 }, () => subscribe('shared')));
    await listening('shared', 1);
    await stage.redis.publish('shared', 'x');
    const events = await Promise.all(readers.map((reader) => reader.next()));
    expect(new Set(events)).toEqual(new Set(['data: message,shared,x']));
    const [last, ...others] = readers;
    await Promise.all(others.map((reader) => reader.cancel()));
    await listening('shared', 1);
    await last?.cancel();
    await listening('shared', 0);
  });

  test('that come and go leave nothing, in whatever order', async () => {
    await Promise.all(
      Array.from({ length: 50 }, async (_, place) => {
        const reader = await subscribe(`churn:${place % 5}`);
        if (place % 2) await turn();
        await reader.cancel();
      }),
    );
    for (const place of [0, 1, 2, 3, 4]) await listening(`churn:${place}`, 0);
    const reader = await subscribe('churn:0');
    await stage.redis.publish('churn:0', 'x');
    expect(await reader.next()).toBe('data: message,churn:0,x');
    await reader.cancel();
  });
});

test('streams that open while the connection does are all there', async () => {
  for (let round = 0; round < 5; round++) {
    const proxy = stage.open();
    const opening: Promise<EventReader>[] = [];
    for (let count = 0; count < 20; count++) {
      opening.push(subscribe(`early:${count}`, {}, proxy));
      await new Promise<void>((done) => setImmediate(done));
    }
    for (const [place, reader] of (await Promise.all(opening)).entries()) {
      await stage.redis.publish(`early:${place}`, 'x');
      expect(await reader.next()).toBe(`data: message,early:${place},x`);
    }
    await proxy.close();
  }
});

describe('a stream ends', () => {
  test('when its client goes', async () => {
    const controller = new AbortController();
    await subscribe('abort', { signal: controller.signal });
    await listening('abort', 1);
    controller.abort();
    await listening('abort', 0);
  });

  test('when its token expires', async () => {
    const clock = new ManualClock();
    const proxy = stage.open({ clock });
    const token = await tokenOf('ann', { expiresIn: 30_000, clock });
    const reader = await subscribe(own, { token }, proxy);
    await clock.advance(29_999);
    await stage.redis.publish(own, 'in time');
    expect(await reader.until('in time\n\n')).toContain('message');
    await clock.advance(1);
    expect(await reader.next()).toBeUndefined();
    await listening(own, 0);
  });

  test('when its proxy closes', async () => {
    const proxy = stage.open();
    const reader = await subscribe('closing', {}, proxy);
    await proxy.close();
    expect(await reader.next()).toBeUndefined();
    await listening('closing', 0);
    const after = await proxy(requestOf('/ping'));
    expect([after.status, await after.json()]).toEqual([
      503,
      { error: 'ERR Redis is not available' },
    ]);
  });

  test('when its connection to Redis is lost, as nobody knows what it missed', async () => {
    const reader = await subscribe('lost');
    await stage.redis.client('KILL', 'TYPE', 'pubsub');
    expect(await reader.next()).toBeUndefined();
    const again = await subscribe('lost');
    await stage.redis.publish('lost', 'x');
    expect(await again.next()).toBe('data: message,lost,x');
    await again.cancel();
  });

  test('when its reader is too slow, and others do not notice', async () => {
    const proxy = stage.open({ limits: { streamBytes: 10_000 } });
    const slow = await subscribe('slow', {}, proxy);
    const quick = await subscribe('slow', {}, proxy);
    const payload = 'x'.repeat(1000);
    const read: (string | undefined)[] = [];
    for (let count = 0; count < 30; count++) {
      await stage.redis.publish('slow', payload);
      read.push(await quick.next());
    }
    expect(new Set(read)).toEqual(new Set([`data: message,slow,${payload}`]));
    await expect(slow.next().then(() => slow.until('never'))).rejects.toThrow('too slow');
    await quick.cancel();
    await listening('slow', 0);
  });
});

describe('a stream in between', () => {
  test('shows every 20 seconds that it lives', async () => {
    const clock = new ManualClock();
    const reader = await subscribe('ping', {}, stage.open({ clock }));
    for (let count = 0; count < 3; count++) {
      await clock.advance(20_000);
      expect(await reader.next()).toBe(': ping');
    }
    await reader.cancel();
    await settle();
    expect(clock.pending).toBe(0);
  });

  test('carries one message that is larger than what may wait', async () => {
    const reader = await subscribe('large', {}, stage.open({ limits: { streamBytes: 100 } }));
    const payload = 'x'.repeat(10_000);
    await stage.redis.publish('large', payload);
    expect(await reader.next()).toBe(`data: message,large,${payload}`);
    await reader.cancel();
  });
});

describe('too many streams', () => {
  test('of one session are refused until one ends', async () => {
    const proxy = stage.open({ limits: { streamsPerSession: 2 } });
    const token = await tokenOf('ann');
    const readers = [
      await subscribe(own, { token }, proxy),
      await subscribe(own, { token }, proxy),
    ];
    const third = await stage.ask(path(own), { token, body: [] }, proxy);
    expect([third.status, third.json]).toEqual([429, { error: 'ERR too many streams' }]);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    await readers[0]?.cancel();
    readers.push(await subscribe(own, { token }, proxy));
    readers.push(await subscribe('of a server', {}, proxy));
    await Promise.all(readers.slice(1).map((reader) => reader.cancel()));
  });

  test('of all are refused', async () => {
    const proxy = stage.open({ limits: { streams: 1 } });
    const reader = await subscribe('one', {}, proxy);
    expect((await stage.ask(path('two'), { body: [] }, proxy)).status).toBe(429);
    await reader.cancel();
    await (await subscribe('two', {}, proxy)).cancel();
  });

  test('and too many channels of one', async () => {
    const proxy = stage.open({ limits: { channels: 2 } });
    expect((await stage.ask(path('a', 'b', 'c'), { body: [] }, proxy)).status).toBe(413);
    const response = await stage.fetch(path('a', 'b', 'a'), { body: [] }, proxy);
    expect(response.status).toBe(200);
    await response.body?.cancel();
  });
});

test('without Redis a stream is refused', async () => {
  const proxy = stage.open({ redis: 'redis://127.0.0.1:1' });
  expect((await stage.ask(path('any'), { body: [] }, proxy)).status).toBe(503);
});
