/** A proxy before a Redis of its own, and requests to it. */

import type { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import {
  type RedisProxy,
  type RedisProxyOptions,
  redisProxy,
  type SignSessionOptions,
  signSession,
} from '../../adapters/redis-proxy/index.js';
import { RedisServer } from './redis.js';

export const secret = 'the secret of the tests, of 32 and more';
export const adminToken = 'the-admin-token-of-the-tests';

/** What a request has; a body that is no text or stream is sent as JSON. */
export interface Asked {
  readonly method?: string;
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** What came back. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

/** A proxy that lives as long as the test file, and its Redis. */
export class ProxyStage {
  #server: RedisServer | undefined = undefined;
  #redis: Redis | undefined = undefined;
  readonly #proxies: RedisProxy[] = [];
  readonly #options: Partial<RedisProxyOptions>;

  constructor(options: Partial<RedisProxyOptions> = {}) {
    this.#options = options;
    beforeAll(async () => {
      this.#server = await RedisServer.start();
      this.#redis = this.#server.ioredis();
      this.open();
    });
    afterAll(async () => {
      await Promise.all(this.#proxies.map((proxy) => proxy.close()));
      await this.#server?.stop();
    });
  }

  get server(): RedisServer {
    if (!this.#server) throw new Error('there is no Redis before the tests');
    return this.#server;
  }

  /** Looks at what is in Redis, past the proxy. */
  get redis(): Redis {
    if (!this.#redis) throw new Error('there is no Redis before the tests');
    return this.#redis;
  }

  /** The proxy that was made first. */
  get proxy(): RedisProxy {
    const [proxy] = this.#proxies;
    if (!proxy) throw new Error('there is no proxy before the tests');
    return proxy;
  }

  /** Makes one more proxy, which is closed with the others. */
  open(options: Partial<RedisProxyOptions> = {}): RedisProxy {
    const given = { redis: this.server.url, secret, adminToken, ...this.#options, ...options };
    const proxy = redisProxy(given);
    this.#proxies.push(proxy);
    return proxy;
  }

  fetch(path: string, asked: Asked = {}, proxy: RedisProxy = this.proxy): Promise<Response> {
    return proxy(requestOf(path, asked));
  }

  async ask(path: string, asked: Asked = {}, proxy: RedisProxy = this.proxy): Promise<Answered> {
    const response = await this.fetch(path, asked, proxy);
    const { status, headers } = response;
    const text = await response.text();
    return { status, headers, text, json: text === '' ? undefined : JSON.parse(text) };
  }

  /** One command with the admin token, or another one. */
  run(command: unknown, asked: Asked = {}): Promise<Answered> {
    return this.ask('/', { ...asked, body: command });
  }
}

/** A request to a proxy, with the admin token unless told otherwise. */
export function requestOf(path: string, asked: Asked = {}): Request {
  const { body, token = adminToken, headers, signal } = asked;
  const method = asked.method ?? (body === undefined ? 'GET' : 'POST');
  const init = {
    method,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
    body: bodyOf(body),
    duplex: 'half',
    ...(signal ? { signal } : {}),
  };
  return new Request(`http://proxy${path}`, init);
}

function bodyOf(body: unknown): BodyInit | null {
  if (body === undefined) return null;
  if (typeof body === 'string' || body instanceof ReadableStream) return body;
  if (body instanceof Uint8Array) return new Uint8Array(body);
  return JSON.stringify(body);
}

/** A token of a session, by the secret of the tests. */
export function tokenOf(
  session: string,
  options: Partial<SignSessionOptions> = {},
): Promise<string> {
  return signSession({ secret, app: 'shop', session, expiresIn: 60_000, ...options });
}

/** Reads a stream's text as it comes. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = '';

  constructor(response: Response) {
    if (!response.body) throw new Error('the answer has no body');
    this.#reader = response.body.getReader();
  }

  /** The text until it has this; `undefined` where the stream ends before. */
  async until(end: string): Promise<string | undefined> {
    for (;;) {
      const place = this.#text.indexOf(end);
      if (place >= 0) {
        const found = this.#text.slice(0, place + end.length);
        this.#text = this.#text.slice(place + end.length);
        return found;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** The next event, without the empty line that ends it; `undefined` at the end. */
  async next(): Promise<string | undefined> {
    return (await this.until('\n\n'))?.slice(0, -2);
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}
