/** Drops what has expired: now and then, a little at a time, while nobody waits for it. */
import type { Clock } from '../../src/clock.js';
import type { Milliseconds } from '../../src/types.js';
import { completed, type Database } from './database.js';
import { dueRows, tend } from './rows.js';

/** How long after a commit it looks, and how many buckets it looks at in one transaction. */
const pause: Milliseconds = 5_000;
const many = 50;

/** The sweeper of one adapter. */
export class Sweeper {
  readonly #database: Database;
  readonly #clock: Clock;
  #timer: unknown = undefined;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Looks in a while; who commits now does not wait for it. */
  plan(): void {
    this.#timer ??= this.#clock.setTimeout(() => void this.#sweep(), pause);
  }

  async #sweep(): Promise<void> {
    this.#timer = undefined;
    try {
      const count = await this.#database.run('readwrite', async (store) => {
        const done = completed(store.transaction);
        const now = this.#clock.now();
        const due = await dueRows(store, now, many);
        for (const { id, key } of due) {
          store.delete(key);
          await tend(store, id, now);
        }
        await done;
        return due.length;
      });
      if (count === many) this.plan();
    } catch {
      // The next commit plans another one, and tells its caller if the storage is broken.
    }
  }

  close(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
