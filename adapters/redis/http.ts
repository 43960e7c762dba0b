/**
 * Redis over HTTP: the adapter's own proxy, Upstash, serverless-redis-http.
 * @see https://upstash.com/docs/redis/features/restapi
 */
import { isQTasksError, QTasksError } from '../../src/errors.js';
import type { Milliseconds } from '../../src/types.js';
import {
  type Audience,
  Busy,
  type Command,
  isPassing,
  type Reply,
  refusal,
  type Transport,
  unlessAborted,
} from './transport.js';

/** As much of `fetch` as is used: those of browsers, Node, undici and test doubles fit. */
export type RedisFetch = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body: string;
    signal: AbortSignal;
  },
) => Promise<RedisResponse>;

/** As much of a `Response` as is used. */
export interface RedisResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** A `ReadableStream`, to watch; otherwise the adapter asks for changes again and again. */
  readonly body?: unknown;
  text(): Promise<string>;
}

/** What is sent as a bearer token; a function is asked at first and after the server refused the last one. */
export type RedisToken = string | (() => string | PromiseLike<string>);

/** What a token looks like, in words and as a test. */
export const tokenKind = 'a text of ASCII characters without spaces';
export const isToken = (value: unknown): value is string =>
  typeof value === 'string' && /^[!-~]+$/.test(value);

/** How long a stream may be silent, in milliseconds: the proxy says something every 25 seconds or so. */
const maxSilence = 60_000;

/** One REST interface. */
export class Http implements Transport {
  /** They stand in the path, percent-encoded, and servers take no more than 8 kB of it. */
  readonly maxLength = 4_000;
  readonly #url: string;
  readonly #token: RedisToken;
  readonly #fetch: RedisFetch;
  #asked: Promise<string> | undefined = undefined;

  constructor(url: string, token: RedisToken, fetch: RedisFetch) {
    this.#url = url;
    this.#token = token;
    this.#fetch = fetch;
  }

  async send(commands: readonly Command[], signal: () => AbortSignal): Promise<readonly Reply[]> {
    const response = await this.#post('pipeline', JSON.stringify(commands), signal());
    const replies = parse(await response.text());
    if (replies.length === commands.length) return replies;
    throw new Error('the answer is none of a pipeline, or a part of one');
  }

  async nodes(): Promise<readonly Transport[]> {
    return [this];
  }

  /** Sends a request, with another token if the first one is refused. */
  async #post(
    path: string,
    body: string,
    signal: AbortSignal,
    accept: Record<string, string> = {},
  ): Promise<RedisResponse> {
    for (let tries = 1; ; tries++) {
      this.#asked ??= this.#ask();
      const asked = this.#asked;
      const forget = (): void => {
        if (this.#asked === asked) this.#asked = undefined;
      };
      // A function that gives nothing in time is asked again.
      const token = await unlessAborted(asked, signal).catch((error: unknown) => {
        forget();
        throw error;
      });
      const headers = {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        ...accept,
      };
      const init = { method: 'POST', headers, body, signal };
      const response = await this.#fetch(`${this.#url}/${path}`, init);
      const { status } = response;
      if (status === 200) return response;
      const error = await problem(response);
      if (status === 401) forget();
      if (status !== 401 || tries > 1 || typeof this.#token === 'string') throw error;
    }
  }

  async #ask(): Promise<string> {
    let token: unknown = this.#token;
    try {
      if (typeof this.#token === 'function') token = await this.#token();
    } catch (cause) {
      const message = 'redis: the function "token" has failed';
      throw new QTasksError('STORAGE_UNAUTHORIZED', message, { cause });
    }
    // `fetch` would quote what cannot stand in a header.
    if (isToken(token)) return token;
    throw new QTasksError('STORAGE_UNAUTHORIZED', `redis: "token" has to give ${tokenKind}`);
  }

  async listen(channels: readonly string[], audience: Audience): Promise<boolean> {
    const silence = new AbortController();
    const stop = (): void => silence.abort();
    let timer = setTimeout(stop, maxSilence);
    audience.signal.addEventListener('abort', stop);
    try {
      const path = ['subscribe', ...channels.map(encodeURIComponent)].join('/');
      const { signal } = silence;
      const posted = this.#post(path, '[]', signal, { Accept: 'text/event-stream' });
      const response = await unlessAborted(posted, signal);
      const isStream = response.headers.get('content-type')?.includes('event-stream');
      if (!isStream || !isReadable(response.body)) return false;
      const hear = listener(channels.length, audience);
      const reader = response.body.getReader();
      // Where `fetch` heeds no signal. Where it does, the stream has failed already, and the reader is told.
      signal.addEventListener('abort', () => void reader.cancel().catch(() => {}));
      const decoder = new TextDecoder();
      for (let rest = ''; ; ) {
        const { value } = await reader.read();
        clearTimeout(timer);
        if (!value) return true;
        timer = setTimeout(stop, maxSilence);
        const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) hear(line);
      }
    } catch (error) {
      if (isQTasksError(error, 'STORAGE_UNAVAILABLE')) return false;
      throw error;
    } finally {
      clearTimeout(timer);
      audience.signal.removeEventListener('abort', stop);
      stop();
    }
  }
}

/** The replies; none where it is no such answer. The error of `JSON.parse` would quote it. */
function parse(text: string): readonly Reply[] {
  try {
    const replies: unknown = JSON.parse(text);
    if (Array.isArray(replies)) return replies;
  } catch {}
  return [];
}

/** Tells the audience what the lines of a stream say. */
function listener(channels: number, audience: Audience): (line: string) => void {
  let subscribed = 0;
  return (line) => {
    const [, kind, channel = '', rest = ''] =
      // With `s`: a name may have U+2028 in it, at which a dot would stop.
      /^data: (subscribe|message),([^,]*),(.*)/s.exec(line) ?? [];
    if (kind === 'message') audience.heard(channel, rest);
    else if (kind && ++subscribed === channels) audience.ready();
  };
}

const isReadable = (body: unknown): body is ReadableStream<Uint8Array> =>
  typeof (body as Partial<ReadableStream> | undefined)?.getReader === 'function';

/** What it means that there is no answer but a status. */
async function problem(response: RedisResponse): Promise<Error> {
  const { status, headers } = response;
  const text = await response.text().catch(() => '');
  if (status === 429) return new Busy(retryAfter(headers.get('retry-after')));
  if (status > 499) return new Error(`the server answered with status ${status}`);
  if (status === 401 || status === 403)
    return new QTasksError('STORAGE_UNAUTHORIZED', 'redis: the server refused the token');
  if (status === 413) return new QTasksError('STORAGE_QUOTA', 'redis: too much for one request');
  const error = errorOf(text);
  if (error !== undefined) return isPassing(error) ? new Busy(0) : refusal(error);
  const message = `redis: the server answered with status ${status}; is the url that of its REST API?`;
  return new QTasksError('STORAGE_UNAVAILABLE', message);
}

/** What the body of a refusal says; `undefined` where it is none of a REST API. */
function errorOf(text: string): string | undefined {
  try {
    const { error }: { readonly error?: unknown } = Object(JSON.parse(text));
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds or a date, as milliseconds from now. */
function retryAfter(header: string | null): Milliseconds {
  const seconds = Number(header);
  return (
    Math.max(0, Number.isNaN(seconds) ? Date.parse(header ?? '') - Date.now() : seconds * 1_000) ||
    0
  );
}
