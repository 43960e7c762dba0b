/** Removes what is over for good: now and then, an item at a time, while nobody waits for it. */
import type { Milliseconds } from '../../src/types.js';
import { keptFor } from '../shared/record.js';
import { headOf, idOf, namesIn, parse } from './items.js';
import type { Place } from './writer.js';

/** How often it looks, at most. */
const pause: Milliseconds = 5_000;

/** The sweeper of one adapter. */
export class Sweeper {
  readonly #place: Place;
  #timer: unknown = undefined;
  /** At first none: who comes only for a moment, each time, would never look. */
  #pause: Milliseconds = 0;
  #sweeping: Promise<void> | undefined = undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Looks in a while; who commits now does not wait for it. */
  plan(): void {
    this.#timer ??= this.#place.clock.setTimeout(() => {
      // Whoever commits next is told what is wrong, and plans another one.
      const sweeping = this.#sweep().catch(() => {});
      this.#sweeping = sweeping.finally(() => {
        this.#timer = undefined;
      });
    }, this.#pause);
  }

  async #sweep(): Promise<void> {
    this.#pause = pause;
    for (const name of namesIn(this.#place.area)) {
      if (!idOf(name) || !this.#isOver(name)) continue;
      // Somebody may have written to it meanwhile.
      const remove = (): void => {
        if (this.#isOver(name)) this.#place.area.removeItem(name);
      };
      await this.#place.alone(name, remove);
    }
  }

  /** Whether nobody needs it any more, not even to know a repeated commit. */
  #isOver(name: string): boolean {
    const { area, clock } = this.#place;
    const text = area.getItem(name);
    // Most are not, and need not be parsed to know it.
    if (!(headOf(text).expiresAt <= clock.now())) return false;
    try {
      // As it was two minutes ago, when it would have become absent.
      return parse(name, text, clock.now() - keptFor).revision === null;
    } catch {
      // Whoever uses it is told.
      return false;
    }
  }

  /** Resolves once it does nothing any more. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) this.#place.clock.clearTimeout(this.#timer);
    await this.#sweeping;
    this.#timer = undefined;
  }
}
