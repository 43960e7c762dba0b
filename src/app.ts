/** `QTasks`: the app that users make, and its sessions. */
import { Client } from './client.js';
import { Core, type CoreOptions } from './core.js';
import type { Dependency } from './depends.js';
import { dispose } from './disposal.js';
import type { EventMap, EventName } from './events.js';
import type { Inspection } from './inspect.js';
import type { Middleware } from './middleware.js';
import { check } from './options.js';
import { middlewareKind } from './policy.js';
import { SERVED, type Served } from './served.js';
import { bind, type DefineTask, define } from './task.js';

/** Options of {@link QTasks}. */
export interface QTasksOptions<Tasks extends object> extends CoreOptions {
  readonly tasks?: Tasks;
}

/** Takes an override back. */
export interface Override extends Disposable {
  /** The same as `[Symbol.dispose]`; a second time does nothing. */
  restore(): void;
}

/** What a fake dependency may return: the value, as any `open` function gives it. */
export type Opening<Value> =
  | Value
  | PromiseLike<Value>
  | Generator<Value | PromiseLike<Value>, unknown, undefined>
  | AsyncGenerator<Value, unknown, undefined>;

/**
 * An app: tasks, a storage for their states, and what its runs share.
 *
 * It is the client of its default session, which no session id reaches.
 *
 * @example
 * const app = new QTasks({ name: 'signup', tasks, storage: memory() });
 * await app.session('ann').run('step1', 'Ann');
 * await app.close();
 */
export class QTasks<out Tasks extends object = Record<never, never>> extends Client<Tasks> {
  readonly #core: Core;
  /**
   * Defines a task, registers it and returns a callable that runs it in the default session. `run`
   * takes the callable too, but not its name: only the names of `tasks` are known to the compiler.
   * @throws OPTION_INVALID, TASK_DUPLICATE, and what is wrong with its needs: DEPENDENCY_INVALID,
   * DEPENDENCY_CYCLE, DEPENDENCY_SCOPE, STATE_INVALID, STATE_DUPLICATE
   */
  readonly task: DefineTask<'bound'>;

  /** @throws OPTION_INVALID, and what registering the tasks throws */
  constructor(options: QTasksOptions<Tasks> = {}) {
    const core = new Core(options);
    super(core, '', {});
    this.#core = core;
    this.task = ((...args: unknown[]) => {
      const definition = define(args);
      core.registry.add(definition);
      return bind(definition, (...given) => core.run(definition, given, '', {}));
    }) as DefineTask<'bound'>;
  }

  /** @internal */
  get [SERVED](): Served {
    return this.#core;
  }

  /**
   * Calls back on an event; a listener that throws changes no run and is told to the logger.
   * @returns what stops it
   * @throws OPTION_INVALID
   */
  on<Name extends EventName>(name: Name, listener: (event: EventMap[Name]) => unknown): () => void {
    return this.#core.events.on(name, listener);
  }

  /**
   * Adds middleware around every attempt of the runs that start from now on, inside what is there
   * already and outside a task's own.
   * @returns the app
   * @throws OPTION_INVALID
   */
  use(middleware: Middleware | readonly Middleware[]): this {
    check('use: the middleware', middleware, middlewareKind);
    this.#core.registry.use([middleware].flat());
    return this;
  }

  /**
   * What the app has and does right now, as plain data that can be shown, stored or sent elsewhere:
   * its tasks with their options and dependencies, the runs that have not settled, and counters.
   */
  inspect(): Inspection {
    return this.#core.inspect();
  }

  /**
   * Puts a fake in the place of a dependency: a function with the dependency's own scope, or another
   * `Depends`, whose scope is checked. Runs that have started keep what they have.
   * @throws OPTION_INVALID, DEPENDENCY_INVALID, DEPENDENCY_SCOPE, DEPENDENCY_CYCLE, and what is wrong
   * with a state it needs: STATE_INVALID, STATE_DUPLICATE; then nothing is changed
   */
  override<Value>(
    dependency: Dependency<Value>,
    replacement: (() => Opening<NoInfer<Value>>) | Dependency<NoInfer<Value>>,
  ): Override {
    const restore = this.#core.registry.override(dependency, replacement);
    return { restore, [dispose]: restore };
  }
}
