/** Callers' abort signals: one listener on each, however many runs hang on it. */
import type { ActiveRun } from './active-run.js';

/** The runs of one app by the signal that cancels them. */
export class Signals {
  readonly #runs = new WeakMap<AbortSignal, { readonly runs: Set<ActiveRun>; abort(): void }>();

  /** Cancels a run with the signal's reason as it aborts; lets go of the signal as the run settles. */
  follow(signal: AbortSignal, run: ActiveRun): void {
    let entry = this.#runs.get(signal);
    if (!entry) {
      const runs = new Set<ActiveRun>();
      const abort = (): void => {
        for (const one of [...runs]) one.cancel(signal.reason);
      };
      entry = { runs, abort };
      this.#runs.set(signal, entry);
      signal.addEventListener('abort', abort);
    }
    const { runs, abort } = entry;
    runs.add(run);
    run.whenSettled(() => {
      runs.delete(run);
      if (runs.size > 0) return;
      signal.removeEventListener('abort', abort);
      this.#runs.delete(signal);
    });
  }
}
