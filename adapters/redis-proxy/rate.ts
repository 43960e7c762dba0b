/** Token buckets: how many commands a second a caller has left. */
import type { Clock } from '../../src/clock.js';
import type { EpochMs, Milliseconds } from '../../src/types.js';

interface Level {
  left: number;
  at: EpochMs;
}

/** How much may come at once, in seconds' worth. */
const burst = 10;
/** Callers that are remembered; the one that was quiet for longest is forgotten, and then has all again. */
const most = 10_000;

/** What callers have left, each with a bucket of its own that fills as time passes. */
export class Rate {
  readonly #perSecond: number;
  readonly #clock: Clock;
  /** In the order of their last use. */
  readonly #levels = new Map<string, Level>();

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /**
   * Takes from a caller's bucket; gives how long to wait where there is not enough, else 0.
   * What is more than the bucket holds needs a full one.
   */
  take(caller: string, count: number): Milliseconds {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return 0;
    const now = this.#clock.now();
    const level = this.#filled(caller, now);
    this.#levels.delete(caller);
    this.#levels.set(caller, level);
    this.#forget();
    const missing = Math.min(count, this.#capacity) - level.left;
    if (missing > 0) return Math.ceil((missing / this.#perSecond) * 1000);
    level.left -= count;
    return 0;
  }

  get #capacity(): number {
    return Math.max(1, this.#perSecond * burst);
  }

  #filled(caller: string, now: EpochMs): Level {
    const known = this.#levels.get(caller);
    if (!known) return { left: this.#capacity, at: now };
    // A clock that was set back fills nothing.
    const gained = (Math.max(0, now - known.at) / 1000) * this.#perSecond;
    return { left: Math.min(this.#capacity, known.left + gained), at: now };
  }

  #forget(): void {
    for (const caller of this.#levels.keys()) {
      if (this.#levels.size <= most) return;
      this.#levels.delete(caller);
    }
  }
}
