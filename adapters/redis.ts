/** The storage of everybody who reaches one Redis: over HTTP from anywhere, by a connection in Node. */
import { QTasksError } from '../src/errors.js';
import { check, checkOptions, hasMethods, type Kind, kinds } from '../src/options.js';
import type {
  AbortOptions,
  BucketId,
  Change,
  Commit,
  CommitResult,
  LockPlace,
  ReadOptions,
  Snapshot,
  StorageAdapter,
} from '../src/storage.js';
import { Calls, type RedisRetry } from './redis/calls.js';
import { Connection, type RedisClient } from './redis/client.js';
import { Feed } from './redis/feed.js';
import { Http, isToken, type RedisFetch, type RedisToken, tokenKind } from './redis/http.js';
import {
  bucketKey,
  fromField,
  fromKey,
  fromText,
  lockOf,
  mark,
  scanPattern,
  toField,
  toText,
} from './redis/keys.js';
import { Locks } from './redis/locks.js';
import { commit as commitScript, read as readScript } from './redis/scripts.js';
import type { Transport } from './redis/transport.js';
import { changeOf, Watchers } from './shared/watchers.js';

export type { RedisRetry } from './redis/calls.js';
export type { RedisClient } from './redis/client.js';
export type { RedisFetch, RedisToken } from './redis/http.js';

/** Options of {@link redis} over HTTP. */
export interface RedisUrlOptions {
  /** Where the REST API is; in a page it may be relative. Without credentials, which go into `token`. */
  readonly url: string;
  /** The token, or what gives one: it is asked before the first request and after a refusal. */
  readonly token: RedisToken;
  /** Default: the runtime's own. */
  readonly fetch?: RedisFetch;
  readonly retry?: RedisRetry;
}

/** Options of {@link redis} by a connection. */
export interface RedisClientOptions {
  /**
   * A `Redis` or `Cluster` of ioredis, or a client of node-redis for one server, each 5 or later and without
   * a prefix of keys.
   */
  readonly client: RedisClient;
  readonly retry?: RedisRetry;
}

const urlKind: Kind = ['an http(s) URL without credentials', (value) => toUrl(value) !== undefined];
const clientKind: Kind = [
  'a client of ioredis or node-redis, without a keyPrefix',
  (value) =>
    hasMethods('duplicate', 'on')(value) &&
    // A cluster of node-redis wants a key with each command, and selects no database.
    [hasMethods('call'), hasMethods('sendCommand', 'select')].some((has) => has(value)) &&
    // It would be put before the keys of scripts, but not before channels and what `SCAN` looks for.
    !Object(Object(value).options).keyPrefix,
];
const tokenOption: Kind = [
  `${tokenKind}, or a function`,
  (value) => typeof value === 'function' || isToken(value),
];
const retryKinds = {
  limit: kinds.count,
  delay: kinds.duration,
  maxDelay: kinds.duration,
  timeout: kinds.limit,
} as const;

/**
 * Makes a storage on Redis 6.2 or later: over HTTP, through the library's own proxy, Upstash or
 * serverless-redis-http, or in Node by a client that its owner connects and closes. Everything that
 * reaches the same Redis shares the data, is told of changes and shares locks.
 *
 * What fails on the way is tried again within the bounds of `retry`; a commit is never made twice. To list
 * buckets takes the right to use `SCAN`, which a session's token does not have.
 *
 * @throws OPTION_INVALID
 */
export function redis(options: RedisUrlOptions | RedisClientOptions): StorageAdapter {
  const isClient = kinds.object[1](options) && 'client' in options;
  checkOptions('redis', options, {
    ...(isClient
      ? { client: clientKind }
      : { url: urlKind, token: tokenOption, fetch: kinds.function }),
    retry: kinds.object,
  });
  const { retry = {} } = options;
  checkOptions('redis: option "retry"', retry, retryKinds);
  if ('client' in options) return new RedisStorage(new Connection(options.client), retry);
  const { url, token, fetch = (url, init) => globalThis.fetch(url, init) } = options;
  check('redis: option "url"', url, urlKind);
  check('redis: option "token"', token, tokenOption);
  return new RedisStorage(new Http(toUrl(url) ?? '', token, fetch), retry);
}

/** The URL without what may follow the path, and without its last slash. */
function toUrl(text: unknown): string | undefined {
  // In a page an address may be relative, and then almost everything is one.
  if (typeof text !== 'string' || text === '') return undefined;
  try {
    const { protocol, username, password, origin, pathname } = new URL(
      text,
      globalThis.location?.href,
    );
    if (!/^https?:$/.test(protocol) || username || password) return undefined;
    return origin + pathname.replace(/\/$/, '');
  } catch {
    return undefined;
  }
}

/** Three centuries: what is to be kept for longer is kept for ever. */
const longest = 1e13;

class RedisStorage implements StorageAdapter {
  readonly name = 'redis';
  readonly scope = 'shared';
  readonly #transport: Transport;
  readonly #retry: RedisRetry;
  readonly #calls: Calls;
  readonly #locks: Locks;
  readonly #feed: Feed;
  readonly #watchers = new Watchers('redis');

