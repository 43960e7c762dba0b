/** A run from the inside: what the executor knows of it, and the promise that its caller holds. */
import type { ReturnBoundary } from './boundary.js';
import { QTasksError } from './errors.js';
import type { Release } from './holds.js';
import type { Waiting } from './queue.js';
import type { Run, RunStatus, Settled } from './run.js';
import type { Outlet, Remote } from './served.js';
import { Stream } from './stream.js';

/** What a run asks of who runs it: the executor, or a connection to where it runs. */
export interface RunHost {
  createId(): string;
  cancel(run: ActiveRun): void;
  /** Somebody iterates the run. */
  reads?(): void;
  /** Its reader has got a value. */
  taken?(): void;
}

/** Where a run comes from, and what it is called. */
export interface RunOrigin {
  readonly taskName: string;
  readonly session: string;
  /** The run that it is part of. */
  readonly parent: ActiveRun | undefined;
  /** Made when it is asked for, unless the caller gave one. */
  readonly id: string | undefined;
  /** What its values pass on their way to the caller. */
  readonly boundary: ReturnBoundary | undefined;
  /** Its caller, where that is in another thread. */
  readonly remote: Remote | undefined;
}

/** One run, from its call until it has settled. */
export class ActiveRun implements Run<unknown, unknown> {
  status: RunStatus = 'new';
  /** How many attempts were started. */
  attempts = 0;
  /** Whether an attempt has begun. */
  hasStarted = false;
  /** Whether the handler of the last attempt has returned. */
  hasReturned = false;
  /** The attempt that goes on right now. */
  attempt: { abort(reason: unknown, isCancel: boolean): void } | undefined = undefined;
  /** Its place among those who wait for a slot. */
  waiting: Waiting | undefined = undefined;
  /** The timer of its next attempt. */
  backoff: unknown = undefined;
  /** Set while it waits for the hold of its session. */
  acquiring: AbortController | undefined = undefined;
  /** Gives the hold back that it has. */
  release: Release | undefined = undefined;
  /** Set while it waits for a hold in its parent's slot; to be called when it does so no more. */
  stopWaiting: (() => void) | undefined = undefined;
  /** The place among the executor's runs. */
  index = 0;
  cancelled = false;
  /** Why it was cancelled. */
  reason: unknown = undefined;
  /** Whether somebody will see how it ends. */
  observed = false;
  cleanupErrors: readonly unknown[] = [];
  readonly taskName: string;
  readonly session: string;
  readonly parent: ActiveRun | undefined;
  readonly #host: RunHost;
  isSettled = false;
  /** Its result or error, once it has settled. */
  outcome: unknown = undefined;
  #id: string | undefined = undefined;
  #promise: Promise<unknown> | undefined = undefined;
  #resolve: ((value: unknown) => void) | undefined = undefined;
  #reject: ((value: unknown) => void) | undefined = undefined;
  #listeners: (() => void)[] | undefined = undefined;
  readonly #boundary: ReturnBoundary | undefined;
  readonly #remote: Remote | undefined;
  /** There once a value was streamed or somebody reads. */
  stream: Outlet | undefined;

  constructor(host: RunHost, { taskName, session, parent, id, boundary, remote }: RunOrigin) {
    this.#host = host;
    this.taskName = taskName;
    this.session = session;
    this.parent = parent;
    this.#id = id;
    this.#boundary = boundary;
    this.#remote = remote;
    this.stream = remote;
  }

  /** The run that it is part of in the end, if not itself. */
  get root(): ActiveRun {
    return this.parent?.root ?? this;
  }

  /** Is in another status from now on, but has not settled. */
  enter(status: 'process' | 'retry'): void {
    this.status = status;
    this.#remote?.changed();
  }

  get id(): string {
    this.#id ??= this.#host.createId();
    return this.#id;
  }

  get settled(): Promise<Settled<unknown>> {
    this.observed = true;
    return new Promise((resolve) => this.whenSettled(() => resolve(this.#toSettled())));
  }

  #toSettled(): Settled<unknown> {
    const { status, attempts, cleanupErrors } = this;
    return status === 'success'
      ? { status, value: this.outcome, attempts, cleanupErrors }
      : { status: status as 'error' | 'cancel', error: this.outcome, attempts, cleanupErrors };
  }

  // biome-ignore lint/suspicious/noThenProperty: a run is a PromiseLike, so that it can be awaited
  then<Value = unknown, Failure = never>(
    onfulfilled?: ((value: unknown) => Value | PromiseLike<Value>) | null,
    onrejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Value | Failure> {
    this.observed = true;
    this.#promise ??= new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (this.isSettled) this.#tell();
    });
    return this.#promise.then(onfulfilled, onrejected);
  }

  #tell(): void {
    (this.status === 'success' ? this.#resolve : this.#reject)?.(this.outcome);
  }

  cancel(reason?: unknown): void {
    if (this.cancelled || this.isSettled) return;
    this.cancelled = true;
    this.reason =
      reason === undefined
        ? new QTasksError('TASK_CANCELLED', `task "${this.taskName}": the run was cancelled`)
        : reason;
    this.#host.cancel(this);
  }

  /** Calls back once it has settled, without counting as somebody who looks at the outcome. */
  whenSettled(listener: () => void): void {
    if (this.isSettled) listener();
    else if (this.#listeners) this.#listeners.push(listener);
    // Most have one; a list that something is pushed to would take room for many.
    else this.#listeners = [listener];
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined, undefined> {
    this.stream ??= new Stream(this);
    const reader = this.stream.read();
    this.observed = true;
    this.#host.reads?.();
    return reader;
  }

  /** The reader has got a value. */
  taken(): void {
    this.#host.taken?.();
  }

  /** @throws where the value cannot pass the boundary */
  pass(from: 'result' | 'yield', value: unknown): unknown {
    return this.#boundary ? this.#boundary.value(this.taskName, from, value) : value;
  }

  /**
   * Streams a value; gives a promise where the handler has to wait.
   * @throws where the value cannot pass the boundary
   */
  push(value: unknown): Promise<void> | undefined {
    this.stream ??= new Stream(this);
    return this.stream.push(this.pass('yield', value));
  }

  /** @param outcome of a success, what has passed the boundary */
  settle(status: 'success' | 'error' | 'cancel', outcome: unknown): void {
    const boundary = this.#boundary;
    this.status = status;
    this.outcome = boundary && status !== 'success' ? boundary.error(outcome) : outcome;
    if (boundary) this.cleanupErrors = this.cleanupErrors.map((error) => boundary.error(error));
    this.isSettled = true;
    this.#tell();
    for (const listener of this.#listeners ?? []) listener();
    this.#listeners = undefined;
  }
}
