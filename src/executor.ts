/** Runs jobs: slots, order, retries, cancel, settlement and shutdown of one app. */
import type { ActiveRun, RunHost } from './active-run.js';
import { Attempt, type AttemptHost, type Job } from './attempt.js';
import { QTasksError } from './errors.js';
import type { EventMap } from './events.js';
import { type Logger, silent } from './logger.js';
import type { Runtime } from './need.js';
import type { Node } from './plan.js';
import { isStrayPromise } from './promises.js';
import { PriorityQueue, type Waiting } from './queue.js';
import type { RetryPolicy } from './task.js';
import type { Milliseconds } from './types.js';

const asyncWhen = 'retry.when must answer at once; it returned a promise, so nothing is retried';

/** A run that waits for a slot. */
interface WaitingRun extends Waiting {
  readonly run: ActiveRun;
  readonly job: Job;
}

/** One app's executor. */
export class Executor implements RunHost, AttemptHost {
  readonly runtime: Runtime;
  readonly #concurrency: number;
  readonly #runs: ActiveRun[] = [];
  readonly #queue = new PriorityQueue<WaitingRun>();
  readonly #idPrefix = `${Math.random().toString(36).slice(2)}-`;
  #busy = 0;
  #isFilling = false;
  #order = 0;
  #ids = 0;

  constructor(runtime: Runtime, concurrency: number) {
    this.runtime = runtime;
    this.#concurrency = concurrency;
  }

  createId(): string {
    return this.#idPrefix + (++this.#ids).toString(36);
  }

  /** Starts a run at once if a slot is free, else queues it. */
  start(run: ActiveRun, job: Job): void {
    run.index = this.#runs.push(run) - 1;
    this.#enqueue(run, job);
  }

  #enqueue(run: ActiveRun, job: Job): void {
    // Where somebody waits while a slot is free, it is about to be given to the smallest.
    if (this.#busy < this.#concurrency && this.#queue.isEmpty) return this.#begin(run, job);
    const waiting = { run, job, priority: job.priority, order: ++this.#order, gone: false };
    run.waiting = waiting;
    this.#queue.add(waiting);
  }

  #begin(run: ActiveRun, job: Job): void {
    this.#busy++;
    run.attempts++;
    run.status = 'process';
    const attempt = new Attempt(this, run, job);
    run.attempt = attempt;
    // The logger and listeners may cancel: then there is nothing left to start.
    if (run.attempts === 1) this.#log(run, 'info', 'started');
    this.#emit(run, 'run:start');
    attempt.start();
  }

  returned({ run, outcome }: Attempt): void {
    this.#log(run, 'info', 'completed');
    this.#emit(run, 'run:return', { value: outcome });
  }

  finished(attempt: Attempt): void {
    const { run, job, failing, outcome, cancelled, cleanupErrors } = attempt;
    run.attempt = undefined;
    if (cleanupErrors) run.cleanupErrors = [...run.cleanupErrors, ...cleanupErrors];
    this.#busy--;
    if (!failing) this.settle(run, 'success', outcome);
    else if (cancelled) this.settle(run, 'cancel', run.reason);
    else this.#retryOrFail(run, job, outcome);
    this.#fillSlots();
  }

  /** First the slot, then whoever is the smallest by then. */
  #fillSlots(): void {
    // A run that ends at once comes back here; the loop below goes on for it.
    if (this.#isFilling) return;
    this.#isFilling = true;
    while (this.#busy < this.#concurrency) {
      const next = this.#queue.take();
      if (!next) break;
      next.run.waiting = undefined;
      this.#begin(next.run, next.job);
    }
    this.#isFilling = false;
  }

