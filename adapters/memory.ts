/** The storage of one runtime: plain maps, for tests, servers of one process and pages that may forget. */
import { type Clock, systemClock } from '../src/clock.js';
import { Mutex } from '../src/mutex.js';
import { check, checkOptions, kinds } from '../src/options.js';
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
import type { Milliseconds } from '../src/types.js';
import { Buckets } from './memory/buckets.js';
import type { Bucket } from './memory/sessions.js';
import { remember } from './shared/sequences.js';
import { changeOf, Watchers } from './shared/watchers.js';

/** Options of {@link memory}. */
export interface MemoryOptions {
  /** How many sessions are kept, the least recently used is evicted. Default: all of them. */
  readonly maxSessions?: number;
  /** How long a session is kept after its last use. Default: for ever. */
  readonly ttl?: Milliseconds;
  /** Told of each session that a bound has dropped with something in it, after that; must not throw. */
  readonly onEvict?: (session: { readonly app: string; readonly session: string }) => void;
  /** Default: the runtime's own. */
  readonly clock?: Clock;
}

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
  clock: kinds.clock,
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
  readonly #buckets: Buckets;
  readonly #watchers = new Watchers('memory');
  readonly #locks = new Mutex();
  #revisions = 0;

  constructor({ maxSessions, ttl, onEvict, clock = systemClock }: MemoryOptions) {
    this.#buckets = new Buckets(clock, { maxSessions, ttl }, ({ app, session }) => {
      // Not from within a commit, which it could spoil by throwing or by a commit of its own.
      if (onEvict) queueMicrotask(() => onEvict({ app, session }));
    });
  }

  async read(id: BucketId, options?: ReadOptions): Promise<Snapshot> {
    options?.signal?.throwIfAborted();
    return snapshot(this.#buckets.find(id), options?.fields);
  }

  async commit(id: BucketId, commit: Commit, options?: AbortOptions): Promise<CommitResult> {
    options?.signal?.throwIfAborted();
    const { writer, sequence, ifRevision, ttl } = commit;
    if (ttl !== undefined && ttl !== null) check('commit: the ttl', ttl, kinds.duration);
    this.#buckets.tend();
    const found = this.#buckets.find(id);
    const previous = found?.revision ?? null;
    const bucket = found ?? this.#buckets.create(id);
    if (sequence <= (bucket.sequences.get(writer) ?? Number.NEGATIVE_INFINITY)) {
      return { ok: true, revision: previous ?? this.#nextRevision(), previous };
    }
    if (ifRevision !== undefined && ifRevision !== previous) {
      return { ok: false, current: snapshot(found) };
    }
    remember(bucket.sequences, writer, sequence);
    const revision = this.#change(bucket, commit);
    // Most buckets are watched by nobody: then there is nothing to build.
    if (!this.#watchers.isEmpty) {
      this.#watchers.tell(id, changeOf(commit, bucket.fields.size === 0 ? null : revision));
    }
    return { ok: true, revision, previous };
  }

  #change(bucket: Bucket, { clear, delete: gone, set, ttl }: Commit): string {
    const { fields } = bucket;
    if (clear) fields.clear();
    if (gone) for (const field of gone) fields.delete(field);
    if (set) for (const [field, value] of set) fields.set(field, value);
    bucket.revision = this.#nextRevision();
    if (fields.size === 0) this.#buckets.bury(bucket);
    else {
      this.#buckets.place(bucket);
      if (ttl !== undefined) this.#buckets.expire(bucket, ttl);
    }
    return bucket.revision;
  }

  #nextRevision(): string {
    return String(++this.#revisions);
  }

  async *list(prefix: {
    readonly app: string;
    readonly session?: string;
  }): AsyncGenerator<BucketId> {
    for (const id of this.#buckets.list(prefix.app, prefix.session)) {
      if (this.#buckets.has(id)) yield id;
    }
  }

  watch(id: BucketId, listener: (change: Change) => void): () => void {
    return this.#watchers.add(id, listener);
  }

  lock(place: LockPlace, options: AbortOptions): Promise<() => Promise<void>> {
    const name = JSON.stringify([place.app, place.session, place.state]);
    return this.#locks.acquire(name, options.signal);
  }

  /** Drops the listeners. The data stays, and so do locks, with who holds them and who waits. */
  async close(): Promise<void> {
    this.#watchers.clear();
  }
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
