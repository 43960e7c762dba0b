/** The storage of one runtime: plain maps, for tests, servers of one process and pages that may forget. */
import { LRUCache } from 'lru-cache';
import { type Clock, systemClock } from '../src/clock.js';
import { Mutex } from '../src/mutex.js';
import { check, checkOptions, hasMethods, kinds } from '../src/options.js';
import type {
  BucketId,
  Change,
  Commit,
  CommitResult,
  LockPlace,
  Snapshot,
  StorageAdapter,
} from '../src/storage.js';
import type { EpochMs, Milliseconds } from '../src/types.js';

/** Options of {@link memory}. */
export interface MemoryOptions {
  /** How many sessions are kept, the least recently used is evicted. Default: all of them. */
  readonly maxSessions?: number;
  /** How long a session is kept after its last use. Default: for ever. */
  readonly ttl?: Milliseconds;
  /** Told of each session that one of the two bounds has dropped, after that; must not throw. */
  readonly onEvict?: (session: { readonly app: string; readonly session: string }) => void;
  /** Default: the runtime's own. */
  readonly clock?: Clock;
}

interface AbortOptions {
  readonly signal?: AbortSignal;
}

interface ReadOptions extends AbortOptions {
  readonly fields?: readonly string[];
}

/** The highest sequence of each of the newest writers. */
type Sequences = Map<string, number>;

/** What is left of a bucket that is gone. */
interface Grave {
  readonly sequences: Sequences;
  readonly until: EpochMs;
}

interface Bucket {
  readonly id: BucketId;
  readonly fields: Map<string, string>;
  readonly sequences: Sequences;
  revision: string;
  expiresAt: EpochMs;
}

interface Session {
  readonly app: string;
  readonly session: string;
  readonly buckets: Map<string, Bucket>;
}

/** How many writers a bucket remembers, and for how long one that is gone. */
const maxWriters = 16;
const graveMs = 120_000;
const maxGraves = 10_000;

const optionKinds = {
  maxSessions: [
    'a whole number, 1 or more',
    (value: unknown) => Number.isInteger(value) && Number(value) > 0,
  ],
  ttl: [
    'milliseconds, more than 0',
    (value: unknown) => Number.isFinite(value) && Number(value) > 0,
  ],
  onEvict: kinds.function,
  clock: ['a clock', hasMethods('now', 'setTimeout', 'clearTimeout')],
} as const;

/**
 * Makes a storage that lives as long as this runtime. Apps that share the object share the data.
 *
 * Nothing is ever dropped unless `maxSessions` or `ttl` is given; then whole sessions are, and
 * `onEvict` is told.
 *
 * @throws OPTION_INVALID
 */
export function memory(options: MemoryOptions = {}): StorageAdapter {
  checkOptions('memory', options, optionKinds);
  return new MemoryStorage(options);
}

class MemoryStorage implements StorageAdapter {
  readonly name = 'memory';
  readonly scope = 'runtime';
  readonly #clock: Clock;
  readonly #sessions: Map<string, Session> | LRUCache<string, Session>;
  /** What writers of buckets that are gone have sent, oldest first. */
  readonly #graves = new Map<string, Grave>();
  readonly #listeners = new Map<string, Set<(change: Change) => void>>();
  readonly #locks = new Mutex();
  #revisions = 0;
  #commits = 0;

  constructor({ maxSessions, ttl, onEvict, clock = systemClock }: MemoryOptions) {
    this.#clock = clock;
    this.#sessions =
      maxSessions === undefined && ttl === undefined
        ? new Map()
        : new LRUCache<string, Session>({
            // Not `max`, which would allocate that many places at once.
            maxSize: maxSessions ?? Number.MAX_SAFE_INTEGER,
            sizeCalculation: () => 1,
            // lru-cache takes whole milliseconds only.
            ttl: Math.ceil(ttl ?? 0),
            ttlResolution: 0,
            updateAgeOnGet: true,
            perf: { now: () => clock.now() },
            dispose: ({ app, session }, _key, reason) => {
              if (!onEvict || (reason !== 'evict' && reason !== 'expire')) return;
              // Not from within a commit, which it could spoil by throwing or by a commit of its own.
              queueMicrotask(() => onEvict({ app, session }));
            },
          });
  }

