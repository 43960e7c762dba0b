/** The library's own tests move time with the clock that it gives to others. */
import { ManualClock } from '../../adapters/testing/clock.js';

export { settle } from '../../adapters/testing/clock.js';
export { ManualClock };

/** A clock that somebody may set. */
export class WallClock extends ManualClock {
  #ahead = 0;

  override now(): number {
    return super.now() + this.#ahead;
  }

  set(by: number): void {
    this.#ahead += by;
  }
}
