/** What an app, a session of it and a connection to one in a worker have in common: running tasks. */
import type { StateNeed } from './depends.js';
import { asyncDispose } from './disposal.js';
import { check, checkOptions, hasMethods, kinds } from './options.js';
import type { Run } from './run.js';
import type { AnyTask, TaskArgs, TaskResult, TaskYield } from './signature.js';
import type { Milliseconds } from './types.js';

/** The tasks among the exports of a module. */
export type TasksOf<Tasks> = Extract<Tasks[keyof Tasks], AnyTask>;

/** The names of the tasks among the exports of a module; not the names of the exports. */
export type TaskName<Tasks> = TasksOf<Tasks>['name'];

/** The task of this name. */
export type TaskNamed<Tasks, Name> = WithName<TasksOf<Tasks>, Name>;

/** Not `Extract`: a name may be a union or any string, and then one of them is enough. */
type WithName<T extends AnyTask, Name> = T extends AnyTask
  ? Name extends T['name']
    ? T
    : never
  : never;

/** The task that `run` was given, by itself or by its name. */
export type TargetTask<Tasks, Target> = Target extends AnyTask ? Target : TaskNamed<Tasks, Target>;

/** Settings of {@link TaskClient.with}. */
export interface RunSettings {
  /** Cancels the run with the signal's reason as it aborts; nothing starts if it has. */
  readonly signal?: AbortSignal;
  /** Instead of the task's own. */
  readonly timeout?: Milliseconds;
  /** Instead of the task's own. */
  readonly priority?: number;
  /**
   * An idempotency key, any non-empty string: who runs a task with the id of a run of this session that
   * goes on, or has succeeded a short while ago (option `remember` of the app), gets that same run, with
   * the settings that it was started with. A run that fails or is cancelled is forgotten. With the id of
   * another task's run it is `OPTION_INVALID`.
   */
  readonly id?: string;
  /** What among the arguments is moved instead of copied, where the task runs in another thread. */
  readonly transfer?: readonly object[];
}

/** Options of `close`. */
export interface CloseOptions {
  /** How long those running and waiting may go on. Default 10,000; `Infinity`: until they are done. */
  readonly drain?: Milliseconds;
}

/** The signature of `run`; a name with a variance, so that the compiler tells clients apart by their tasks. */
export type RunTask<out Tasks extends object> = <Target extends AnyTask | TaskName<Tasks>>(
  target: Target,
  ...args: TaskArgs<TargetTask<Tasks, Target>>
) => Run<TaskResult<TargetTask<Tasks, Target>>, TaskYield<TargetTask<Tasks, Target>>>;

/** Runs tasks: an app, or a session of it. */
export interface TaskClient<out Tasks extends object> extends AsyncDisposable {
  /**
   * Starts a run. Never throws: what is wrong with a call rejects the run, an unregistered task with
   * `TASK_UNKNOWN`, a closed app with `APP_CLOSED`.
   */
  readonly run: RunTask<Tasks>;
  /**
   * The same app with the states and dependencies of a session.
   * @param id any non-empty string
   * @throws OPTION_INVALID
   */
  session(id: string): TaskClient<Tasks>;
  /**
   * The same with settings for the runs it starts; what is not given stays as it is.
   * @throws OPTION_INVALID
   */
  with(settings: RunSettings): TaskClient<Tasks>;
  /**
   * A state of this session, to read, write and watch from outside a task.
   * @throws STORAGE_MISSING, APP_CLOSED, OPTION_INVALID, and what is wrong with the class:
   * STATE_INVALID, STATE_DUPLICATE
   */
  state<State extends StateNeed>(stateClass: State): State['prototype'];
  /**
   * Closes the app, or of a session its dependencies: its state stays and the next use opens afresh.
   * Waits for the runs, cancels those that do not end in time, then closes what is open.
   * @throws OPTION_INVALID; CLEANUP_FAILED after everything else is closed
   */
  close(options?: CloseOptions): Promise<void>;
}

/** What is behind the clients of one app, wherever its tasks run. */
export interface ClientHost {
  run(
    target: unknown,
    args: readonly unknown[],
    session: string,
    settings: RunSettings,
  ): Run<unknown, unknown>;
  state(stateClass: StateNeed, session: string): unknown;
  close(options: CloseOptions): Promise<void>;
  closeSession(id: string, options: CloseOptions): Promise<void>;
}

/** Runs tasks in one session, with settings of its own. */
export class Client<out Tasks extends object> implements TaskClient<Tasks> {
  readonly #host: ClientHost;
  readonly #session: string;
  readonly #settings: RunSettings;
  readonly run: RunTask<Tasks>;

  constructor(host: ClientHost, session: string, settings: RunSettings) {
    this.#host = host;
    this.#session = session;
    this.#settings = settings;
    this.run = ((target: unknown, ...args: unknown[]) =>
      host.run(target, args, session, settings)) as RunTask<Tasks>;
  }

  session(id: string): TaskClient<Tasks> {
    checkSession(id);
    return new Client(this.#host, id, this.#settings);
  }

  with(settings: RunSettings): TaskClient<Tasks> {
    checkSettings(settings);
    const given = Object.entries(settings).filter(([, value]) => value !== undefined);
    const merged: RunSettings = { ...this.#settings, ...Object.fromEntries(given) };
    return new Client(this.#host, this.#session, merged);
  }

  state<State extends StateNeed>(stateClass: State): State['prototype'] {
    return this.#host.state(stateClass, this.#session) as State['prototype'];
  }

  async close(options: CloseOptions = {}): Promise<void> {
    if (this.#session === '') await this.#host.close(options);
    else await this.#host.closeSession(this.#session, options);
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** @throws OPTION_INVALID */
function checkSettings(settings: unknown): void {
  checkOptions('with', settings, {
    signal: ['an AbortSignal', hasMethods('addEventListener', 'removeEventListener')],
    timeout: kinds.limit,
    priority: kinds.number,
    id: kinds.name,
    transfer: ['an array of transferable objects', Array.isArray],
  });
}

/** An empty id is a forgotten one. @throws OPTION_INVALID */
function checkSession(id: unknown): void {
  check('session: the id', id, kinds.name);
}

/** How long a `close` may wait. @throws OPTION_INVALID */
export function drainOf(options: CloseOptions): Milliseconds {
  checkOptions('close', options, { drain: kinds.duration });
  return options.drain ?? 10_000;
}
