/** The runs that are part of an attempt and go on. */
import type { ActiveRun } from './active-run.js';

/** The children of one attempt. */
export class Children {
  readonly #runs = new Set<ActiveRun>();

  add(run: ActiveRun): void {
    this.#runs.add(run);
    run.whenSettled(() => this.#runs.delete(run));
  }

  get isEmpty(): boolean {
    return this.#runs.size === 0;
  }

  cancel(reason: unknown): void {
    for (const run of this.#runs) run.cancel(reason);
  }

  /**
   * Waits for those of now; how they end is told to who looks at them. There may be others by the time
   * it resolves: go on only where it {@link isEmpty}.
   */
  async join(): Promise<void> {
    for (const run of this.#runs) await new Promise<void>((resolve) => run.whenSettled(resolve));
  }
}
