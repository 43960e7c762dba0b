/** Drops what has expired: now and then, a little at a time, while nobody waits for it. */
import type { Clock } from '../../src/clock.js';
import { isQTasksError } from '../../src/errors.js';
import type { Milliseconds } from '../../src/types.js';
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
  #isClosed = false;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Looks in a while; who commits now does not wait for it. */
  plan(): void {
    this.#isClosed = false;
    this.#timer ??= this.#clock.setTimeout(() => void this.#sweep(), this.#pause);
  }

  async #sweep(): Promise<void> {
    this.#timer = undefined;
    this.#pause = pause;
    try {
      const count = await this.#look(false);
      if (count < many || this.#isClosed) return;
      this.#pause = 0;
      this.plan();
    } catch (error) {
      // Of anything else the next commit tells its caller, and it plans another look.
      if (isQTasksError(error, 'STORAGE_QUOTA')) await this.makeRoom();
    }
  }

  /** Drops what has expired where the disk is full. */
  async makeRoom(): Promise<void> {
    try {
      while ((await this.#look(true)) === many);
    } catch {
      // Then there is none.
    }
  }

  /** Returns how many it need not look at again. */
  #look(isFull: boolean): Promise<number> {
    const now = this.#clock.now();
    return this.#database.write(async (store) => {
      let count = 0;
      for (const due of await dueRows(store, now, many)) {
        // One that somebody has damaged is left to whoever uses it, and stops no other.
        const isLeft = await tend(store, due, now, isFull).catch(() => {
          store.delete(due.key);
        });
        if (!isLeft) count++;
      }
      return count;
    });
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
