/** Runs jobs: slots, order, retries, cancel, settlement and shutdown of one app. */
import type { ActiveRun, RunHost } from './active-run.js';
import { Attempt, type AttemptHost, type Job } from './attempt.js';
import { QTasksError } from './errors.js';
import type { EventMap } from './events.js';
import { Holds } from './holds.js';
import { type Logger, silent } from './logger.js';
import type { Runtime } from './need.js';
import { Onion } from './onion.js';
import type { Node } from './plan.js';
import { isThenable } from './promises.js';
import { backoff, isWorthRetry } from './retry.js';
import { accepted } from './schema.js';
import type { LostAttempt } from './served.js';
import { Slots } from './slots.js';
import type { Milliseconds, StandardSchema } from './types.js';
import { surfaceLater } from './unseen.js';

/** The app, as its executor sees it. */
export interface ExecutorHost extends Runtime {
  runChild(parent: Attempt, target: unknown, args: readonly unknown[]): ActiveRun;
}

/** How many runs an app has had. */
export interface RunCounts {
  /** Those that were called, also those that were refused. */
  calls: number;
  /** How many attempts were followed by another one. */
  retries: number;
  /** Runs that ended well. */
  success: number;
  /** Runs that failed for good. */
  error: number;
  /** Runs that were cancelled. */
  cancel: number;
}

/** One app's executor. */
export class Executor implements RunHost, AttemptHost {
  readonly runtime: ExecutorHost;
  readonly holds: Holds;
  readonly counts: RunCounts = { calls: 0, retries: 0, success: 0, error: 0, cancel: 0 };
  /** Set once the app does not wait any more: then not even a teardown starts a run. */
  closedWith: QTasksError | undefined = undefined;
  readonly #slots: Slots;
  readonly #runs: ActiveRun[] = [];
  readonly #idPrefix = `${Math.random().toString(36).slice(2)}-`;
  #ids = 0;

  constructor(runtime: ExecutorHost, concurrency: number) {
    this.runtime = runtime;
    this.holds = new Holds(runtime);
    this.#slots = new Slots(concurrency, (run, job) => this.#begin(run, job));
  }

  createId(): string {
    return this.#idPrefix + (++this.#ids).toString(36);
  }

  /** The runs that have not settled, in no order. */
  get runs(): readonly ActiveRun[] {
    return this.#runs;
  }

  /** Starts a run at once if nothing is in its way, else as soon as it can. */
  start(run: ActiveRun, job: Job, lost?: LostAttempt): void {
    this.#add(run);
    const { input } = job.task.options;
    if (input) void this.#validate(run, job, input, lost);
    else if (lost) this.#resume(run, job, lost);
    else this.#prepare(run, job);
  }

