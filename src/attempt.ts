/** One attempt of a run: opens what the task needs, calls the handler, closes all again. */
import type { ActiveRun } from './active-run.js';
import { Children } from './children.js';
import type { Context, ContextHost } from './context.js';
import { QTasksError } from './errors.js';
import type { Middleware } from './middleware.js';
import type { Runtime } from './need.js';
import { type Node, type Plan, waitsOf } from './plan.js';
import { isThenable } from './promises.js';
import {
  type Closable,
  close,
  closeInTime,
  inject,
  type Lease,
  Opening,
  type Sink,
} from './resolver.js';
import { accepted } from './schema.js';
import type { SharedScope } from './shared.js';
import { Slot } from './slot.js';
import { drive, isGenerator, type StreamHost } from './stream.js';
import type { TaskDefinition } from './task.js';
import type { Milliseconds } from './types.js';

/** What a run was started with. */
export interface Job {
  readonly task: TaskDefinition;
  readonly plan: Plan;
  readonly args: readonly unknown[];
  /** Where it opens what outlives it. */
  readonly scope: SharedScope;
  readonly timeout: Milliseconds | undefined;
  readonly grace: Milliseconds;
  readonly priority: number;
  readonly middleware: readonly Middleware[];
  /** Of a run that is part of another one: the slot that it shares. */
  readonly slot: Slot | undefined;
  /** Whether each attempt takes the hold of its session. */
  readonly takesHold: boolean;
  /** Whether it has the hold by then, by itself or by a parent. */
  readonly isHeld: boolean;
}

/** What an attempt asks of the executor. */
export interface AttemptHost {
  readonly runtime: Runtime;
  /** The handler returned a value; teardown follows. */
  returned(attempt: Attempt): void;
  /** The handler yielded; gives a promise where it has to wait. */
  yielded(attempt: Attempt, value: unknown): Promise<void> | undefined;
  runChild(attempt: Attempt, target: unknown, args: readonly unknown[]): ActiveRun;
  dependency(attempt: Attempt, what: 'open' | 'close' | 'error', node: Node, error?: unknown): void;
  /** Everything is closed and the attempt is over. */
  finished(attempt: Attempt): void;
}

const noNeeds: Record<string, unknown> = {};

const OPENING = 0;
const RUNNING = 1;
const CLOSING = 2;
const OVER = 3;

/** One attempt. It ends exactly once, by telling its host. */
export class Attempt implements Sink<Node>, ContextHost, StreamHost {
  readonly run: ActiveRun;
  readonly job: Job;
  readonly runtime: Runtime;
  readonly session: string;
  /** 1 for the first attempt of the run. */
  readonly number: number;
  context: Context | undefined = undefined;
  /** Whether it fails or has failed, and with what; else what the handler returned. */
  failing = false;
  outcome: unknown = undefined;
  /** Whether it fails because it was cancelled. */
  cancelled = false;
  /** What teardown threw, in order. */
  cleanupErrors: unknown[] | undefined = undefined;
  /** What is told of its end instead of the host, if there is middleware around it. */
  onion: { attemptEnded(): void } | undefined = undefined;
  readonly #host: AttemptHost;
  #stage: 0 | 1 | 2 | 3 = OPENING;
  readonly #values: unknown[] = [];
  /** In the order in which they came to be open. */
  readonly #open: Closable[] = [];
  #missing: number;
  /** How many task-scoped dependencies are opening right now. */
  #opening = 0;
  /** How many others a node still waits for, once it waits for fewer than at first. */
  readonly #waits: number[] = [];
  #controller: AbortController | undefined = undefined;
  /** Whether the signal has to be aborted, once somebody asks for it; not by the handler's own error. */
  #isAborted = false;
  #timeout: unknown = undefined;
  #grace: unknown = undefined;
  /** Runs that its handler or a dependency has started as part of it. */
  #children: Children | undefined = undefined;
  #slot: Slot | undefined = undefined;

