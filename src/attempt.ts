/** One attempt of a run: opens what the task needs, calls the handler, closes all again. */
import type { Clock } from './clock.js';
import type { Context, ContextHost } from './context.js';
import { QTasksError } from './errors.js';
import type { Logger } from './logger.js';
import type { Runtime } from './need.js';
import { isShared, type Node, type Plan } from './plan.js';
import { isThenable } from './promises.js';
import { closeLate, closeWithin, inject, Lease, open, type Sink } from './resolver.js';
import type { ActiveRun } from './run.js';
import type { SharedScope } from './shared.js';
import type { TaskDefinition } from './task.js';
import type { Milliseconds } from './types.js';

/** What an attempt asks of the executor. */
export interface AttemptHost {
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly grace: Milliseconds;
  cancel(run: ActiveRun, reason: unknown): void;
  /** The handler returned a value; teardown follows. */
  returned(run: ActiveRun, value: unknown): void;
  dependency(run: ActiveRun, type: 'open' | 'close', node: Node): void;
  trouble(run: ActiveRun, node: Node, error: unknown): void;
  /** Everything is closed and the attempt is over. */
  finished(job: Job, attempt: Attempt): void;
}

/** What a run was started with. */
export interface Job {
  readonly run: ActiveRun;
  readonly task: TaskDefinition;
  readonly plan: Plan;
  readonly args: readonly unknown[];
  readonly scope: SharedScope;
  /** What its caller asked for, in the place of the task's own options. */
  readonly settings: { readonly timeout?: Milliseconds; readonly priority?: number };
}

/** Where an attempt stands. */
const OPENING = 0;
const RUNNING = 1;
const CLOSING = 2;

/** One attempt. It ends exactly once, by telling its host. */
export class Attempt implements Sink, ContextHost {
  /** The outcome, once it is over. */
  /** Whether it fails or has failed. */
  failing = false;
  error: unknown;
  value: unknown;
  /** Whether the error is the reason of an abort: a cancel or a timeout. */
  aborted = false;
  timedOut = false;
  context: Context | undefined;
  /** What teardown threw, in order. */
  cleanupErrors: unknown[] | undefined;
  readonly #host: AttemptHost;
  readonly #job: Job;
  #stage = OPENING;
  readonly #values: unknown[] = [];
  /** In the order in which they came to be open. */
  readonly #open: Lease[] = [];
  #missing: number;
  /** How many task-scoped dependencies are opening right now. */
  #opening = 0;
  #waits: number[] | undefined;
  #controller: AbortController | undefined;
  #timeout: unknown;
  #grace: unknown;

  constructor(host: AttemptHost, job: Job) {
    this.#host = host;
    this.#job = job;
    this.#missing = job.plan.steps.length;
  }