  /** Goes on behind an attempt that has ended elsewhere. */
  #resume(run: ActiveRun, job: Job, { attempts, error }: LostAttempt): void {
    run.attempts = attempts;
    run.hasStarted = true;
    this.#retryOrFail(run, job, error);
  }

  #add(run: ActiveRun): void {
    this.counts.calls++;
    run.index = this.#runs.push(run) - 1;
  }

  /** Checks the arguments, once for all attempts. */
  async #validate(
    run: ActiveRun,
    job: Job,
    input: StandardSchema,
    lost: LostAttempt | undefined,
  ): Promise<void> {
    const what = `task "${job.task.name}": the arguments`;
    try {
      let answer = input['~standard'].validate(job.args);
      if (isThenable(answer)) answer = await answer;
      const args = accepted(answer, 'INPUT_INVALID', what);
      if (!Array.isArray(args)) {
        const message = `${what}: option "input" must be a schema of the array of arguments, and give one`;
        throw new QTasksError('OPTION_INVALID', message);
      }
      if (run.isSettled) return;
      if (lost) this.#resume(run, { ...job, args }, lost);
      else this.#prepare(run, { ...job, args });
    } catch (error) {
      if (!run.isSettled) this.settle(run, 'error', error);
    }
  }

  /** Before each attempt: first the hold, then a slot. */
  #prepare(run: ActiveRun, job: Job): void {
    if (job.takesHold) void this.#takeHold(run, job);
    else this.#slots.enter(run, job);
  }

  async #takeHold(run: ActiveRun, job: Job): Promise<void> {
    const acquiring = new AbortController();
    run.acquiring = acquiring;
    if (job.slot) this.#slots.waitInside(run, job.slot);
    try {
      const release = await this.holds.acquire(run.session, acquiring.signal);
      // A cancelled one does not wait for the storage to notice.
      const giveBack = (): Promise<void> => {
        run.release = undefined;
        return this.holds.release(release, job.grace);
      };
      if (run.isSettled) return void giveBack();
      run.acquiring = undefined;
      run.release = giveBack;
      this.#slots.enter(run, job);
    } catch (error) {
      if (run.isSettled) return;
      run.acquiring = undefined;
      run.stopWaiting?.();
      run.attempts++;
      this.#retryOrFail(run, job, error);
    }
  }

  #begin(run: ActiveRun, job: Job): void {
    run.attempts++;
    run.enter('process');
    const attempt = new Attempt(this, run, job);
    const layered = job.middleware.length > 0 ? this.#surround(attempt) : attempt;
    run.attempt = layered;
    // The logger and listeners may cancel: then there is nothing left to start.
    if (!run.hasStarted) this.#log(run, 'info', 'started');
    run.hasStarted = true;
    run.hasReturned = false;
    this.#emit(run, 'run:start');
    layered.start();
  }

  #surround(attempt: Attempt): Onion {
    const onion = new Onion(attempt, (ended) => this.#ended(ended));
    attempt.onion = onion;
    return onion;
  }

  runChild(attempt: Attempt, target: unknown, args: readonly unknown[]): ActiveRun {
    return this.runtime.runChild(attempt, target, args);
  }

  yielded({ run }: Attempt, value: unknown): Promise<void> | undefined {
    const pause = run.push(value);
    this.#emit(run, 'run:yield', { value });
    return pause;
  }

  returned({ run, outcome }: Attempt): void {
    run.hasReturned = true;
    this.#log(run, 'info', 'completed');
    this.#emit(run, 'run:return', { value: outcome });
  }

  finished(attempt: Attempt): void {
    if (attempt.onion) attempt.onion.attemptEnded();
    else this.#ended(attempt);
  }

  #ended(ended: Attempt | Onion): void {
    const { run, job } = ended;
    if (run.release) void run.release().then(() => this.#conclude(ended));
    else this.#conclude(ended);
    this.#slots.leave(job);
  }

  #conclude({ run, job, failing, outcome, cancelled, cleanupErrors }: Attempt | Onion): void {
    run.attempt = undefined;
    if (cleanupErrors) run.cleanupErrors = [...run.cleanupErrors, ...cleanupErrors];
    if (!failing) this.#succeed(run, outcome);
    else if (cancelled) this.settle(run, 'cancel', run.reason);
    else this.#retryOrFail(run, job, outcome);
  }

  #retryOrFail(run: ActiveRun, job: Job, error: unknown): void {
    const { retry } = job.task;
    const isRetried =
      retry &&
      run.attempts <= retry.limit &&
      !run.stream?.isDelivered &&
      isWorthRetry(retry, error, (thrown) => this.runtime.report(thrown));
    // The predicate may have cancelled the run.
    if (run.isSettled) return;
    if (!isRetried) return this.settle(run, 'error', error);
    // Cancelled while an attempt that had failed by itself was torn down.
    if (run.cancelled) return this.settle(run, 'cancel', run.reason);
    const delay = backoff(retry, run.attempts, this.runtime.clock);
    run.enter('retry');
    run.stream?.clear();
    this.counts.retries++;
    run.backoff = this.runtime.clock.setTimeout(() => {
      run.backoff = undefined;
      if (!run.isSettled) this.#prepare(run, job);
    }, delay);
    this.#log(run, 'warn', `failed, next attempt in ${Math.round(delay)} ms`);
    this.#emit(run, 'run:retry', { error, delay });
  }

  cancel(run: ActiveRun): void {
    const { attempt, backoff, waiting, acquiring, release, reason } = run;
    if (attempt) return attempt.abort(reason, true);
    if (backoff !== undefined) this.runtime.clock.clearTimeout(backoff);
    if (waiting) this.#slots.drop(waiting);
    void release?.();
    this.settle(run, 'cancel', reason);
    acquiring?.abort(reason);
  }

  /** Refuses a call: its run ends before it starts. */
  refuse(run: ActiveRun, status: 'error' | 'cancel', error: unknown): void {
    this.#add(run);
    this.settle(run, status, error);
  }

  #succeed(run: ActiveRun, value: unknown): void {
    let passed: unknown;
    try {
      passed = run.pass('result', value);
    } catch (error) {
      if (!run.isSettled) this.settle(run, 'error', error);
      return;
    }
    // A getter of the result may have cancelled the run.
    if (run.isSettled) return;
    // Middleware may have answered in the handler's place.
    if (!run.hasReturned) this.#log(run, 'info', 'completed');
    this.settle(run, 'success', passed);
  }

  /** Ends a run, exactly once. */
  settle(run: ActiveRun, status: 'success' | 'error' | 'cancel', outcome: unknown): void {
    const last = this.#runs.pop();
    if (last && last !== run) {
      this.#runs[run.index] = last;
      last.index = run.index;
    }
    this.counts[status]++;
    run.stopWaiting?.();
    run.settle(status, outcome);
    if (status === 'error') {
      this.#log(run, 'error', 'failed', outcome);
      if (!run.observed) this.#surfaceLater(run, run.outcome);
    }
    if (!this.runtime.events.any) return;
    const name = { success: 'value', error: 'error', cancel: 'reason' }[status];
    this.#emit(run, `run:${status}`, { [name]: outcome });
  }

  #surfaceLater(run: ActiveRun, error: unknown): void {
    const { clock, events } = this.runtime;
    surfaceLater(run, error, clock, () => {
      if (!events.has('error')) return false;
      this.#emit(run, 'error', { error });
      return true;
    });
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
    const isMeant = (run: ActiveRun): boolean => session === undefined || run.session === session;
    const runs = new Set(this.#runs.filter(isMeant));
    const { clock } = this.runtime;
    const timer = clock.setTimeout(() => {
      const reason = new QTasksError('APP_CLOSED', `${what} was closed before the run ended`);
      if (session === undefined) this.closedWith = reason;
      // Those too that are part of one by now; not those that have come to a session meanwhile.
      for (const run of [...this.#runs]) if (runs.has(run.root)) run.cancel(reason);
    }, drain);
    await Promise.all(
      [...runs].map((run) => new Promise<void>((resolve) => run.whenSettled(resolve))),
    );
    clock.clearTimeout(timer);
    await this.holds.idle();
  }
}
