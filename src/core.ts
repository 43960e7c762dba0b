/** The inside of an app: what its clients share. */
import { ActiveRun } from './active-run.js';
import type { Attempt, Job } from './attempt.js';
import { BOUNDARY, type Boundary } from './boundary.js';
import { type ClientHost, type CloseOptions, drainOf, type RunSettings } from './client.js';
import { atMost, type Clock, systemClock } from './clock.js';
import type { StateNeed } from './depends.js';
import { QTasksError } from './errors.js';
import { Events } from './events.js';
import { Executor, type ExecutorHost } from './executor.js';
import { type Inspection, inspect } from './inspect.js';
import { guard, type Logger, silent } from './logger.js';
import type { Middleware } from './middleware.js';
import { openState } from './need.js';
import { checkOptions, hasMethods, kinds } from './options.js';
import { middlewareKind } from './policy.js';
import { type Found, Registry } from './registry.js';
import { Remembered, type RememberOptions } from './remembered.js';
import type { Remote, Served } from './served.js';
import { joinStorageScope, SharedScope } from './shared.js';
import { Signals } from './signals.js';
import type { StorageAdapter } from './storage.js';
import { definitionOf } from './task.js';
import type { Milliseconds } from './types.js';

/** Options of an app. */
export interface CoreOptions {
  /** Any non-empty string. Apps of one name on one storage share their states. Default `"qtasks"`. */
  readonly name?: string;
  /** Where states live; needed only by tasks that use one. The app does not close it. */
  readonly storage?: StorageAdapter;
  /** How many attempts run at once. Default `Infinity`. */
  readonly concurrency?: number;
  /** How long after an abort a handler may go on before its run settles without it. Default 1,000. */
  readonly grace?: Milliseconds;
  /** For how long runs with an id are remembered after their success. */
  readonly remember?: RememberOptions;
  /** Around every attempt of every run; the first is the outermost. `app.use` adds to it. */
  readonly middleware?: Middleware | readonly Middleware[];
  /** Gets a line as a run starts, completes or fails. Default: none. */
  readonly logger?: Logger;
  /** Time and timers. Default: the runtime's own. */
  readonly clock?: Clock;
  /** A module of tasks (`import * as tasks from "./tasks"`) or a record; other exports are ignored. */
  readonly tasks?: object;
  /** @internal */
  readonly [BOUNDARY]?: Boundary;
}

const optionKinds = {
  name: kinds.name,
  tasks: kinds.object,
  storage: ['a storage adapter, like memory()', hasMethods('read', 'commit', 'list', 'close')],
  concurrency: kinds.atLeastOne,
  grace: kinds.duration,
  remember: kinds.object,
  middleware: middlewareKind,
  logger: ['an object with info, warn and error', hasMethods('info', 'warn', 'error')],
  clock: kinds.clock,
} as const;

