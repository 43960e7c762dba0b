/** The timeline's own time: it stands still while nothing runs, so that no empty hour is drawn. */

/** For how long it goes on after the last run has ended. */
const pause = 700;

export interface Gap {
  /** Where it is, in the timeline's time. */
  readonly at: number;
  readonly skipped: number;
}

export class BusyClock {
  readonly #gaps: { readonly from: number; readonly skipped: number }[] = [];
  #total = 0;
  /** Since when nothing runs; `undefined` while something does. */
  #idleSince: number | undefined = 0;

  /** A run begins. */
  busy(at: number): void {
    if (this.#idleSince === undefined) return;
    const skipped = at - this.#idleSince - pause;
    if (skipped > 0) {
      this.#total += skipped;
      this.#gaps.push({ from: at, skipped });
    }
    this.#idleSince = undefined;
  }

  /** The last one has ended. */
  idle(at: number): void {
    this.#idleSince = at;
  }

  /** Whether it still moves. */
  isMoving(now: number): boolean {
    return this.#idleSince === undefined || now < this.#idleSince + pause;
  }

  now(now: number): number {
    const end = this.#idleSince === undefined ? now : Math.min(now, this.#idleSince + pause);
    return end - this.#total;
  }

  /** The timeline's time of an instant. */
  of(at: number): number {
    let before = 0;
    for (const { from, skipped } of this.#gaps) if (from <= at) before += skipped;
    return at - before;
  }

  /** Where time was skipped; not before the first run. */
  get gaps(): readonly Gap[] {
    return this.#gaps.slice(1).map(({ from, skipped }) => ({ at: this.of(from), skipped }));
  }
}
