/** What a bucket asks of its adapter, with every failure as one of the library's errors. */
import { isQTasksError, QTasksError, storageError } from './errors.js';
import type { Runtime } from './need.js';
import { attempt } from './promises.js';
import type {
  BucketId,
  Change,
  Commit,
  CommitResult,
  Snapshot,
  StorageAdapter,
} from './storage.js';

/** What all buckets of an app share. */
export interface Engine {
  readonly runtime: Runtime;
  readonly storage: StorageAdapter;
  /** Names this app as a writer, together with a growing number. */
  readonly writer: string;
  nextSequence(): number;
}

/** One bucket of a storage. */
export class Port {
  readonly id: BucketId;
  readonly #storage: StorageAdapter;

  constructor(storage: StorageAdapter, id: BucketId) {
    this.#storage = storage;
    this.id = id;
  }

  /** @param fields stored names; without them all are read */
  async read(fields: readonly string[] | undefined): Promise<Snapshot> {
    try {
      return await this.#storage.read(this.id, fields ? { fields } : {});
    } catch (error) {
      throw this.#failure(error);
    }
  }

  commit(commit: Commit): Promise<CommitResult> {
    return attempt(() => this.#storage.commit(this.id, commit)).catch((error) =>
      this.#commitAgain(commit, error),
    );
  }

  /** An adapter that cannot tell what became of a commit is asked once more: a repeat does no harm. */
  async #commitAgain(commit: Commit, error: unknown): Promise<CommitResult> {
    if (!isQTasksError(error, 'STORAGE_UNKNOWN_OUTCOME')) throw this.#failure(error);
    try {
      return await this.#storage.commit(this.id, commit);
    } catch (failure) {
      throw this.#failure(failure);
    }
  }

  /** Resolves to `undefined` where the adapter has no locks. */
  async lock(): Promise<(() => Promise<void>) | undefined> {
    try {
      return await this.#storage.lock?.(this.id, {});
    } catch (error) {
      // One that is elsewhere has learned only now that there are none.
      if (isQTasksError(error, 'STORAGE_MISSING')) return undefined;
      throw this.#failure(error);
    }
  }

  /** @throws STORAGE_MISSING where the adapter cannot watch */
  watch(listener: (change: Change) => void): () => void {
    const { name, watch } = this.#storage;
    if (!watch) {
      const message = `subscribe: storage "${name}" cannot watch for changes; use one that can`;
      throw new QTasksError('STORAGE_MISSING', message);
    }
    try {
      return watch.call(this.#storage, this.id, listener);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): unknown {
    const message = `storage "${this.#storage.name}" failed on state "${this.id.state}"`;
    return storageError(error, message);
  }
}