  constructor(host: AttemptHost, run: ActiveRun, job: Job) {
    this.#host = host;
    this.run = run;
    this.job = job;
    this.runtime = host.runtime;
    this.session = run.session;
    this.number = run.attempts;
    this.#missing = job.plan.nodes.length;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(this.outcome);
    }
    return this.#controller.signal;
  }

  defer(callback: () => unknown): void {
    if (this.#stage >= CLOSING) {
      throw new QTasksError('OPTION_INVALID', 'ctx.defer: the teardown has begun; defer earlier');
    }
    this.#open.push({ node: undefined, resume: () => callback(), end: () => undefined });
  }

  /** Starts a run that is part of this one: it ends before this one's teardown. */
  runChild(target: unknown, args: readonly unknown[]): ActiveRun {
    const child = this.#host.runChild(this, target, args);
    this.#children ??= new Children();
    this.#children.add(child);
    // It may have cancelled this run as it started.
    if (this.#isAborted) child.cancel(this.outcome);
    return child;
  }

  /** What its children run in. */
  get slot(): Slot {
    this.#slot ??= new Slot(this.job.slot);
    return this.#slot;
  }

  /** Whether its signal has aborted: then its children start cancelled. */
  get isAborted(): boolean {
    return this.#isAborted;
  }

  get isOver(): boolean {
    return this.#stage === OVER;
  }

  /** Begins; returns once it waits for something or is over. */
  start(): void {
    if (this.failing) return;
    const { plan, task, timeout } = this.job;
    if (timeout !== undefined) {
      this.#timeout = this.runtime.clock.setTimeout(() => {
        const message = `task "${task.name}" did not end within ${timeout} ms`;
        this.abort(new QTasksError('TASK_TIMEOUT', message), false);
      }, timeout);
    }
    if (this.#missing === 0) void this.#conclude(true);
    for (const node of plan.nodes) if (waitsOf(node) === 0 && !this.failing) this.#openNode(node);
  }

  /** Ends early with the reason, unless teardown has begun: then nothing changes. */
  abort(reason: unknown, isCancel: boolean): void {
    if (this.#stage >= CLOSING || this.#grace !== undefined) return;
    const { clock } = this.runtime;
    this.#grace = clock.setTimeout(() => void this.#conclude(false), this.job.grace);
    // A dependency that failed while others open stays the reason.
    if (this.failing) return;
    this.cancelled = isCancel;
    this.#fail(reason);
  }

  /** Fails before the handler is done: nothing more opens, what is open will close. */
  #fail(error: unknown): void {
    this.#noteFailure(error);
    this.#isAborted = true;
    this.#controller?.abort(error);
    this.#children?.cancel(error);
    this.run.stream?.release();
    this.#concludeIfOpened();
  }

  #concludeIfOpened(): void {
    if (this.#stage === OPENING && this.#opening === 0) void this.#conclude(false);
  }

  #openNode(node: Node): void {
    if (node.isShared) {
      this.job.scope.acquire(node).then(
        (value) => this.opened(node, value, undefined),
        (error) => this.failed(node, error),
      );
      return;
    }
    this.#opening++;
    let needs: Record<string, unknown>;
    try {
      needs = node.dependency.needs ? inject(this, node.wiring, this.#values) : noNeeds;
    } catch (error) {
      return this.failed(node, error);
    }
    new Opening(node, this, node).open(needs, this.runtime.clock);
  }

  opened(node: Node, value: unknown, lease: Lease | undefined): void {
    const { isShared, index, dependents } = node;
    if (!isShared) this.#opening--;
    if (this.#stage >= CLOSING) return void lease?.closeLate(this.outcome);
    if (lease) this.#open.push(lease);
    if (!isShared && this.runtime.events.any) this.#host.dependency(this, 'open', node);
    this.#values[index] = value;
    if (this.failing) return this.#concludeIfOpened();
    this.#missing--;
    for (const dependent of dependents) this.#countDown(dependent);
    if (this.#missing === 0 && this.#stage === OPENING) void this.#conclude(true);
  }

  /** Opens a node once all that it waits for are open. */
  #countDown(node: Node): void {
    const left = (this.#waits[node.index] ?? waitsOf(node)) - 1;
    this.#waits[node.index] = left;
    if (left === 0 && !this.failing) this.#openNode(node);
  }

  failed(node: Node, error: unknown): void {
    const { isShared } = node;
    if (!isShared) this.#opening--;
    if (!this.failing) return this.#fail(error);
    // The first error wins; a sibling that only passes the abort on has nothing to tell.
    if (!isShared && error !== this.outcome) this.trouble(node, error);
    this.#concludeIfOpened();
  }

  trouble(node: Node, error: unknown): void {
    this.#host.dependency(this, 'error', node, error);
  }

  /**
   * Calls the handler, closes everything and ends. Called a second time while the handler runs past
   * its grace, it closes without it: the first call then finds itself overtaken.
   */
  async #conclude(callHandler: boolean): Promise<void> {
    if (callHandler) {
      this.#stage = RUNNING;
      try {
        let value = this.#callHandler();
        if (isGenerator(value)) value = await drive(value, this);
        else if (isThenable(value)) value = await value;
        if (this.#children || this.job.task.options.output) value = await this.#complete(value);
        if (!this.failing) this.outcome = value;
      } catch (error) {
        if (!this.failing) this.#noteFailure(error);
      }
      if (this.#stage !== RUNNING) return;
    }
    this.#stage = CLOSING;
    const { clock } = this.runtime;
    if (this.#timeout !== undefined) clock.clearTimeout(this.#timeout);
    if (this.#grace !== undefined) clock.clearTimeout(this.#grace);
    if (this.failing) this.#children?.cancel(this.outcome);
    while (this.#children && !this.#children.isEmpty) await this.#children.join();
    if (!this.failing) this.#host.returned(this);
    for (let lease = this.#open.pop(); lease; lease = this.#open.pop()) {
      try {
        if (lease.node?.dependency.closeTimeout !== undefined) await this.#closeInTime(lease);
        else {
          let resumed = lease.resume(this.failing, this.outcome);
          if (isThenable(resumed)) resumed = await resumed;
          const ending = lease.end(resumed);
          if (ending !== undefined) await ending;
        }
        this.#closed(lease);
      } catch (error) {
        if (this.failing && error === this.outcome) this.#closed(lease);
        else this.#closingFailed(lease, error);
      }
    }
    // A teardown may have had some too.
    while (this.#children && !this.#children.isEmpty) await this.#children.join();
    this.#stage = OVER;
    this.#host.finished(this);
  }

  yielded(value: unknown): Promise<void> | undefined {
    try {
      return this.#host.yielded(this, value);
    } catch (error) {
      this.abort(error, false);
      return undefined;
    }
  }

  /** What follows the handler while the run can still be cancelled. */
  async #complete(value: unknown): Promise<unknown> {
    while (this.#children && !this.#children.isEmpty) await this.#children.join();
    const { name, options } = this.job.task;
    if (!options.output || this.failing) return value;
    const answer = await options.output['~standard'].validate(value);
    return accepted(answer, 'OUTPUT_INVALID', `task "${name}": the result`);
  }

  #callHandler(): unknown {
    const { plan, task, args } = this.job;
    if (!plan.wiring) return task.handler(...args);
    const needs = inject(this, plan.wiring, this.#values);
    // Spreading behind another argument is slow.
    return args.length === 0 ? task.handler(needs) : task.handler(needs, ...args);
  }

  async #closeInTime(lease: Closable): Promise<void> {
    const { node } = lease;
    const closing = close(lease, this.failing, this.outcome);
    if (!node) return closing;
    const { clock } = this.runtime;
    await closeInTime(node, closing, clock, (error) => this.trouble(node, error));
  }

  #closed({ node }: Closable): void {
    if (node && this.runtime.events.any) this.#host.dependency(this, 'close', node);
  }

  /** A teardown error never replaces the run's own error, but makes a success a failure. */
  #closingFailed({ node }: Closable, error: unknown): void {
    this.cleanupErrors ??= [];
    this.cleanupErrors.push(error);
    if (node) this.trouble(node, error);
    if (this.failing) return;
    const message = `task "${this.job.task.name}": teardown failed after the handler had succeeded`;
    const data = { errors: this.cleanupErrors, value: this.outcome };
    this.#noteFailure(new QTasksError('CLEANUP_FAILED', message, { cause: error, data }));
  }

  #noteFailure(error: unknown): void {
    this.failing = true;
    this.outcome = error;
  }
}