  async read(id: BucketId, options: ReadOptions = {}): Promise<Snapshot> {
    throwIfAborted(options.signal);
    return snapshot(this.#find(id), options.fields);
  }

  async commit(id: BucketId, commit: Commit, options: AbortOptions = {}): Promise<CommitResult> {
    throwIfAborted(options.signal);
    const { writer, sequence, ifRevision, ttl } = commit;
    if (ttl !== undefined && ttl !== null) check('commit: the ttl', ttl, kinds.duration);
    // As many commits as there are sessions pay for one look at all of them.
    if (++this.#commits > 1_000 + this.#sessions.size) this.#sweep();
    const bucket = this.#find(id);
    const previous = bucket?.revision ?? null;
    const sequences = bucket?.sequences ?? this.#exhume(id) ?? new Map<string, number>();
    if (sequence <= (sequences.get(writer) ?? Number.NEGATIVE_INFINITY)) {
      return { ok: true, revision: previous ?? this.#nextRevision(), previous };
    }
    if (ifRevision !== undefined && ifRevision !== previous) {
      return { ok: false, current: snapshot(bucket) };
    }
    remember(sequences, writer, sequence);
    const target = bucket ?? newBucket(id, sequences);
    this.#change(target, commit);
    if (target.fields.size === 0) this.#bury(target);
    else if (!bucket) this.#place(target);
    this.#notify(id, commit, target.fields.size === 0 ? null : target.revision);
    return { ok: true, revision: target.revision, previous };
  }

  #change(bucket: Bucket, commit: Commit): void {
    const { fields } = bucket;
    if (commit.clear) fields.clear();
    if (commit.delete) for (const field of commit.delete) fields.delete(field);
    if (commit.set) for (const [field, value] of commit.set) fields.set(field, value);
    bucket.revision = this.#nextRevision();
    const { ttl } = commit;
    if (ttl !== undefined) bucket.expiresAt = ttl === null ? Infinity : this.#clock.now() + ttl;
  }

  #nextRevision(): string {
    return String(++this.#revisions);
  }

  /** The bucket, unless it is absent or has expired: then its place is free. */
  #find(id: BucketId): Bucket | undefined {
    return this.#unexpired(this.#sessions.get(sessionKey(id)), id);
  }

  /** The same for who only looks: a session grows no younger by it. */
  #peek(id: BucketId): Bucket | undefined {
    return this.#unexpired(this.#peekSession(id), id);
  }