/** One app. */
export class Core implements ExecutorHost, ClientHost, Served {
  readonly name: string;
  readonly storage: StorageAdapter | undefined;
  readonly clock: Clock;
  readonly events: Events;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly #grace: Milliseconds;
  readonly #boundary: Boundary | undefined;
  readonly #remembered: Remembered;
  readonly #executor: Executor;
  readonly #concurrency: number;
  readonly #signals = new Signals();
  readonly #once = new Map<symbol, unknown>();
  readonly #closers: (() => void | Promise<void>)[] = [];
  readonly #workerScope: SharedScope;
  readonly #sessionScopes = new Map<string, SharedScope>();
  readonly #closingSessions = new Map<string, Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(options: CoreOptions) {
    checkOptions('new QTasks', options, optionKinds);
    const { remember = {}, middleware = [], concurrency = Number.POSITIVE_INFINITY } = options;
    checkOptions('new QTasks: remember', remember, { limit: kinds.count, ttl: kinds.duration });
    this.name = options.name ?? 'qtasks';
    this.storage = options.storage;
    this.clock = options.clock ?? systemClock;
    this.logger = options.logger ? guard(options.logger) : silent;
    this.events = new Events((error) => this.report(error));
    this.registry = new Registry(this);
    this.#grace = options.grace ?? 1_000;
    this.#boundary = options[BOUNDARY];
    this.#remembered = new Remembered(this.clock, remember);
    this.#concurrency = concurrency;
    this.#executor = new Executor(this, concurrency);
    this.registry.use([middleware].flat());
    if (options.tasks) this.registry.addAll(options.tasks);
    // Last: an app that could not be made must not keep the others' scope open.
    const place = { runtime: this, session: '' };
    this.#workerScope = new SharedScope('worker', place, joinStorageScope(place));
  }

  once<T>(key: symbol, make: () => T): T {
    if (!this.#once.has(key)) this.#once.set(key, make());
    return this.#once.get(key) as T;
  }

  report(error: unknown): void {
    this.logger.error(`[${this.name}] failed where no run could be told`, error);
  }

  onClose(callback: () => void | Promise<void>): void {
    this.#closers.push(callback);
  }

  run(
    target: unknown,
    args: readonly unknown[],
    session: string,
    settings: RunSettings,
    remote?: Remote,
  ): ActiveRun {
    const { signal, id, transfer } = settings;
    const taskName = nameOf(target);
    const boundary = this.#boundary;
    const origin = {
      taskName,
      session,
      parent: undefined,
      id: id ?? remote?.runId,
      boundary: remote ?? boundary,
      remote,
    };
    const run = new ActiveRun(this.#executor, origin);
    try {
      if (this.#isClosing) throw this.#closed('run');
      const found = this.registry.find(target);
      const known = id === undefined ? undefined : this.#remembered.find(session, id, taskName);
      if (known && !signal?.aborted) return known;
      if (signal?.aborted) this.#executor.refuse(run, 'cancel', signal.reason);
      else {
        let job = this.#job(found, args, session, settings);
        // Last, as it moves what is to be moved.
        if (boundary && !remote) job = { ...job, args: boundary.args(taskName, args, transfer) };
        if (signal) this.#signals.follow(signal, run);
        if (id !== undefined) this.#remembered.add(run);
        this.#executor.start(run, job, remote?.lost);
      }
    } catch (error) {
      this.#executor.refuse(run, 'error', error);
    }
    return run;
  }

  runChild(parent: Attempt, target: unknown, args: readonly unknown[]): ActiveRun {
    const { session, isAborted, isOver } = parent;
    const run = new ActiveRun(this.#executor, {
      taskName: nameOf(target),
      session,
      parent: parent.run,
      id: undefined,
      boundary: undefined,
      remote: undefined,
    });
    try {
      if (isOver)
        throw new QTasksError('OPTION_INVALID', 'ctx.run: the run is over; run it earlier');
      const job = this.#job(this.registry.find(target), args, session, {}, parent);
      const { closedWith } = this.#executor;
      if (isAborted || closedWith)
        this.#executor.refuse(run, 'cancel', closedWith ?? parent.outcome);
      else this.#executor.start(run, job);
    } catch (error) {
      this.#executor.refuse(run, 'error', error);
    }
    return run;
  }

  /** @param parent the attempt that it is part of */
  #job(
    { task, plan, middleware }: Found,
    args: readonly unknown[],
    session: string,
    settings: RunSettings,
    parent?: Attempt,
  ): Job {
    const { options } = task;
    const { isHeld = false } = parent?.job ?? {};
    if (options.exclusive) this.#executor.holds.check(task.name);
    return {
      task,
      plan,
      args,
      scope: plan.usesSession ? this.#scopeFor(session, parent) : this.#workerScope,
      timeout: settings.timeout ?? options.timeout,
      grace: options.grace ?? this.#grace,
      priority: settings.priority ?? options.priority ?? 0,
      middleware,
      slot: parent?.slot,
      takesHold: options.exclusive === true && !isHeld,
      isHeld: options.exclusive === true || isHeld,
    };
  }

  /** A child shares what its parent has open, also while the session is being closed. */
  #scopeFor(session: string, parent: Attempt | undefined): SharedScope {
    return parent?.job.plan.usesSession ? parent.job.scope : this.#sessionScope(session);
  }

  /** What goes on right now, as plain data. */
  inspect(): Inspection {
    const { name, registry } = this;
    const [executor, concurrency, isClosing] = [this.#executor, this.#concurrency, this.#isClosing];
    return inspect({ name, registry, executor, concurrency, isClosing });
  }

  get #isClosing(): boolean {
    return this.#closing !== undefined;
  }

  #sessionScope(session: string): SharedScope {
    const known = this.#sessionScopes.get(session);
    if (known) return known;
    const scope = new SharedScope('session', { runtime: this, session }, this.#workerScope);
    this.#sessionScopes.set(session, scope);
    return scope;
  }

  state(stateClass: StateNeed, session: string): unknown {
    if (this.#isClosing) throw this.#closed('state');
    return openState(stateClass, { runtime: this, session });
  }

  #closed(operation: string): QTasksError {
    return new QTasksError('APP_CLOSED', `${operation}: app "${this.name}" is closed`);
  }

  /** Closes the app, once; later calls get the same promise. */
  close(options: CloseOptions): Promise<void> {
    const drain = drainOf(options);
    this.#closing ??= this.#closeAll(drain);
    return this.#closing;
  }

  async #closeAll(drain: Milliseconds): Promise<void> {
    const app = `app "${this.name}"`;
    await this.#executor.drain(undefined, drain, app);
    const errors: unknown[] = [];
    for (const closer of this.#closers) await this.#bounded(closer, errors);
    // A session that is being closed may still use what the app has open.
    await Promise.allSettled(this.#closingSessions.values());
    await Promise.all([...this.#sessionScopes.values()].map((scope) => this.#end(scope, errors)));
    for (let scope: SharedScope | undefined = this.#workerScope; scope; scope = scope.outer) {
      await this.#end(scope, errors);
    }
    throwCleanup(errors, app);
  }

  /** Waits for a callback, but not longer than `grace`. */
  async #bounded(callback: () => void | Promise<void>, errors: unknown[]): Promise<void> {
    try {
      if (await atMost(this.#grace, callback(), this.clock)) return;
      const message = `app "${this.name}": state writes were still on their way as it was closed`;
      throw new QTasksError('STORAGE_UNKNOWN_OUTCOME', message);
    } catch (error) {
      errors.push(error);
    }
  }

  async #end(scope: SharedScope, errors: unknown[]): Promise<void> {
    errors.push(...(await scope.close(this.#grace)));
  }

  /** Closes what a session has open; a run that starts meanwhile opens afresh. */
  async closeSession(id: string, options: CloseOptions): Promise<void> {
    const drain = drainOf(options);
    const next = (): Promise<void> => this.#closeSession(id, drain);
    const closing = this.#closingSessions.get(id)?.then(next, next) ?? next();
    this.#closingSessions.set(id, closing);
    try {
      await closing;
    } finally {
      if (this.#closingSessions.get(id) === closing) this.#closingSessions.delete(id);
    }
  }

  async #closeSession(id: string, drain: Milliseconds): Promise<void> {
    const scope = this.#sessionScopes.get(id);
    this.#sessionScopes.delete(id);
    const session = `session "${id}"`;
    await this.#executor.drain(id, drain, session);
    if (scope) throwCleanup(await scope.close(this.#grace), session);
  }
}

/** What a run calls its task, also one that is refused; not even a revoked proxy makes it throw. */
function nameOf(target: unknown): string {
  try {
    return definitionOf(target)?.name ?? (typeof target === 'string' ? target : '');
  } catch {
    return '';
  }
}

function throwCleanup(errors: readonly unknown[], what: string): void {
  if (errors.length === 0) return;
  const message = `${what} is closed, but ${errors.length} of its dependencies failed to`;
  const data = { errors, value: undefined };
  throw new QTasksError('CLEANUP_FAILED', message, { cause: errors[0], data });
}
