/** The contract between the bucket engine and a storage adapter: strings in, strings out. */
import type { Milliseconds } from './types.js';

/** Names one bucket: one state of one session of one app. Encode the three parts injectively. */
export interface BucketId {
  /** Any non-empty string. */
  readonly app: string;
  /** Any string; `""` is the default session. */
  readonly session: string;
  /** Any non-empty string. */
  readonly state: string;
}

/** Opaque; new with every commit and never used again, also not after the bucket was gone. */
export type Revision = string;

/** What a bucket held at one moment; a copy that later commits do not change. */
export interface Snapshot {
  /** `null` where the bucket is absent, which is the same as without fields. */
  readonly revision: Revision | null;
  /** Values by stored names; of a read of some fields those that are there. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Changes that are made all or not at all, in the order `clear`, `delete`, `set`. */
export interface Commit {
  /** Names the runtime that commits. */
  readonly writer: string;
  /**
   * Grows with each commit of a writer. A commit whose sequence is not above the highest that the
   * bucket has seen of that writer is a repeat: it changes nothing and answers ok.
   */
  readonly sequence: number;
  /** Commit only if the bucket is at this revision; `null`: only if it is absent. Absent: always. */
  readonly ifRevision?: Revision | null;
  /** Drop every field first. */
  readonly clear?: boolean;
  /** Stored names; one that is not there is no error. */
  readonly delete?: readonly string[];
  /** Values by stored names. */
  readonly set?: ReadonlyMap<string, string>;
  /** Expiry of the whole bucket, from now; `null`: keeps for ever; absent: unchanged. */
  readonly ttl?: Milliseconds | null;
}

/** What became of a commit. */
export type CommitResult =
  | {
      readonly ok: true;
      /** The bucket's revision after it. */
      readonly revision: Revision;
      /**
       * What it was applied on: `null` where the bucket was absent. A repeat gives the revision of
       * now twice; of a bucket that is absent by now it gives `null` here and any revision there.
       */
      readonly previous: Revision | null;
    }
  | {
      readonly ok: false;
      /** What is there now, so that no read is needed before the next try. */
      readonly current: Snapshot;
    };

/** One commit of somebody, as {@link StorageAdapter.watch} reports it. */
export interface Change {
  /** `null` where the commit left the bucket absent. */
  readonly revision: Revision | null;
  readonly writer: string;
  readonly sequence: number;
  /** The stored names that it set or deleted; `"all"` after a clear. */
  readonly fields: readonly string[] | 'all';
}

/** What every call of an adapter may be given. */
export interface AbortOptions {
  readonly signal?: AbortSignal;
}

/** What a read may be given. */
export interface ReadOptions extends AbortOptions {
  /** Only these; without it all. */
  readonly fields?: readonly string[];
}

/** What a lock covers: a session, or one state of it. The two never exclude each other. */
export interface LockPlace {
  /** As in {@link BucketId}. */
  readonly app: string;
  /** As in {@link BucketId}. */
  readonly session: string;
  /** Given by the bucket engine, left out for exclusive tasks. */
  readonly state?: string;
}

/**
 * What a storage has to do. An adapter never sees a state class, a value or a retry.
 *
 * It reports trouble by rejecting with a `QTasksError` whose code begins with `STORAGE_`; anything
 * else becomes `STORAGE_UNAVAILABLE` with that error as its cause. `testStorage` of
 * `qtasks-lite/testing` proves an implementation.
 */
export interface StorageAdapter {
  /** For messages: `"memory"`, `"indexeddb"`, … */
  readonly name: string;
  /** Who sees one truth: this runtime, all pages and workers of an origin, or everybody. */
  readonly scope: 'runtime' | 'origin' | 'shared';
  /**
   * Reads a bucket, or some fields of it.
   * @throws the signal's reason once it aborts
   */
  read(bucket: BucketId, options?: ReadOptions): Promise<Snapshot>;
  /**
   * Makes all changes of a commit or none, atomically for every opener of the same data. Resolves
   * once a read by anybody sees them.
   * @throws the signal's reason once it aborts, nothing applied; `STORAGE_UNKNOWN_OUTCOME` where
   * it cannot be told whether it was applied
   */
  commit(bucket: BucketId, commit: Commit, options?: AbortOptions): Promise<CommitResult>;
  /** Lists the buckets of an app, or of one session of it, in no order. */
  list(prefix: { readonly app: string; readonly session?: string }): AsyncIterable<BucketId>;
  /**
   * Reports every commit of every opener, this one's own included, in the order in which they were
   * made. A listener that throws must not disturb the commit or the other listeners. Returns what
   * stops it.
   */
  watch?(bucket: BucketId, listener: (change: Change) => void): () => void;
  /**
   * Waits for a lock and resolves to what frees it; freeing twice is freeing once.
   * @throws the signal's reason once it aborts
   */
  lock?(place: LockPlace, options: AbortOptions): Promise<() => Promise<void>>;
  /** Lets go of connections, listeners and timers, not of data. The next use opens again. */
  close(): Promise<void>;
}
