/** The runs that are part of an attempt and go on. */
import type { ActiveRun } from './active-run.js';

/** The children of one attempt. */
export class Children {
  readonly #runs = new Set<ActiveRun>();

  add(run: ActiveRun): void {
    this.#runs.add(run);
    run.whenSettled(() => this.#runs.delete(run));
  }

  cancel(reason: unknown): void {
    for (const run of this.#runs) run.cancel(reason);
  }

  /** Waits until all have settled; how they end is told to who looks at them. */
  async join(): Promise<void> {
    for (const run of this.#runs) await new Promise<void>((resolve) => run.whenSettled(resolve));
  }
}
