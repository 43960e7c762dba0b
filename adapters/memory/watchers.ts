/** Who is told of the commits of a memory storage. */
import type { BucketId, Change, Commit } from '../../src/storage.js';
import { bucketKey } from './keys.js';

type Listener = (change: Change) => void;

/** The listeners of each bucket. */
export class Watchers {
  readonly #listeners = new Map<string, Set<Listener>>();

  add(id: BucketId, listener: Listener): () => void {
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

  /** Tells of a commit that was made, a moment later. */
  tell(id: BucketId, commit: Commit, revision: string | null): void {
    if (this.#listeners.size === 0) return;
    const listeners = this.#listeners.get(bucketKey(id));
    if (!listeners) return;
    const { writer, sequence, clear, delete: gone, set } = commit;
    const fields = clear ? ('all' as const) : [...(gone ?? []), ...(set?.keys() ?? [])];
    // Those of now: one that comes later has not asked for what was before.
    const those = [...listeners];
    queueMicrotask(() => {
      for (const listener of those) {
        if (listeners.has(listener)) callGuarded(listener, { revision, writer, sequence, fields });
      }
    });
  }

  /** Drops all, also those that were not told yet of what has happened. */
  clear(): void {
    for (const listeners of this.#listeners.values()) listeners.clear();
    this.#listeners.clear();
  }
}

/** A listener must not throw. One that does is no reason to end the process, or to tell nobody. */
function callGuarded(listener: Listener, change: Change): void {
  try {
    listener(change);
  } catch (error) {
    console.error('qtasks-lite: a listener of watch() on the storage "memory" threw', error);
  }
}
