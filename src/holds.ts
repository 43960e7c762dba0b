/** What keeps the exclusive runs of a session apart: the storage's lock, or without one a lock of the app. */
import { isQTasksError, QTasksError } from './errors.js';
import { Mutex } from './mutex.js';
import type { Runtime } from './need.js';

/** Gives a hold back. */
export type Release = () => Promise<void>;

/** The holds of one app. */
export class Holds {
  readonly #runtime: Runtime;
  readonly #mutex = new Mutex();

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
      if (signal.aborted || (isQTasksError(error) && error.code.startsWith('STORAGE_')))
        throw error;
      const message = `storage "${storage.name}" failed to lock session "${session}"`;
      throw new QTasksError('STORAGE_UNAVAILABLE', message, { cause: error });
    }
  }

  /** What goes wrong here is no fault of the run, which is over. */
  async release(release: Release): Promise<void> {
    try {
      await release();
    } catch (error) {
      this.#runtime.report(error);
    }
  }
}