  get runtime(): Runtime {
    return this.#host.runtime;
  }
  get clock(): Clock {
    return this.#host.runtime.clock;
  }
  get logger(): Logger {
    return this.#host.logger;
  }
  get session(): string {
    return this.#job.run.session;
  }
  get runId(): string {
    return this.#job.run.id;
  }
  get taskName(): string {
    return this.#job.task.name;
  }
  get attemptNumber(): number {
    return this.#job.run.attempts;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.failing) this.#controller.abort(this.error);
    }
    return this.#controller.signal;
  }

  cancel(reason?: unknown): void {
    this.#job.run.cancel(reason);
  }

  defer(callback: () => unknown): void {
    if (this.#stage === CLOSING) {
      const message = 'ctx.defer: the teardown of this run has begun; defer earlier';
      throw new QTasksError('OPTION_INVALID', message);
    }
    this.#open.push(new Lease(undefined, undefined, callback));
  }

  /** Begins; returns once it waits for something or is over. */
  start(): void {
    const { settings, task } = this.#job;
    const timeout = settings.timeout ?? task.options.timeout;
    if (timeout !== undefined) {
      this.#timeout = this.clock.setTimeout(() => this.#timeOut(timeout), timeout);
    }
    const { steps } = this.#job.plan;
    if (steps.length === 0) void this.#conclude(true);
    for (let index = 0; index < steps.length && !this.failing; index++) {
      if (steps[index]?.inputs.length === 0) this.#openStep(index);
    }
  }

  /** Aborts, unless it is being torn down already: then nothing changes. */
  abort(reason: unknown): void {
    if (this.#stage === CLOSING || this.#grace !== undefined) return;
    this.#startGrace();
    // A dependency that failed while others open stays the reason.
    if (this.failing) return;
    this.aborted = true;
    this.#fail(reason);
  }

  #timeOut(limit: Milliseconds): void {
    const message = `task "${this.taskName}" did not end within ${limit} ms`;
    this.timedOut = !this.failing;
    this.abort(new QTasksError('TASK_TIMEOUT', message));
  }

  #startGrace(): void {
    const grace = this.#job.task.options.grace ?? this.#host.grace;
    this.#grace = this.clock.setTimeout(() => void this.#conclude(false), grace);
  }

  /** The attempt fails before its handler is done: nothing more opens, what is open will close. */
  #fail(error: unknown): void {
    this.#noteFailure(error);
    this.#controller?.abort(error);
    if (this.#stage === OPENING && this.#opening === 0) void this.#conclude(false);
  }

  #openStep(index: number): void {
    const { plan, scope } = this.#job;
    const step = plan.steps[index];
    if (!step) return;
    const { node } = step;
    if (isShared(node)) return scope.acquire(node, this, index);
    let needs: Record<string, unknown> | undefined;
    this.#opening++;
    try {
      if (node.wires.length > 0) needs = inject(this, node.wires, this.#values, step.inputs);
    } catch (error) {
      return this.#openingFailed(node, error);
    }
    open(this.runtime, node, needs ?? {}, this, index);
  }

  opened(index: number, value: unknown, lease: Lease | undefined): void {
    const step = this.#job.plan.steps[index];
    if (!step) return;
    const shared = isShared(step.node);
    if (!shared) this.#opening--;
    if (this.#stage === CLOSING) {
      if (lease) void closeLate(lease, step.node, this.error, this);
      return;
    }
    if (lease) this.#open.push(lease);
    if (!shared) this.#host.dependency(this.#job.run, 'open', step.node);
    this.#values[index] = value;
    if (!this.failing) this.#advance(step.dependents);
    else if (!shared && this.#opening === 0) void this.#conclude(false);
  }

  /** Opens what has waited for a step only, or calls the handler after the last one. */
  #advance(dependents: readonly number[]): void {
    this.#missing--;
    if (dependents.length > 0) {
      this.#waits ??= this.#job.plan.steps.map(({ waits }) => waits);
      for (const index of dependents) {
        const left = (this.#waits[index] ?? 0) - 1;
        this.#waits[index] = left;
        if (left === 0 && !this.failing) this.#openStep(index);
      }
    }
    if (this.#missing === 0 && this.#stage === OPENING) void this.#conclude(true);
  }

  failed(index: number, error: unknown): void {
    const step = this.#job.plan.steps[index];
    if (!step) return;
    if (isShared(step.node)) {
      if (!this.failing) this.#fail(error);
    } else this.#openingFailed(step.node, error);
  }

  #openingFailed(node: Node, error: unknown): void {
    this.#opening--;
    if (!this.failing) return this.#fail(error);
    // The first error wins; a sibling that only passes the abort on has nothing to tell.
    if (error !== this.error) this.trouble(node, error);
    if (this.#stage === OPENING && this.#opening === 0) void this.#conclude(false);
  }

  trouble(node: Node, error: unknown): void {
    this.#host.trouble(this.#job.run, node, error);
  }

  /**
   * Calls the handler, closes everything and ends. Called a second time while the handler runs past
   * its grace, it closes without it: the first call then finds itself overtaken.
   */
  async #conclude(callHandler: boolean): Promise<void> {
    if (callHandler) {
      this.#stage = RUNNING;
      try {
        const result = this.#callHandler();
        this.value = isThenable(result) ? await result : result;
      } catch (error) {
        if (!this.failing) this.#noteFailure(error);
      }
      if (this.#stage !== RUNNING) return;
    }
    this.#stage = CLOSING;
    this.#stopTimers();
    if (!this.failing) this.#host.returned(this.#job.run, this.value);
    for (let lease = this.#open.pop(); lease; lease = this.#open.pop()) {
      try {
        let resumed = lease.resume(this.failing, this.error);
        if (isThenable(resumed)) resumed = await this.#limited(lease, resumed);
        if (lease.isOpen(resumed)) await lease.end();
        if (lease.node) this.#host.dependency(this.#job.run, 'close', lease.node);
      } catch (error) {
        this.#closingFailed(lease, error);
      }
    }
    this.#host.finished(this.#job, this);
  }

  #callHandler(): unknown {
    const { plan, task, args } = this.#job;
    if (!plan.wires) return task.handler(...args);
    return task.handler(inject(this, plan.wires, this.#values, plan.inputs), ...args);
  }

  #noteFailure(error: unknown): void {
    this.failing = true;
    this.error = error;
  }

  #limited(lease: Lease, closing: PromiseLike<unknown>): PromiseLike<unknown> {
    const limit = lease.node?.dependency.closeTimeout;
    if (!lease.node || limit === undefined) return closing;
    return closeWithin(this.runtime, lease.node, closing, limit, this);
  }

  /** A teardown error never replaces the run's own error, but makes a success a failure. */
  #closingFailed(lease: Lease, error: unknown): void {
    if (this.failing && error === this.error) {
      if (lease.node) this.#host.dependency(this.#job.run, 'close', lease.node);
      return;
    }
    this.cleanupErrors ??= [];
    this.cleanupErrors.push(error);
    if (lease.node) this.trouble(lease.node, error);
    if (this.failing) return;
    const message = `task "${this.taskName}": its teardown failed after the handler had succeeded`;
    const data = { errors: this.cleanupErrors, value: this.value };
    this.#noteFailure(new QTasksError('CLEANUP_FAILED', message, { cause: error, data }));
  }

  #stopTimers(): void {
    if (this.#timeout !== undefined) this.clock.clearTimeout(this.#timeout);
    if (this.#grace !== undefined) this.clock.clearTimeout(this.#grace);
  }
}
