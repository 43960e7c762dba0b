/**
 * The proxy itself: which endpoint a request is for, and what it is answered.
 *
 * @see https://upstash.com/docs/redis/features/restapi
 */

import { discardBody, readBody } from './body.js';
import { parseCommand, parseCommands, parsePath, partsOf } from './command.js';
import { type Asker, Executor } from './executor.js';
import { Hub } from './hub.js';
import { RedisLink } from './link.js';
import { type RedisProxyOptions, type Settings, settingsOf } from './options.js';
import { Rate } from './rate.js';
import { malformed, Refusal, unavailable } from './refusal.js';
import type { ReplyWriter } from './reply.js';
import { allow, refuse, writerFor } from './responses.js';
import { Streams } from './streams.js';

/** A handler of requests, and what ends it. */
export interface RedisProxy {
  /** Answers one request. Never rejects. */
  (request: Request): Promise<Response>;
  /**
   * Ends all streams, lets the requests that are being answered come to their end, then closes the
   * connections. Later requests are answered with 503.
   */
  close(): Promise<void>;
}

/**
 * Makes a handler that serves Redis over HTTP, by the Upstash Redis REST protocol: to browsers that have
 * a token of {@link signSession} their own session only, to servers with the admin token everything but
 * what blocks or administers the server.
 *
 * It runs wherever ioredis does. The request's path begins at the handler's own root,
 * unless `path` says where that is.
 *
 * @throws OPTION_INVALID
 * @example
 * const handler = redisProxy({ redis: "redis://127.0.0.1:6379", secret, cors: ["https://app.example"] });
 */
export function redisProxy(options: RedisProxyOptions): RedisProxy {
  const settings = settingsOf(options);
  const link = new RedisLink(options.redis, settings.limits.commandTimeout, settings.logger);
  const endpoints = new Endpoints(settings, link);
  const handler = (request: Request): Promise<Response> => endpoints.answer(request);
  return Object.assign(handler, { close: () => endpoints.close() });
}

/** What an answer is that is no refusal. */
type Answer = readonly [body: BodyInit | null, type: string];

const json = 'application/json';

class Endpoints {
  readonly #settings: Settings;
  readonly #link: RedisLink;
  readonly #executor: Executor;
  readonly #hub: Hub;
  readonly #streams: Streams;
  readonly #failures: Rate;
  readonly #answering = new Set<Promise<Response>>();
  #isClosed = false;
  /** Clients send back the last one that they saw; with one Redis it only has to change. */
  #syncToken = 0;

  constructor(settings: Settings, link: RedisLink) {
    const { limits, clock } = settings;
    this.#settings = settings;
    this.#link = link;
    this.#executor = new Executor(link, limits, clock);
    this.#hub = new Hub(() => link.listen());
    this.#streams = new Streams(this.#hub, limits, clock);
    this.#failures = new Rate(limits.failuresPerSecond, clock);
  }

