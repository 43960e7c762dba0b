/** Runs jobs: slots, order, retries, cancel, settlement and shutdown of one app. */
import { Attempt, type AttemptHost, type Job } from './attempt.js';
import type { QTasksError } from './errors.js';
import type { EventMap } from './events.js';
import type { Logger } from './logger.js';
import type { Runtime } from './need.js';
import type { Node } from './plan.js';
import { PriorityQueue } from './queue.js';
import type { ActiveRun, RunHost, Settled } from './run.js';
import type { RetryPolicy } from './task.js';
import type { Milliseconds } from './types.js';

/** What an executor is made with. */
export interface ExecutorOptions {
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly concurrency: number;
  readonly grace: Milliseconds;
}

/** A job on its way through its attempts. */
class Execution {
  /** Set while it waits for a slot. */
  waiting = false;
  gone = false;
  order = 0;
  attempt: Attempt | undefined;
  /** The timer of a wait between two attempts. */
  backoff: unknown;
  readonly job: Job;
  readonly priority: number;

  constructor(job: Job) {
    this.job = job;
    this.priority = job.settings.priority ?? job.task.options.priority ?? 0;
  }
}

/** One app's executor. */
export class Executor implements RunHost, AttemptHost {
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly grace: Milliseconds;
  readonly #concurrency: number;
  readonly #running = new Map<ActiveRun, Execution>();
  readonly #waiting = new PriorityQueue<Execution>();
  readonly #idPrefix = `${Math.random().toString(36).slice(2)}-`;
  #busy = 0;
  #order = 0;
  #ids = 0;

  constructor({ runtime, logger, concurrency, grace }: ExecutorOptions) {
    this.runtime = runtime;
    this.logger = logger;
    this.grace = grace;
    this.#concurrency = concurrency;
  }

  createId(): string {
    return this.#idPrefix + (++this.#ids).toString(36);
  }

  /** Starts a job at once if a slot is free, else queues it. */
  start(job: Job): void {
    const execution = new Execution(job);
    this.#running.set(job.run, execution);
    this.#queue(execution);
  }

  #queue(execution: Execution): void {
    if (this.#busy < this.#concurrency) return this.#begin(execution);
    execution.waiting = true;
    execution.order = ++this.#order;
    this.#waiting.add(execution);
  }

