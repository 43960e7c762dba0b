/** One run of a task as its caller holds it: a promise that starts at once and can be cancelled. */
import { QTasksError } from './errors.js';

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

/** What a run asks of the executor that runs it. */
export interface RunHost {
  createId(): string;
  cancel(run: ActiveRun, reason: unknown): void;
}

/** Every run of this runtime. */
export class ActiveRun implements Run<unknown> {
  status: RunStatus = 'new';
  /** How many attempts were started. */
  attempts = 0;
  /** Set by the first cancel. */
  cancelled: { readonly reason: unknown } | undefined;
  /** Whether somebody will see how it ends. */
  observed = false;
  cleanupErrors: unknown[] | undefined;
  readonly taskName: string;
  readonly session: string;
  readonly #host: RunHost;
  #id: string | undefined;
  #outcome: Settled<unknown> | undefined;
  #promise: Promise<unknown> | undefined;
  #settled: Promise<Settled<unknown>> | undefined;
  #listeners: ((outcome: Settled<unknown>) => void)[] | undefined;

  constructor(host: RunHost, taskName: string, session: string) {
    this.#host = host;
    this.taskName = taskName;
    this.session = session;
  }

  get id(): string {
    this.#id ??= this.#host.createId();
    return this.#id;
  }

  get settled(): Promise<Settled<unknown>> {
    this.observed = true;
    this.#settled ??= new Promise((resolve) => this.whenSettled(resolve));
    return this.#settled;
  }

  // biome-ignore lint/suspicious/noThenProperty: a run is a PromiseLike, so that it can be awaited
  then<Value = unknown, Failure = never>(
    onfulfilled?: ((value: unknown) => Value | PromiseLike<Value>) | null,
    onrejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Value | Failure> {
    this.observed = true;
    this.#promise ??= new Promise((resolve, reject) =>
      this.whenSettled((outcome) => {
        if (outcome.status === 'success') resolve(outcome.value);
        else reject(outcome.error);
      }),
    );
    return this.#promise.then(onfulfilled, onrejected);
  }

  cancel(reason?: unknown): void {
    if (this.cancelled || this.#outcome) return;
    this.#host.cancel(this, reason === undefined ? this.#defaultReason() : reason);
  }

  #defaultReason(): QTasksError {
    return new QTasksError('TASK_CANCELLED', `task "${this.taskName}": the run was cancelled`);
  }

  /** Calls back once it has ended, without counting as somebody who looks at the result. */
  whenSettled(listener: (outcome: Settled<unknown>) => void): void {
    if (this.#outcome) listener(this.#outcome);
    else if (this.#listeners) this.#listeners.push(listener);
    else this.#listeners = [listener];
  }

  settle(outcome: Settled<unknown>): void {
    this.status = outcome.status;
    this.#outcome = outcome;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners) for (const listener of listeners) listener(outcome);
  }
}
