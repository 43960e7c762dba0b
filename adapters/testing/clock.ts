/** Time for tests, that passes only when they say so. */
import type { Clock } from '../../src/clock.js';
import { check } from '../../src/options.js';
import { nextTurn } from '../../src/promises.js';
import type { EpochMs, Milliseconds } from '../../src/types.js';

interface Timer {
  readonly at: EpochMs;
  readonly callback: () => void;
}

const durationKind = [
  'milliseconds, 0 or more and finite',
  (value: unknown) => Number.isFinite(value) && Number(value) >= 0,
] as const;

/** How many turns of the event loop follow each timer. */
const turns = 8;

/**
 * Time that stands still until {@link ManualClock.advance} is called, and timers that fire by it alone.
 * `new QTasks({ clock })` and `memory({ clock })` take it; {@link testApp} has made one for both.
 * Where an app waits, so does who waits for the app: advance before you await.
 */
export class ManualClock implements Clock {
  #now: EpochMs = 1_000_000;
  readonly #timers = new Set<Timer>();
  #advanced: Promise<unknown> = Promise.resolve();

  /** What the time is: 1,000,000 at first, then more by what it was advanced. */
  now(): EpochMs {
    return this.#now;
  }

  /** Calls back once, as time is advanced to the end of the delay or past it. */
  setTimeout(callback: () => void, delay: Milliseconds): unknown {
    const timer = { at: this.#now + delay, callback };
    this.#timers.add(timer);
    return timer;
  }

  /** Drops a timer; what is none, or has fired, is ignored. */
  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  /** Always 1, so that a retry with jitter waits exactly the longest that it could. */
  random(): number {
    return 1;
  }

  /** Calls back after every `advance` that is under way: a test looks at its runs after that. */
  atEndOfTurn(callback: () => void): void {
    const advanced = this.#advanced;
    const check = (): void => {
      if (this.#advanced === advanced) callback();
      else this.atEndOfTurn(callback);
    };
    void advanced.then(() => setTimeout(check, 0));
  }

  /** How many timers have not fired yet. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Lets time pass. Timers fire in the order of their times, those of one time in the order in which
   * they were set; before the first, and after each, everything happens that waits for promises and a few
   * turns of the event loop, so that a timer set on the way fires too if its time has come. What waits for
   * the real world, like a request or a bare `setTimeout`, is not waited for.
   *
   * Resolves when the clock shows the new time. Calls that overlap pass their times one after another.
   * @param duration finite; with 0 what is due fires, and what can happen happens
   * @throws OPTION_INVALID; and what a callback throws, with the time standing where it was thrown
   */
  async advance(duration: Milliseconds): Promise<void> {
    check('advance: the duration', duration, durationKind);
    const passed = this.#advanced.then(() => this.#pass(duration));
    // It is this call that rejects; the next one only waits for its turn.
    this.#advanced = passed.catch(() => {});
    await passed;
  }

  async #pass(duration: Milliseconds): Promise<void> {
    const end = this.#now + duration;
    await settle();
    for (let timer = this.#next(end); timer; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.callback();
      await settle();
    }
    this.#now = end;
  }

  #next(end: EpochMs): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next ? timer.at < next.at : timer.at <= end) next = timer;
    return next;
  }
}

/** Lets everything happen that waits for promises and a few turns of the event loop. */
export async function settle(): Promise<void> {
  // A channel for each turn: Node delivers what a port is sent meanwhile within the same one.
  for (let count = 0; count < turns; count++) await nextTurn();
}
