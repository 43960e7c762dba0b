/** Locks within this runtime, by name: first come, first served. */

/** A set of named locks. */
export class Mutex {
  /** Who waits for each lock that is held; the holder is not among them. */
  readonly #waiting = new Map<string, Set<() => void>>();

  /**
   * Waits for a lock and resolves to what frees it; freeing twice is freeing once.
   * @throws the signal's reason once it aborts
   */
  acquire(name: string, signal?: AbortSignal): Promise<() => Promise<void>> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const queue = this.#waiting.get(name);
      const grant = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve(this.#holder(name));
      };
      const abort = (): void => {
        queue?.delete(grant);
        reject(signal?.reason);
      };
      if (!queue) {
        this.#waiting.set(name, new Set());
        return grant();
      }
      queue.add(grant);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  #holder(name: string): () => Promise<void> {
    let isHeld = true;
    return async () => {
      if (!isHeld) return;
      isHeld = false;
      const queue = this.#waiting.get(name);
      const [next] = queue ?? [];
      if (next) {
        queue?.delete(next);
        next();
      } else this.#waiting.delete(name);
    };
  }
}
