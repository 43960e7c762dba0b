/** What keeps the exclusive runs of a session apart: the storage's lock, or without one a lock of the app. */
import { atMost } from './clock.js';
import { QTasksError, storageError } from './errors.js';
import { Mutex } from './mutex.js';
import type { Runtime } from './need.js';
import type { Milliseconds } from './types.js';

/** Gives a hold back. */
export type Release = () => Promise<void>;

/** The holds of one app. */
export class Holds {
  readonly #runtime: Runtime;
  readonly #mutex = new Mutex();
  readonly #releasing = new Set<Promise<void>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @throws STORAGE_MISSING where the storage has no locks: then nothing could keep runs apart */
  check(task: string): void {
    const { storage } = this.#runtime;
    if (!storage || storage.lock) return;
    const message = `task "${task}" is exclusive, but storage "${storage.name}" has no locks; use one that has`;
    throw new QTasksError('STORAGE_MISSING', message);
  }

  /** @throws STORAGE_*; the signal's reason once it aborts */
  async acquire(session: string, signal: AbortSignal): Promise<Release> {
    const { storage, name: app } = this.#runtime;
    if (!storage?.lock) return this.#mutex.acquire(session, signal);
    try {
      return await storage.lock({ app, session }, { signal });
    } catch (error) {
      if (signal.aborted) throw error;
      throw storageError(error, `storage "${storage.name}" failed to lock session "${session}"`);
    }
  }

  /**
   * Gives a hold back; waits for the storage no longer than `grace`. What goes wrong is no fault of the
   * run, which is over: it is told to the logger.
   */
  release(release: Release, grace: Milliseconds): Promise<void> {
    const releasing = this.#release(release, grace);
    this.#releasing.add(releasing);
    return releasing.finally(() => this.#releasing.delete(releasing));
  }

  async #release(release: Release, grace: Milliseconds): Promise<void> {
    try {
      await atMost(grace, release(), this.#runtime.clock);
    } catch (error) {
      this.#runtime.report(error);
    }
  }

  /** Resolves once no hold is on its way back. */
  async idle(): Promise<void> {
    await Promise.all(this.#releasing);
  }
}
