/** What the writers of buckets that are gone had sent: kept for two minutes. */
import type { Clock } from '../../src/clock.js';
import type { Sequences } from '../shared/sequences.js';

/** How long, at least, those of a bucket that is gone are kept, and of how many buckets at least. */
const keptFor = 120_000;
const maxYoung = 5_000;

/**
 * The sequences of buckets that are gone. Two generations instead of one queue: forgetting is
 * dropping the older one as a whole, which costs nothing however many are in it.
 */
export class Graves {
  readonly #clock: Clock;
  #young = new Map<string, Sequences>();
  #old = new Map<string, Sequences>();
  #youngSince: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#youngSince = clock.now();
  }

  /** Keeps them for two minutes or more, unless those of 5,000 buckets follow; 10,000 at most. */
  bury(key: string, sequences: Sequences): void {
    const now = this.#clock.now();
    if (this.#young.size >= maxYoung || now - this.#youngSince >= keptFor) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngSince = now;
    }
    this.#young.set(key, sequences);
  }

  find(key: string): Sequences | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  get isEmpty(): boolean {
    return this.#young.size === 0 && this.#old.size === 0;
  }
}
