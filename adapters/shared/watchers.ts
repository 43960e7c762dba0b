/** Who is told of the commits that a storage learns of, its own and those of others. */
import type { BucketId, Change, Commit, Revision } from '../../src/storage.js';
import { bucketKey } from './keys.js';

type Listener = (change: Change) => void;

/** What a commit is told as. */
export function changeOf(commit: Commit, revision: Revision | null): Change {
  const { writer, sequence, clear, delete: gone, set } = commit;
  const fields = clear ? ('all' as const) : [...(gone ?? []), ...(set?.keys() ?? [])];
  return { revision, writer, sequence, fields };
}

/** The listeners of each bucket. */
export class Watchers {
  readonly #storage: string;
  readonly #listeners = new Map<string, { readonly id: BucketId; readonly all: Set<Listener> }>();

  /** @param storage names the adapter where a listener throws */
  constructor(storage: string) {
    this.#storage = storage;
  }

  /** Whether nobody watches anything. */
  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  /** The buckets that somebody watches. */
  get buckets(): readonly BucketId[] {
    return [...this.#listeners.values()].map(({ id }) => id);
  }

  add(id: BucketId, listener: Listener): () => void {
    const key = bucketKey(id);
    const place = this.#listeners.get(key) ?? { id, all: new Set() };
    this.#listeners.set(key, place);
    // A listener may watch twice; each watch is stopped by itself.
    const one = (change: Change): void => listener(change);
    place.all.add(one);
    return () => {
      place.all.delete(one);
      if (place.all.size === 0 && this.#listeners.get(key) === place) this.#listeners.delete(key);
    };
  }

  /** Tells of a commit that was made, a moment later. */
  tell(id: BucketId, change: Change): void {
    if (this.isEmpty) return;
    const listeners = this.#listeners.get(bucketKey(id))?.all;
    if (!listeners) return;
    // Those of now: one that comes later has not asked for what was before.
    const those = [...listeners];
    queueMicrotask(() => {
      for (const listener of those) if (listeners.has(listener)) this.#call(listener, change);
    });
  }

  /** A listener must not throw. One that does is no reason to end the process, or to tell nobody. */
  #call(listener: Listener, change: Change): void {
    try {
      listener(change);
    } catch (error) {
      const where = `a listener of watch() on the storage "${this.#storage}"`;
      console.error(`qtasks-lite: ${where} threw`, error);
    }
  }

  /** Drops all, also those that were not told yet of what has happened. */
  clear(): void {
    for (const { all } of this.#listeners.values()) all.clear();
    this.#listeners.clear();
  }
}
