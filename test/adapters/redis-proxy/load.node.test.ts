/** The proxy as a server under load: thousands of requests and hundreds of streams at once. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { expect, test } from 'vitest';
import { bucketKey, channelOf } from '../../../adapters/redis/keys.js';
import { read } from '../../../adapters/redis/scripts.js';
import { serveProxy } from '../../../adapters/redis-proxy/serve.js';
import { adminToken, ProxyStage, tokenOf } from '../../support/redis-proxy.js';

const logged: string[] = [];
const log = (message: string): void => void logged.push(message);
const stage = new ProxyStage({ logger: { info: log, warn: log, error: log } });

const sessions = Array.from({ length: 100 }, (_, place) => `session${place}`);
const keyOf = (session: string) => bucketKey({ app: 'shop', session, state: 'cart' });

interface Sent {
  readonly url: string;
  readonly path: string;
  readonly token: string;
  readonly body: unknown;
  readonly agent: Agent;
}

/** Sends a request by node:http, which opens as many connections as there are requests. */
async function send({ url, path, token, body, agent }: Sent): Promise<IncomingMessage> {
  const { port } = new URL(url);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const asked = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent });
  asked.end(JSON.stringify(body));
  const [response] = await once(asked, 'response');
  return response.setEncoding('utf8');
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

/** The text of a stream so far, and what waits for more of it. */
class Heard {
  readonly ended: Promise<unknown>;
  #text = '';
  readonly #response: IncomingMessage;

  constructor(response: IncomingMessage) {
    this.#response = response;
    this.ended = once(response, 'end');
    // Looked at in the end only, and a failure before that is the one to be told.
    this.ended.catch(() => {});
    response.on('data', (chunk) => {
      this.#text += chunk;
    });
  }

  async until(text: string): Promise<void> {
    while (!this.#text.includes(text)) await once(this.#response, 'data');
  }
}

test('2,000 requests and 500 streams at once are all answered, and all of them end', {
  timeout: 120_000,
}, async () => {
  const proxy = stage.open({ limits: { streamsPerSession: 5, failuresPerSecond: 1 } });
  const statuses = new Map<unknown, number>();
  const count = (entry: object): void => {
    const status = Reflect.get(entry, 'status');
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  const server = await serveProxy(proxy, { host: '127.0.0.1', port: 0, log: count });
  const { url } = server;
  const agent = new Agent({ keepAlive: true });
  const tokens = await Promise.all(
    sessions.map((session) => tokenOf(session, { expiresIn: 3_600_000 })),
  );
  try {
    const opening = Array.from({ length: 500 }, async (_, place) => {
      const session = sessions[place % sessions.length] ?? '';
      const token = tokens[place % tokens.length] ?? '';
      const channel = channelOf(keyOf(session));
      const path = `/subscribe/${encodeURIComponent(channel)}`;
      const response = await send({ url, path, token, body: [], agent });
      expect(response.statusCode).toBe(200);
      expect(response.headers.connection).toBe('close');
      const heard = new Heard(response);
      await heard.until(`data: subscribe,${channel},1\n\n`);
      return { heard, channel };
    });
    const streams = await Promise.all(opening);

    const answers = Array.from({ length: 2_000 }, async (_, place) => {
      const isAdmin = place % 2 === 0;
      const token = isAdmin ? adminToken : (tokens[place % tokens.length] ?? '');
      const key = keyOf(sessions[place % sessions.length] ?? '');
      const body = isAdmin
        ? [
            ['HSET', `load:${place}`, 'field', place],
            ['HGET', `load:${place}`, 'field'],
          ]
        : [['EVALSHA', read.sha, '1', key, 'all']];
      const response = await send({ url, path: '/pipeline', token, body, agent });
      const expected = isAdmin
        ? [{ result: 1 }, { result: String(place) }]
        : [{ result: ['0', '', []] }];
      expect([response.statusCode, JSON.parse(await textOf(response))]).toEqual([200, expected]);
    });
    await Promise.all(answers);

    for (const session of sessions) {
      await stage.redis.publish(channelOf(keyOf(session)), `to ${session}`);
    }
    await Promise.all(
      streams.map(({ heard, channel }, place) =>
        heard.until(`data: message,${channel},to ${sessions[place % sessions.length]}\n\n`),
      ),
    );

    await server.close();
    await Promise.all(streams.map(({ heard }) => heard.ended));
  } finally {
    agent.destroy();
    await server.close();
  }
  expect(statuses).toEqual(new Map([[200, 2_500]]));
  expect(logged).toEqual([]);
  await expect.poll(() => stage.redis.pubsub('CHANNELS')).toEqual([]);
});
