/** What one test of the suite works with: openers of the same data, ids and commits. */
import type { BucketId, Commit, CommitResult, StorageAdapter } from '../../../src/storage.js';
import type { Milliseconds } from '../../../src/types.js';

/** Where the tests get their adapters from. */
export interface StorageSource {
  /** Makes another independent opener of the same data: a second connection, a second tab. */
  open(): StorageAdapter | Promise<StorageAdapter>;
  /** Cleans up after a test, once every opener is closed. */
  close?(): void | Promise<void>;
  /** Lets time pass; give one where a clock can be moved by hand. Default: real time. */
  sleep?(duration: Milliseconds): Promise<void>;
}

/** Makes the source for one test; an adapter alone stands for all its openers. */
export type StorageFactory = () => Made | Promise<Made>;

type Made = StorageSource | StorageAdapter;

/** The tests of one topic, by the promise that each proves. */
export type Cases = Readonly<Record<string, (arena: Arena) => Promise<void>>>;

/** Changes in the short form that tests read well in. */
export type Changes = Omit<Partial<Commit>, 'set'> & {
  readonly set?: Readonly<Record<string, string>>;
};

let arenas = 0;

/** One test's place. */
export class Arena {
  /** An app name that no other test uses. */
  readonly app: string;
  readonly #source: StorageSource;
  readonly #openers: StorageAdapter[] = [];
  #sequence = 0;

  constructor(made: Made) {
    // Not by `open`, which an adapter may have as a method of its own.
    this.#source = 'commit' in made ? { open: () => made } : made;
    this.app = `test-${Math.random().toString(36).slice(2)}-${++arenas}`;
  }

  async open(): Promise<StorageAdapter> {
    const adapter = await this.#source.open();
    this.#openers.push(adapter);
    return adapter;
  }

  bucket(parts: Partial<BucketId> = {}): BucketId {
    return Object.freeze({ app: this.app, session: 'ann', state: 'cart', ...parts });
  }

  /** Commits with a sequence of its own, unless one is given. */
  commit(adapter: StorageAdapter, bucket: BucketId, changes: Changes): Promise<CommitResult> {
    const { set, ...rest } = changes;
    return adapter.commit(bucket, {
      writer: 'writer',
      sequence: ++this.#sequence,
      ...rest,
      ...(set ? { set: new Map(Object.entries(set)) } : {}),
    });
  }

  async sleep(duration: Milliseconds): Promise<void> {
    if (this.#source.sleep) await this.#source.sleep(duration);
    else await new Promise((resolve) => setTimeout(resolve, duration));
  }

  /** Closes every opener and the source, also after one of them has failed. */
  async close(): Promise<void> {
    const closing = await Promise.allSettled(this.#openers.map((opener) => opener.close()));
    await this.#source.close?.();
    for (const one of closing) if (one.status === 'rejected') throw one.reason;
  }
}
