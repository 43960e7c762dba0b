/** One run of a task as its caller holds it: a promise that starts at once and can be cancelled. */

/** Where a run stands; `"new"` waits for its first slot, `"retry"` for its next attempt. */
export type RunStatus = 'new' | 'process' | 'retry' | 'success' | 'error' | 'cancel';

/** How a run ended. */
export type Settled<Result> = {
  /** How many attempts were started. */
  readonly attempts: number;
  /** What teardown threw, of all attempts, in order. */
  readonly cleanupErrors: readonly unknown[];
} & (
  | { readonly status: 'success'; readonly value: Result; readonly error?: undefined }
  | { readonly status: 'error' | 'cancel'; readonly error: unknown; readonly value?: undefined }
);

/**
 * A run: started as it is made, a promise of its result.
 *
 * It rejects with the very error object that the handler threw, or with the reason it was cancelled
 * for. A failure that nobody awaits, and of which nobody asks `settled`, becomes the app's `"error"`
 * event, or an unhandled rejection if nothing listens; a cancelled run never does.
 */
export interface Run<Result> extends PromiseLike<Result> {
  /** Unique; the same for all attempts. */
  readonly id: string;
  readonly status: RunStatus;
  /** How it ended, after all teardown; never rejects. */
  readonly settled: Promise<Settled<Result>>;
  /**
   * Aborts the run's signal; it ends `"cancel"` whatever the handler still returns. Without effect
   * once the handler has returned.
   * @param reason what the run rejects with; default: `TASK_CANCELLED`
   */
  cancel(reason?: unknown): void;
}
