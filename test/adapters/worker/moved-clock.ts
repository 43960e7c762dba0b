/** Time that passes only where a test of the suite sleeps: a busy machine must not make anything expire. */
import { type Clock, systemClock } from '../../../src/clock.js';

/** A clock, with timers that are real. */
export class MovedClock implements Clock {
  readonly setTimeout = systemClock.setTimeout;
  readonly clearTimeout = systemClock.clearTimeout;
  #now = Date.now();

  now(): number {
    return this.#now;
  }

  pass(duration: number): void {
    this.#now += duration;
  }
}

/** Waits as long as messages may take. */
export const travel = (duration: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.min(duration, 50)));
