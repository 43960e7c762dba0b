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
 * A run: started as it is made, a promise of its result and the stream of what its handler yields.
 *
 * It rejects with the very error object that the handler threw, or with the reason it was cancelled
 * for. A failure that nobody awaits or iterates, and of which nobody asks `settled`, becomes the app's
 * `"error"` event, or an unhandled rejection if nothing listens; a cancelled run never does.
 *
 * `for await` over a run gives the values that a generator handler yields, in order, and then ends, or
 * throws what the run rejects with. The handler waits as soon as it is 16 values ahead of its reader;
 * leaving the loop cancels the run and waits for its teardown. There is one reader: asking for a second
 * iterator throws `OPTION_INVALID`. Until there is one the handler waits for nobody and the newest 16
 * values are kept, so that awaiting the run alone drains it.
 */
export interface Run<Result, Yield = never> extends PromiseLike<Result>, AsyncIterable<Yield> {
  /** Unique; the same for all attempts. The one given by `with({ id })`, if there is one. */
  readonly id: string;
  /** Where it stands right now. */
  readonly status: RunStatus;
  /** How it ended, after all teardown; never rejects. */
  readonly settled: Promise<Settled<Result>>;
  /**
   * Aborts the run's signal; it ends `"cancel"` whatever the handler still returns. Without effect
   * once the handler has returned.
   * @param reason what the run rejects with; default: `TASK_CANCELLED`
   */
  cancel(reason?: unknown): void;
  /** @throws OPTION_INVALID for a second one */
  [Symbol.asyncIterator](): AsyncIterator<Yield, undefined, undefined>;
}
