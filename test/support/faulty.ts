import { memory } from '../../adapters/memory.js';
import type {
  BucketId,
  Change,
  Commit,
  CommitResult,
  LockPlace,
  Snapshot,
  StorageAdapter,
} from '../../src/storage.js';

/** What happens to one call instead of passing it on at once. */
export type Fault<Reply> = (pass: () => Promise<Reply>) => Promise<Reply>;

interface ReadOptions {
  readonly fields?: readonly string[];
}

/** A storage in front of another one: it counts what passes, and faults befall calls as a test says. */
export class FaultyStorage implements StorageAdapter {
  readonly name = 'faulty';
  readonly scope = 'runtime';
  readonly commits: { readonly bucket: BucketId; readonly commit: Commit }[] = [];
  readonly reads: { readonly bucket: BucketId; readonly fields: readonly string[] | undefined }[] =
    [];
  readonly locks: LockPlace[] = [];
  /** How many watches are on. */
  watches = 0;
  /** Befall the next calls, one each, first in first out. */
  readonly nextCommits: Fault<CommitResult>[] = [];
  readonly nextReads: Fault<Snapshot>[] = [];
  readonly nextLocks: Fault<() => Promise<void>>[] = [];
  readonly inner: StorageAdapter;

  constructor(inner: StorageAdapter = memory()) {
    this.inner = inner;
  }

  read(bucket: BucketId, options: ReadOptions = {}): Promise<Snapshot> {
    this.reads.push({ bucket, fields: options.fields });
    const pass = (): Promise<Snapshot> => this.inner.read(bucket, options);
    return this.nextReads.shift()?.(pass) ?? pass();
  }

  commit(bucket: BucketId, commit: Commit): Promise<CommitResult> {
    this.commits.push({ bucket, commit });
    const pass = (): Promise<CommitResult> => this.inner.commit(bucket, commit);
    return this.nextCommits.shift()?.(pass) ?? pass();
  }

  list(prefix: { readonly app: string; readonly session?: string }): AsyncIterable<BucketId> {
    return this.inner.list(prefix);
  }

  watch(bucket: BucketId, listener: (change: Change) => void): () => void {
    const stop = this.inner.watch?.(bucket, listener);
    this.watches++;
    return () => {
      this.watches--;
      stop?.();
    };
  }

  async lock(place: LockPlace): Promise<() => Promise<void>> {
    this.locks.push(place);
    const pass = async (): Promise<() => Promise<void>> =>
      (await this.inner.lock?.(place, {})) ?? (async () => {});
    return this.nextLocks.shift()?.(pass) ?? pass();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

/** Fails and does nothing. */
export const failWith =
  (error: unknown) =>
  async <Reply>(): Promise<Reply> => {
    throw error;
  };

/** Does it, perhaps lets more happen, and then fails as if nobody knew. */
export const passThenFail =
  (error: unknown, meanwhile: () => Promise<unknown> = async () => {}) =>
  async <Reply>(pass: () => Promise<Reply>): Promise<Reply> => {
    await pass();
    await meanwhile();
    throw error;
  };

/** Lets something happen first. */
export const passAfter =
  (first: () => unknown) =>
  async <Reply>(pass: () => Promise<Reply>): Promise<Reply> => {
    await first();
    return pass();
  };

/** Does it at once, but lets something happen before it answers. */
export const answerAfter =
  (last: () => unknown) =>
  async <Reply>(pass: () => Promise<Reply>): Promise<Reply> => {
    const reply = await pass();
    await last();
    return reply;
  };

/** A promise that a test resolves. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