  #peekSession(id: BucketId): Session | undefined {
    const key = sessionKey(id);
    return this.#sessions instanceof LRUCache ? this.#sessions.peek(key) : this.#sessions.get(key);
  }

  #unexpired(home: Session | undefined, { state }: BucketId): Bucket | undefined {
    const bucket = home?.buckets.get(state);
    if (!bucket || bucket.expiresAt === Infinity || bucket.expiresAt > this.#clock.now()) {
      return bucket;
    }
    this.#bury(bucket);
    return undefined;
  }

  #place(bucket: Bucket): void {
    const { id } = bucket;
    const { app, session, state } = id;
    const key = sessionKey(id);
    let home = this.#sessions.get(key);
    if (!home) {
      home = { app, session, buckets: new Map() };
      this.#sessions.set(key, home);
    }
    home.buckets.set(state, bucket);
  }

  /** Drops a bucket, if it has a place, and keeps what its writers have sent. */
  #bury({ id, sequences }: Bucket): void {
    const home = this.#peekSession(id);
    home?.buckets.delete(id.state);
    if (home?.buckets.size === 0) this.#sessions.delete(sessionKey(id));
    const key = bucketKey(id);
    this.#graves.delete(key);
    this.#graves.set(key, { sequences, until: this.#clock.now() + graveMs });
    if (this.#graves.size <= maxGraves) return;
    const [oldest] = this.#graves.keys();
    if (oldest !== undefined) this.#graves.delete(oldest);
  }

  #exhume(id: BucketId): Sequences | undefined {
    return this.#graves.size === 0 ? undefined : this.#graves.get(bucketKey(id))?.sequences;
  }

  /** Drops what has expired and what nobody will use again. */
  #sweep(): void {
    this.#commits = 0;
    const now = this.#clock.now();
    for (const [key, { until }] of this.#graves) {
      if (until > now) break;
      this.#graves.delete(key);
    }
    if (this.#sessions instanceof LRUCache) this.#sessions.purgeStale();
    for (const home of [...this.#sessions.values()]) {
      for (const { id } of [...home.buckets.values()]) this.#peek(id);
    }
  }

  async *list(prefix: {
    readonly app: string;
    readonly session?: string;
  }): AsyncGenerator<BucketId> {
    const { app, session } = prefix;
    // A copy: what comes or goes meanwhile must not make another bucket come twice or not at all.
    const homes = [...this.#sessions.values()].filter(
      (home) => home.app === app && (session === undefined || home.session === session),
    );
    const ids = homes.flatMap((home) => [...home.buckets.values()].map(({ id }) => id));
    for (const id of ids) if (this.#peek(id)) yield id;
  }

  watch(id: BucketId, listener: (change: Change) => void): () => void {
    const key = bucketKey(id);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners);
    // A listener may watch twice; each watch is stopped by itself.
    const one = (change: Change): void => listener(change);
    listeners.add(one);
    return () => {
      listeners.delete(one);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) {
        this.#listeners.delete(key);
      }
    };
  }

  #notify(
    id: BucketId,
    { writer, sequence, clear, delete: gone, set }: Commit,
    revision: string | null,
  ): void {
    if (this.#listeners.size === 0) return;
    const listeners = this.#listeners.get(bucketKey(id));
    if (!listeners) return;
    const fields = clear ? ('all' as const) : [...(gone ?? []), ...(set?.keys() ?? [])];
    for (const listener of listeners) {
      // A task of its own each: one that throws must not disturb the commit or the others.
      queueMicrotask(() => {
        if (listeners.has(listener)) listener({ revision, writer, sequence, fields });
      });
    }
  }

  lock(place: LockPlace, options: AbortOptions): Promise<() => Promise<void>> {
    return this.#locks.acquire(
      JSON.stringify([place.app, place.session, place.state]),
      options.signal,
    );
  }

  /** Drops the listeners; the data stays. */
  async close(): Promise<void> {
    this.#listeners.clear();
  }
}

const sessionKeys = new WeakMap<BucketId, string>();

/** JSON makes one text of the parts that no other parts make. The engine's ids are frozen and stay. */
function sessionKey(id: BucketId): string {
  const known = sessionKeys.get(id);
  if (known !== undefined) return known;
  const key = JSON.stringify([id.app, id.session]);
  if (Object.isFrozen(id)) sessionKeys.set(id, key);
  return key;
}

const bucketKey = ({ app, session, state }: BucketId): string =>
  JSON.stringify([app, session, state]);

const newBucket = (id: BucketId, sequences: Sequences): Bucket => ({
  id,
  fields: new Map(),
  sequences,
  revision: '',
  expiresAt: Infinity,
});

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason;
}

function snapshot(bucket: Bucket | undefined, names?: readonly string[]): Snapshot {
  if (!bucket) return { revision: null, fields: new Map() };
  const { revision, fields } = bucket;
  if (!names) return { revision, fields: new Map(fields) };
  const some = new Map<string, string>();
  for (const name of names) {
    const value = fields.get(name);
    if (value !== undefined) some.set(name, value);
  }
  return { revision, fields: some };
}

/** Notes a writer's sequence as the newest; the one that has been silent longest may be forgotten. */
function remember(sequences: Sequences, writer: string, sequence: number): void {
  if (sequences.size > 1) sequences.delete(writer);
  sequences.set(writer, sequence);
  if (sequences.size <= maxWriters) return;
  const [oldest] = sequences.keys();
  if (oldest !== undefined) sequences.delete(oldest);
}
