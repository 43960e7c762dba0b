/** Drops what has expired: now and then, a little at a time, while nobody waits for it. */
import type { Clock } from '../../src/clock.js';
import type { EpochMs, Milliseconds } from '../../src/types.js';
import type { Database } from './database.js';
import { dueRows, tend } from './rows.js';

/** How often it looks, and how many buckets it looks at in one transaction. */
const pause: Milliseconds = 5_000;
const many = 50;

/** The sweeper of one adapter. */
export class Sweeper {
  readonly #database: Database;
  readonly #clock: Clock;
  #timer: unknown = undefined;
  /** At first none: who comes only for a moment, each time, would never look. */
  #pause: Milliseconds = 0;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Looks in a while; who commits now does not wait for it. */
  plan(): void {
    this.#timer ??= this.#clock.setTimeout(() => void this.#sweep(), this.#pause);
  }

  async #sweep(): Promise<void> {
    this.#timer = undefined;
    this.#pause = pause;
    try {
      const now = this.#clock.now();
      const count = await this.#database.write((store) => sweep(store, now));
      if (count < many) return;
      this.#pause = 0;
      this.plan();
    } catch {
      // The next commit plans another one, and tells its caller if the storage is broken.
    }
  }

  close(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Returns how many buckets it has looked at. */
async function sweep(store: IDBObjectStore, now: EpochMs): Promise<number> {
  const due = await dueRows(store, now, many);
  for (const { id, key } of due) {
    store.delete(key);
    // One that somebody has damaged is left to whoever uses it, and stops no other.
    await tend(store, id, now).catch(() => {});
  }
  return due.length;
}
