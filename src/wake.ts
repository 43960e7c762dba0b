/** What a loop over changes waits for. */

/** Something to wait for that may happen before, once or often, until it is over. */
export class Wake {
  readonly #stop: () => void;
  #isDue = false;
  isOver = false;
  #resolve = (): void => {};

  /** @param subscribe what makes it due from now on; returns what stops that */
  constructor(subscribe: (wake: () => void) => () => void) {
    this.#stop = subscribe(() => {
      this.#isDue = true;
      this.#resolve();
    });
  }

  end(): void {
    this.isOver = true;
    this.#stop();
    this.#resolve();
  }

  /** Resolves to `true` each time it is due, to `false` once it is over. */
  async next(): Promise<boolean> {
    if (!this.#isDue && !this.isOver) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
    }
    this.#isDue = false;
    return !this.isOver;
  }
}