  constructor(transport: Transport, retry: RedisRetry) {
    this.#transport = transport;
    this.#retry = retry;
    this.#calls = new Calls(transport, retry);
    this.#locks = new Locks(this.#calls);
    this.#feed = new Feed(transport, this.#watchers, async (key) =>
      toAnswer(await this.#calls.run(readScript, [key], ['some'])),
    );
  }

  async read(id: BucketId, { fields, signal }: ReadOptions = {}): Promise<Snapshot> {
    const args = fields ? ['some', ...fields.map(toField)] : ['all'];
    const answer = toAnswer(await this.#calls.run(readScript, [bucketKey(id)], args, { signal }));
    return toSnapshot(answer, fields);
  }

  async commit(id: BucketId, commit: Commit, { signal }: AbortOptions = {}): Promise<CommitResult> {
    const { ttl } = commit;
    if (ttl !== undefined && ttl !== null) check('commit: the ttl', ttl, kinds.duration);
    const order = bucketKey(id);
    const lock = lockOf(order);
    const args = toArgs(commit, this.#locks.tokenOf(lock));
    // As it is at the call, for the watchers too.
    const change = this.#watchers.isEmpty ? undefined : changeOf(commit, null);
    const options = { signal, order };
    const answer = toAnswer(await this.#calls.run(commitScript, [order, lock], args, options));
    const [revision, previous, fields, before, current] = answer;
    if (fields) return { ok: false, current: toSnapshot(answer) };
    if (change && before !== undefined) {
      const made = { ...change, revision: current || null };
      this.#feed.made(order, Number(before), Number(revision), made);
    }
    return { ok: true, revision, previous: previous || null };
  }

  async *list(prefix: ListPrefix): AsyncGenerator<BucketId> {
    const found = new Set<string>();
    for (const node of await this.#transport.nodes()) {
      const calls = node === this.#transport ? this.#calls : new Calls(node, this.#retry);
      yield* this.#scan(calls, prefix, found);
    }
  }

  /** The buckets of one server that were not found before. */
  async *#scan(
    calls: Calls,
    { app, session }: ListPrefix,
    found: Set<string>,
  ): AsyncGenerator<BucketId> {
    const pattern = scanPattern(app, session);
    for (let cursor = ''; cursor !== '0'; ) {
      const command = ['SCAN', cursor || '0', 'MATCH', pattern, 'COUNT', '1000'];
      const [next, keys] = toList(await calls.send(command));
      cursor = String(next);
      const ids = toList(keys).flatMap((some) => {
        const key = String(some);
        const id = found.has(key) ? undefined : fromKey(key);
        found.add(key);
        return id && id.app === app && (session ?? id.session) === id.session ? [id] : [];
      });
      const snapshots = await Promise.all(ids.map((id) => this.read(id, { fields: [] })));
      yield* ids.filter((_id, index) => snapshots[index]?.revision);
    }
  }

  watch(id: BucketId, listener: (change: Change) => void): () => void {
    const stop = this.#watchers.add({ ...id }, listener);
    this.#feed.update();
    return () => {
      stop();
      this.#feed.update();
    };
  }

  lock(place: LockPlace, { signal }: AbortOptions): Promise<() => Promise<void>> {
    return this.#locks.acquire({ ...place }, signal);
  }

  /** Waits for what is on its way; lets go of the stream, the timers and the listeners. */
  async close(): Promise<void> {
    this.#watchers.clear();
    this.#feed.close();
    this.#locks.close();
    await this.#calls.idle();
  }
}

/** Whose buckets are listed. */
interface ListPrefix {
  readonly app: string;
  readonly session?: string;
}

/** What the scripts for buckets return. */
type Answer = readonly [
  newest: string,
  current: string,
  fields: readonly (string | null)[] | undefined,
  before: string | undefined,
  now: string | undefined,
];

/** @throws STORAGE_UNAVAILABLE */
function toList(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw new QTasksError('STORAGE_UNAVAILABLE', 'redis: the server answered with something unknown');
}

function toAnswer(reply: unknown): Answer {
  const [newest, current, third, now] = toList(reply);
  const fields = Array.isArray(third)
    ? third.map((value) => (value === null ? null : String(value)))
    : undefined;
  const before = typeof third === 'string' ? third : undefined;
  return [String(newest), String(current), fields, before, now === undefined ? now : String(now)];
}

/** @param names the fields that were asked for; without them names and values alternate */
function toSnapshot([, current, list = []]: Answer, names?: readonly string[]): Snapshot {
  const fields = new Map<string, string>();
  const values = names ? list : list.filter((_, index) => index % 2 === 1);
  values.forEach((value, index) => {
    const name = names ? names[index] : list[2 * index];
    if (value === null || typeof name !== 'string' || (!names && name === mark)) return;
    fields.set(names ? name : fromField(name), fromText(value));
  });
  return { revision: current || null, fields };
}

function toArgs(commit: Commit, token: string): string[] {
  const { writer, sequence, ifRevision, clear, delete: gone = [], set = [], ttl } = commit;
  return [
    toText(writer),
    String(sequence),
    ifRevision === undefined ? '' : `=${ifRevision ?? ''}`,
    ttl === undefined ? '' : String(ttl === null || ttl > longest ? -1 : Math.ceil(ttl)),
    token,
    clear ? '1' : '',
    String(gone.length),
    ...gone.map(toField),
    ...[...set].flatMap(([name, value]) => [toField(name), toText(value)]),
  ];
}