  #begin(execution: Execution): void {
    const { run } = execution.job;
    this.#busy++;
    run.attempts++;
    run.status = 'process';
    if (run.attempts === 1) this.#log(run, 'started');
    this.#emit(run, 'run:start', undefined);
    execution.attempt = new Attempt(this, execution.job);
    execution.attempt.start();
  }

  returned(run: ActiveRun, value: unknown): void {
    this.#log(run, 'completed');
    this.#emit(run, 'run:return', { value });
  }

  finished(job: Job, attempt: Attempt): void {
    const { run } = job;
    const execution = this.#running.get(run);
    if (!execution) return;
    execution.attempt = undefined;
    if (attempt.cleanupErrors) {
      run.cleanupErrors = [...(run.cleanupErrors ?? []), ...attempt.cleanupErrors];
    }
    this.#busy--;
    if (!attempt.failing) this.settle(run, { status: 'success', value: attempt.value });
    else if (run.cancelled && attempt.aborted && !attempt.timedOut) this.#settleCancelled(run);
    else this.#retryOrFail(execution, attempt.error);
    this.#next();
  }

  /** Gives free slots to those who wait: first the slot, then the smallest. */
  #next(): void {
    while (this.#busy < this.#concurrency) {
      const execution = this.#waiting.take();
      if (!execution) return;
      execution.waiting = false;
      this.#begin(execution);
    }
  }

  #retryOrFail(execution: Execution, error: unknown): void {
    const { run, task } = execution.job;
    const { retry } = task;
    if (!retry || run.attempts > retry.limit || !this.#isWorthRetry(retry, error)) {
      return this.settle(run, { status: 'error', error });
    }
    if (run.cancelled) return this.#settleCancelled(run);
    const delay = backoff(retry, run.attempts);
    run.status = 'retry';
    this.#emit(run, 'run:retry', { error, delay });
    execution.backoff = this.runtime.clock.setTimeout(() => {
      execution.backoff = undefined;
      this.#queue(execution);
    }, delay);
  }

  #isWorthRetry({ when }: RetryPolicy, error: unknown): boolean {
    if (!when) return true;
    if (typeof when !== 'function') return when.some((type) => error instanceof type);
    try {
      return when(error);
    } catch (thrown) {
      this.runtime.report(thrown);
      return false;
    }
  }

  cancel(run: ActiveRun, reason: unknown): void {
    const execution = this.#running.get(run);
    if (!execution || run.cancelled) return;
    run.cancelled = { reason };
    if (execution.attempt) return execution.attempt.abort(reason);
    if (execution.backoff !== undefined) this.runtime.clock.clearTimeout(execution.backoff);
    if (execution.waiting) {
      execution.gone = true;
      this.#waiting.drop();
    }
    this.#settleCancelled(run);
  }

  #settleCancelled(run: ActiveRun): void {
    this.settle(run, { status: 'cancel', error: run.cancelled?.reason });
  }

  /** Ends a run, exactly once; also one that was refused before it started. */
  settle(
    run: ActiveRun,
    outcome:
      | { readonly status: 'success'; readonly value: unknown }
      | { readonly status: 'error' | 'cancel'; readonly error: unknown },
  ): void {
    this.#running.delete(run);
    const settled: Settled<unknown> = {
      ...outcome,
      attempts: run.attempts,
      cleanupErrors: run.cleanupErrors ?? [],
    };
    run.settle(settled);
    if (settled.status === 'success') this.#emit(run, 'run:success', { value: settled.value });
    else if (settled.status === 'cancel') this.#emit(run, 'run:cancel', { reason: settled.error });
    else {
      this.#emit(run, 'run:error', { error: settled.error });
      if (!run.observed) this.#surfaceLater(run, settled.error);
    }
  }

  /** Where nobody has looked at a failure by the end of this turn, it must not stay unseen. */
  #surfaceLater(run: ActiveRun, error: unknown): void {
    setTimeout(() => {
      if (run.observed) return;
      const { events, clock } = this.runtime;
      const { id, taskName: task, session } = run;
      if (!events.has('error')) void Promise.reject(error);
      else events.emit({ type: 'error', at: clock.now(), run: id, task, session, error });
    }, 0);
  }

  dependency(run: ActiveRun, type: 'open' | 'close', node: Node): void {
    this.#emit(run, `dependency:${type}`, { dependency: node.path });
  }

  trouble(run: ActiveRun, node: Node, error: unknown): void {
    this.#emit(run, 'dependency:error', { dependency: node.path, error });
  }

  #emit<Name extends keyof EventMap>(
    run: ActiveRun,
    type: Name,
    details: object | undefined,
  ): void {
    const { events, clock } = this.runtime;
    if (!events.has(type)) return;
    const { id, taskName, session, attempts } = run;
    const about = { run: id, task: taskName, session, attempt: attempts };
    events.emit({ type, at: clock.now(), ...about, ...details } as EventMap[Name]);
  }

  #log(run: ActiveRun, what: string): void {
    const { name } = this.runtime;
    const session = run.session && ` (${run.session})`;
    this.logger.info(`[${name}] ${run.taskName}${session} ${what}`);
  }

  /**
   * Waits for the runs of a session, or for all, up to `drain`; then cancels the rest with the reason
   * and waits for their teardown.
   */
  async drain(
    session: string | undefined,
    drain: Milliseconds,
    reason: QTasksError,
  ): Promise<void> {
    const runs = [...this.#running.keys()].filter(
      (run) => session === undefined || run.session === session,
    );
    if (runs.length === 0) return;
    const { clock } = this.runtime;
    const timer = clock.setTimeout(() => {
      for (const run of runs) this.cancel(run, reason);
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
