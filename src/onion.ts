/** Middleware around one attempt: calls the layers from the outermost on, the attempt innermost. */
import type { ActiveRun } from './active-run.js';
import type { Attempt, Job } from './attempt.js';
import { QTasksError } from './errors.js';
import type { Middleware, MiddlewareRun } from './middleware.js';

/** An attempt with its middleware. It ends exactly once, as an attempt does. */
export class Onion {
  readonly run: ActiveRun;
  readonly job: Job;
  readonly attempt: Attempt;
  failing = false;
  outcome: unknown = undefined;
  readonly #layers: readonly Middleware[];
  readonly #view: MiddlewareRun;
  readonly #ended: (onion: Onion) => void;
  /** Of the attempt: pending as long as it goes on. */
  readonly #inside: Promise<unknown>;
  #settleInside: () => void = () => {};
  /** The calls of `next()`, which a layer may not have waited for. */
  readonly #inner: Promise<unknown>[] = [];
  #isInsideOver = false;
  #isAborted = false;
  /** How the outermost layer has ended. */
  #answer: { readonly failing: boolean; readonly outcome: unknown } | undefined = undefined;
  #isOver = false;
  #grace: unknown = undefined;

  constructor(attempt: Attempt, ended: (onion: Onion) => void) {
    const { run, job, number } = attempt;
    this.run = run;
    this.job = job;
    this.attempt = attempt;
    this.#layers = job.middleware;
    this.#ended = ended;
    this.#inside = new Promise((resolve, reject) => {
      this.#settleInside = () => (attempt.failing ? reject : resolve)(attempt.outcome);
    });
    // Middleware that does not wait for `next()` decides the outcome without it.
    this.#inside.catch(() => {});
    this.#view = {
      get id() {
        return run.id;
      },
      task: run.taskName,
      session: run.session,
      attempt: number,
      args: job.args,
      get signal() {
        return attempt.signal;
      },
    };
  }

  get cancelled(): boolean {
    return this.attempt.cancelled;
  }

  get cleanupErrors(): readonly unknown[] | undefined {
    return this.attempt.cleanupErrors;
  }

  start(): void {
    if (this.attempt.failing) return this.#end(true, this.attempt.outcome);
    void this.#call(0).then(
      (value) => this.#layersEnded(false, value),
      (error) => this.#layersEnded(true, error),
    );
  }

  async #call(position: number): Promise<unknown> {
    const layer = this.#layers[position];
    if (!layer) return this.#startAttempt();
    let isCalled = false;
    return layer(this.#view, () => {
      const inner = isCalled ? Promise.reject(calledTwice()) : this.#call(position + 1);
      isCalled = true;
      // The layer that has called it is told; here it only counts when it is over.
      this.#inner.push(inner.catch(() => {}));
      return inner;
    });
  }

  #startAttempt(): Promise<unknown> {
    if (this.#isOver) throw calledTwice();
    this.attempt.start();
    return this.#inside;
  }

  /** The attempt is over, perhaps before it has started. */
  attemptEnded(): void {
    this.#isInsideOver = true;
    this.#settleInside();
    if (this.#isAborted) this.#limit();
  }

  abort(reason: unknown, isCancel: boolean): void {
    if (this.#isOver) return;
    this.#isAborted = true;
    this.attempt.abort(reason, isCancel);
    if (this.#isInsideOver) this.#limit();
  }

  /** Middleware may go on after a cancel as long as a handler may; of a timeout it makes what it wants. */
  #limit(): void {
    const { clock } = this.attempt.runtime;
    this.#grace ??= clock.setTimeout(() => this.#conclude(), this.job.grace);
  }

  async #layersEnded(failing: boolean, outcome: unknown): Promise<void> {
    this.#answer = { failing, outcome };
    // What the attempt has open must close first. Who comes later may still call on.
    for (const inner of this.#inner) await inner;
    this.#conclude();
  }

  /** A cancelled attempt stays one; else the outermost layer decides, if it has. */
  #conclude(): void {
    const { failing, outcome } = this.cancelled ? this.attempt : (this.#answer ?? this.attempt);
    this.#end(failing, outcome);
  }

  #end(failing: boolean, outcome: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#grace !== undefined) this.attempt.runtime.clock.clearTimeout(this.#grace);
    this.failing = failing;
    this.outcome = outcome;
    this.#ended(this);
  }
}

const calledTwice = (): QTasksError =>
  new QTasksError(
    'OPTION_INVALID',
    'middleware: next() can be called once, while the attempt goes on',
  );