  async answer(request: Request): Promise<Response> {
    const answering = this.#respond(request);
    this.#answering.add(answering);
    const response = await answering;
    this.#answering.delete(answering);
    this.#settings.cors.mark(request, response.headers);
    return response;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#streams.close();
    await Promise.all(this.#answering);
    // One may have been opening.
    this.#streams.close();
    this.#hub.close();
    this.#link.close();
  }

  async #respond(request: Request): Promise<Response> {
    const headers = new Headers({
      'cache-control': 'no-store',
      'upstash-sync-token': String(++this.#syncToken),
    });
    try {
      if (request.method === 'OPTIONS') return this.#settings.cors.preflight();
      if (this.#isClosed) throw unavailable();
      const [body, type] = await this.#serve(request, this.#placeOf(request));
      headers.set('content-type', type);
      return new Response(request.method === 'HEAD' ? null : body, { headers });
    } catch (error) {
      // Unread, it would be in the way of the connection's next request.
      discardBody(request, this.#settings.clock);
      if (!(error instanceof Refusal)) {
        this.#settings.logger.error('redisProxy: a request failed', error);
      }
      return refuse(error, request, headers);
    }
  }

  /** The address of a request, from where the handler stands on. */
  #placeOf({ url }: Request): URL {
    const place = new URL(url);
    const { path } = this.#settings;
    if (path === '') return place;
    const isHere = place.pathname === path || place.pathname.startsWith(`${path}/`);
    if (!isHere) throw new Refusal(404, `ERR the proxy stands at ${path}`);
    place.pathname = place.pathname.slice(path.length);
    return place;
  }

  async #serve(request: Request, url: URL): Promise<Answer> {
    if (url.pathname === '/healthz') return this.#health(request);
    const asker = this.#identify(request, url);
    const writer = writerFor(request);
    switch (url.pathname) {
      case '/':
        return this.#one(request, asker, writer);
      case '/pipeline':
      case '/multi-exec':
        return this.#many(request, asker, writer, url.pathname);
      default:
        return this.#path(request, url, asker, writer);
    }
  }

  #identify(request: Request, url: URL): Asker {
    const { access, addressOf } = this.#settings;
    const address = addressOf(request);
    try {
      return { caller: access.identify(request, url), address };
    } catch (error) {
      const wait = this.#failures.take(address, 1);
      throw wait > 0
        ? new Refusal(429, 'ERR too many requests without a valid token', wait)
        : error;
    }
  }

  async #health(request: Request): Promise<Answer> {
    allow(request, ['GET', 'HEAD']);
    if (!(await this.#link.isUp())) throw unavailable();
    return ['{"result":"OK"}', json];
  }

  async #one(request: Request, asker: Asker, writer: ReplyWriter): Promise<Answer> {
    allow(request, ['POST']);
    const command = parseCommand(await this.#json(request));
    return [writer.outcome(await this.#executor.runOne(command, asker)), json];
  }

  async #path(request: Request, url: URL, asker: Asker, writer: ReplyWriter): Promise<Answer> {
    const [first = '', ...names] = partsOf(url);
    const endpoint = first.toLowerCase();
    if (endpoint === 'subscribe' || endpoint === 'psubscribe') {
      allow(request, ['GET', 'POST']);
      return this.#stream(request, asker, endpoint, names);
    }
    allow(request, ['GET', 'HEAD', 'POST', 'PUT']);
    const command = parsePath(url, await this.#body(request));
    return [writer.outcome(await this.#executor.runOne(command, asker)), json];
  }

  async #many(
    request: Request,
    asker: Asker,
    writer: ReplyWriter,
    path: '/pipeline' | '/multi-exec',
  ): Promise<Answer> {
    allow(request, ['POST']);
    const commands = parseCommands(await this.#json(request), this.#settings.limits);
    const outcomes =
      path === '/pipeline'
        ? await this.#executor.run(commands, asker)
        : await this.#executor.transact(commands, asker);
    return [writer.outcomes(outcomes), json];
  }

  async #stream(
    request: Request,
    asker: Asker,
    endpoint: 'subscribe' | 'psubscribe',
    names: readonly string[],
  ): Promise<Answer> {
    this.#executor.count(asker, Math.max(1, names.length));
    // Upstash clients send an empty list.
    await this.#body(request);
    const topic = endpoint === 'subscribe' ? 'channel' : 'pattern';
    const { caller } = asker;
    const { signal } = request;
    const body = await this.#streams.open({ caller, topic, names, signal });
    return [body, 'text/event-stream'];
  }

  #body(request: Request): Promise<Uint8Array> {
    return readBody(request, this.#settings.limits, this.#settings.clock);
  }

  async #json(request: Request): Promise<unknown> {
    const body = await this.#body(request);
    try {
      return JSON.parse(utf8.decode(body));
    } catch {
      throw malformed('the body is not JSON');
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
