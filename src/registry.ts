/** The tasks of one app, their compiled plans and the overrides that shape them. */
import { DependencyDefinition, isDependency } from './depends.js';
import { QTasksError } from './errors.js';
import type { Middleware } from './middleware.js';
import type { Runtime } from './need.js';
import { describe } from './options.js';
import { compile, type Plan } from './plan.js';
import { definitionOf, type TaskDefinition } from './task.js';

/** A registered task with what its runs open. */
export interface Found {
  readonly task: TaskDefinition;
  readonly plan: Plan;
  /** The app's and its own. */
  readonly middleware: readonly Middleware[];
}

interface Entry {
  readonly task: TaskDefinition;
  plan: Plan;
  middleware: readonly Middleware[];
  /** Of which overrides and middleware these are. */
  version: number;
}

/** One app's registry. */
export class Registry {
  readonly #runtime: Runtime;
  readonly #entries = new Map<string, Entry>();
  /** The newest override of a dependency is the last. */
  readonly #overrides = new Map<
    DependencyDefinition,
    { readonly actual: DependencyDefinition }[]
  >();
  readonly #middleware: Middleware[] = [];
  #version = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Registers a task.
   * @throws TASK_DUPLICATE, and what is wrong with its needs
   */
  add(task: TaskDefinition): void {
    if (this.#entries.has(task.name)) {
      const message = `task "${task.name}" is registered with app "${this.#runtime.name}" already; give one of the two another name`;
      throw new QTasksError('TASK_DUPLICATE', message);
    }
    const plan = this.#compile(task);
    const middleware = this.#around(task);
    this.#entries.set(task.name, { task, plan, middleware, version: this.#version });
  }

  /** Registers what is a task among the exports of a module. */
  addAll(tasks: object): void {
    const definitions = Object.values(tasks).map(definitionOf);
    for (const task of new Set(definitions)) if (task) this.add(task);
  }

  /**
   * Finds a task by itself or by its name.
   * @throws TASK_UNKNOWN
   */
  find(target: unknown): Found {
    const definition = definitionOf(target);
    const name = definition ? definition.name : target;
    const entry = typeof name === 'string' ? this.#entries.get(name) : undefined;
    if (!entry || (definition && entry.task !== definition)) throw this.#unknown(name, entry);
    if (entry.version !== this.#version) {
      entry.plan = this.#compile(entry.task);
      entry.middleware = this.#around(entry.task);
      entry.version = this.#version;
    }
    return entry;
  }

  /** Every task with what its runs open. */
  get all(): readonly Found[] {
    return [...this.#entries.values()].map(({ task }) => this.find(task));
  }

  /** Adds middleware, for runs that start from now on. */
  use(middleware: readonly Middleware[]): void {
    this.#middleware.push(...middleware);
    this.#version++;
  }

  #around({ middleware }: TaskDefinition): readonly Middleware[] {
    return [...this.#middleware, ...middleware];
  }

  #unknown(name: unknown, namesake: Entry | undefined): QTasksError {
    const app = `app "${this.#runtime.name}"`;
    if (typeof name !== 'string') {
      return new QTasksError(
        'TASK_UNKNOWN',
        `run: expected a task or its name; received ${describe(name)}`,
      );
    }
    const message = namesake
      ? `${app} has another task "${name}" than the one to run; register that one, or run it by its name`
      : `${app} has no task "${name}"; pass it to new QTasks({ tasks }) or make it with app.task`;
    return new QTasksError('TASK_UNKNOWN', message);
  }

  #compile(task: TaskDefinition): Plan {
    return compile(task.name, task.needs, this.#runtime, (dependency) => {
      return this.#overrides.get(dependency)?.at(-1)?.actual ?? dependency;
    });
  }

  /**
   * Puts something else in the place of a dependency, for runs that start from now on.
   * @returns what takes it back; twice is once
   * @throws OPTION_INVALID, DEPENDENCY_SCOPE, DEPENDENCY_CYCLE; then nothing is changed
   */
  override(dependency: unknown, replacement: unknown): () => void {
    if (!isDependency(dependency)) {
      const message = `override: the first argument must be a Depends(…); received ${describe(dependency)}`;
      throw new QTasksError('OPTION_INVALID', message);
    }
    const override = { actual: standIn(dependency, replacement) };
    const stack = this.#overrides.get(dependency) ?? [];
    this.#overrides.set(dependency, stack);
    stack.push(override);
    const restore = (): void => {
      const position = stack.indexOf(override);
      if (position < 0) return;
      stack.splice(position, 1);
      this.#version++;
    };
    try {
      for (const { task } of this.#entries.values()) this.#compile(task);
    } catch (error) {
      restore();
      throw error;
    }
    this.#version++;
    return restore;
  }
}

function standIn(dependency: DependencyDefinition, replacement: unknown): DependencyDefinition {
  if (isDependency(replacement)) return replacement;
  if (typeof replacement === 'function') {
    return new DependencyDefinition(undefined, () => replacement(), false, dependency);
  }
  const message = `override: the replacement must be a function or a Depends(…); received ${describe(replacement)}`;
  throw new QTasksError('OPTION_INVALID', message);
}