  #retryOrFail(run: ActiveRun, job: Job, error: unknown): void {
    const { retry } = job.task;
    const isRetried = retry && run.attempts <= retry.limit && this.#isWorthRetry(retry, error);
    // The predicate may have cancelled the run.
    if (run.isSettled) return;
    if (!isRetried) return this.settle(run, 'error', error);
    // Cancelled while an attempt that had failed by itself was torn down.
    if (run.cancelled) return this.settle(run, 'cancel', run.reason);
    const delay = backoff(retry, run.attempts);
    run.status = 'retry';
    run.backoff = this.runtime.clock.setTimeout(() => {
      run.backoff = undefined;
      this.#enqueue(run, job);
    }, delay);
    this.#log(run, 'warn', `failed, next attempt in ${Math.round(delay)} ms`);
    this.#emit(run, 'run:retry', { error, delay });
  }

  #isWorthRetry({ when }: RetryPolicy, error: unknown): boolean {
    if (!when) return true;
    try {
      if (typeof when !== 'function') return when.some((type) => error instanceof type);
      const verdict: unknown = when(error);
      if (isStrayPromise(verdict)) throw new QTasksError('OPTION_INVALID', asyncWhen);
      return Boolean(verdict);
    } catch (thrown) {
      this.runtime.report(thrown);
      return false;
    }
  }

  cancel(run: ActiveRun): void {
    const { attempt, backoff, waiting, reason } = run;
    if (attempt) return attempt.abort(reason, true);
    if (backoff !== undefined) this.runtime.clock.clearTimeout(backoff);
    if (waiting) this.#queue.drop(waiting);
    this.settle(run, 'cancel', reason);
  }

  /** Refuses a call: its run ends before it starts. */
  refuse(run: ActiveRun, status: 'error' | 'cancel', error: unknown): void {
    run.index = this.#runs.push(run) - 1;
    this.settle(run, status, error);
  }

  /** Ends a run, exactly once. */
  settle(run: ActiveRun, status: 'success' | 'error' | 'cancel', outcome: unknown): void {
    const last = this.#runs.pop();
    if (last && last !== run) {
      this.#runs[run.index] = last;
      last.index = run.index;
    }
    run.settle(status, outcome);
    if (status === 'error') {
      this.#log(run, 'error', 'failed', outcome);
      if (!run.observed) this.#surfaceLater(run, outcome);
    }
    if (!this.runtime.events.any) return;
    const name = { success: 'value', error: 'error', cancel: 'reason' }[status];
    this.#emit(run, `run:${status}`, { [name]: outcome });
  }

  /** Where nobody has looked at a failure by the end of this turn, it must not stay unseen. */
  #surfaceLater(run: ActiveRun, error: unknown): void {
    setTimeout(() => {
      if (run.observed) return;
      if (this.runtime.events.has('error')) this.#emit(run, 'error', { error });
      else void Promise.reject(error);
    }, 0);
  }

  dependency(
    { run, number }: Attempt,
    what: 'open' | 'close' | 'error',
    node: Node,
    error?: unknown,
  ): void {
    const dependency = node.path;
    const details = what === 'error' ? { dependency, error } : { dependency };
    // An attempt that was given up may still tell of a resource as a later one goes on.
    this.#emit(run, `dependency:${what}`, { ...details, attempt: number });
  }

  #emit(run: ActiveRun, type: keyof EventMap, details?: object): void {
    const { events, clock } = this.runtime;
    if (!events.has(type)) return;
    const { id, taskName: task, session, attempts: attempt } = run;
    const event = { type, at: clock.now(), run: id, task, session, attempt, ...details };
    events.emit(event as EventMap[keyof EventMap]);
  }

  #log(run: ActiveRun, level: keyof Logger, what: string, ...error: [error?: unknown]): void {
    const { name, logger } = this.runtime;
    if (logger === silent) return;
    const session = run.session && ` (${run.session})`;
    logger[level](`[${name}] ${run.taskName}${session} ${what}`, ...error);
  }

  /**
   * Waits for the runs of a session, or for all, up to `drain`; then cancels the rest with
   * `APP_CLOSED` and waits for their teardown.
   * @param what names in a message what is closed
   */
  async drain(session: string | undefined, drain: Milliseconds, what: string): Promise<void> {
    const runs = this.#runs.filter((run) => session === undefined || run.session === session);
    const { clock } = this.runtime;
    const timer = clock.setTimeout(() => {
      const reason = new QTasksError('APP_CLOSED', `${what} was closed before the run ended`);
      for (const run of runs) run.cancel(reason);
    }, drain);
    await Promise.all(
      runs.map((run) => new Promise<void>((resolve) => run.whenSettled(() => resolve()))),
    );
    clock.clearTimeout(timer);
  }
}

/** Full jitter: many that failed together do not come back together. */
function backoff({ delay, factor, maxDelay, jitter }: RetryPolicy, retry: number): Milliseconds {
  const longest = Math.min(maxDelay, delay * factor ** (retry - 1));
  return jitter ? Math.random() * longest : longest;
}
