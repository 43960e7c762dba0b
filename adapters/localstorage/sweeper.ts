/** Removes what is over for good: now and then, an item at a time, while nobody waits for it. */
import type { Milliseconds } from '../../src/types.js';
import { keptFor } from '../shared/record.js';
import { idOf, namesIn, parse } from './items.js';
import type { Place } from './writer.js';

/** How long after a commit it looks. */
const pause: Milliseconds = 5_000;

/** The sweeper of one adapter. */
export class Sweeper {
  readonly #place: Place;
  #timer: unknown = undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Looks in a while; who commits now does not wait for it. */
  plan(): void {
    this.#timer ??= this.#place.clock.setTimeout(() => void this.#sweep(), pause);
  }

  async #sweep(): Promise<void> {
    this.#timer = undefined;
    for (const name of namesIn(this.#place.area)) {
      if (!idOf(name) || !this.#isOver(name)) continue;
      // Somebody may have written to it meanwhile.
      const remove = async (): Promise<void> => {
        if (this.#isOver(name)) this.#place.area.removeItem(name);
      };
      await this.#place.alone(name, remove).catch(() => {});
    }
  }

  /** Whether nobody needs it any more, not even to know a repeated commit. */
  #isOver(name: string): boolean {
    const { area, clock } = this.#place;
    try {
      // As it was two minutes ago, when it would have become absent.
      const { revision, expiresAt } = parse(name, area.getItem(name), clock.now() - keptFor);
      return revision === null && (expiresAt ?? 0) <= clock.now();
    } catch {
      // Whoever uses it is told.
      return false;
    }
  }

  close(): void {
    if (this.#timer !== undefined) this.#place.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
