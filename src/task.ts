/** `task`: a step of work as a value that knows no app and no runtime. */
import type { Needs, Resolved } from './depends.js';
import { check, checkOptions, kinds } from './options.js';
import type { Run } from './run.js';
import type { Milliseconds } from './types.js';

declare const TYPES: unique symbol;
const TASK = Symbol.for('qtasks-lite.task');

/** A class of errors, for `retry.when`. */
export type ErrorClass = abstract new (...args: never[]) => unknown;

/**
 * When and how often a failed attempt is followed by another one. An attempt whose teardown fails
 * after its handler has succeeded is a failed one too.
 */
export interface RetryOptions {
  /** How many retries: 2 is at most three attempts. */
  readonly limit: number;
  /** The wait before the first retry. Default 200. */
  readonly delay?: Milliseconds;
  /** By what each further wait grows. Default 2. */
  readonly factor?: number;
  /** The longest wait. Default 30,000. */
  readonly maxDelay?: Milliseconds;
  /** Wait a random part of it, so that many do not come back at once. Default `true`. */
  readonly jitter?: boolean;
  /** Which errors are worth a retry: a predicate or classes. Default: all. */
  readonly when?: ((error: unknown) => boolean) | readonly ErrorClass[];
}

/** Options of a task. */
export interface TaskOptions {
  /**
   * How long one attempt may take, from the moment its dependencies start to open until its handler
   * is done. Then its signal aborts and it fails with `TASK_TIMEOUT`. Default: as long as it takes.
   */
  readonly timeout?: Milliseconds;
  /** How long after an abort the handler may go on before the run settles without it. Default: the app's. */
  readonly grace?: Milliseconds;
  /** A number counts retries. Default 0. A cancelled run is never retried. */
  readonly retry?: number | RetryOptions;
  /** Smaller runs first where runs wait for a slot; among equals the oldest. Default 0. */
  readonly priority?: number;
  /** For your own tools; the library does not look at these three. */
  readonly tags?: readonly string[];
  readonly description?: string;
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** A task: a frozen value. Register it with an app by `tasks` or make it with `app.task`. */
export interface Task<out Name extends string, out Args extends readonly unknown[], out Result> {
  readonly name: Name;
  readonly options: Readonly<TaskOptions>;
  /** Only there for the compiler. */
  readonly [TYPES]?: { readonly args: Args; readonly result: Result };
}

/** A task of an app: called, it runs there in the default session. */
export interface BoundTask<Name extends string, Args extends readonly unknown[], Result>
  extends Task<Name, Args, Result> {
  (...args: Args): Run<Result>;
}

/** Any task. */
export type AnyTask = Task<string, readonly unknown[], unknown>;

/** The arguments that callers of a task give. */
export type TaskArgs<T> = T extends Task<string, infer Args, unknown> ? Args : never;

/** What a run of a task resolves to. */
export type TaskResult<T> =
  T extends Task<string, readonly unknown[], infer Result> ? Result : never;

/** The signatures of `task` and of `app.task`, over what they return. */
export interface DefineTask<Bound extends 'free' | 'bound'> {
  <const Name extends string, Args extends unknown[], Result>(
    name: Name,
    handler: (...args: Args) => Result,
    options?: TaskOptions,
  ): Defined<Bound, Name, Args, Awaited<Result>>;
  <const Name extends string, N extends Needs, Args extends unknown[], Result>(
    name: Name,
    needs: N,
    handler: (needs: Resolved<N>, ...args: Args) => Result,
    options?: TaskOptions,
  ): Defined<Bound, Name, Args, Awaited<Result>>;
}

/** A task, or one that is bound to an app. */
export type Defined<
  Bound extends 'free' | 'bound',
  Name extends string,
  Args extends readonly unknown[],
  Result,
> = Bound extends 'bound' ? BoundTask<Name, Args, Result> : Task<Name, Args, Result>;

/** How often and when to try again, with all defaults filled in. */
export type RetryPolicy = Required<Omit<RetryOptions, 'when'>> & {
  readonly when: RetryOptions['when'] | undefined;
};

/** The inside of a task, for the app and the executor. */
export class TaskDefinition implements AnyTask {
  readonly [TASK]: TaskDefinition;
  readonly name: string;
  readonly needs: object | undefined;
  readonly handler: (...args: unknown[]) => unknown;
  readonly options: Readonly<TaskOptions>;
  readonly retry: RetryPolicy | undefined;

  constructor(
    name: string,
    needs: object | undefined,
    handler: (...args: unknown[]) => unknown,
    options: TaskOptions,
  ) {
    this[TASK] = this;
    this.name = name;
    this.needs = needs;
    this.handler = handler;
    this.options = Object.freeze({ ...options });
    this.retry = retryPolicy(options.retry);
    Object.freeze(this);
  }
}

function retryPolicy(retry: number | RetryOptions = 0): RetryPolicy | undefined {
  const given = typeof retry === 'number' ? { limit: retry } : retry;
  const { limit, delay = 200, factor = 2, maxDelay = 30_000, jitter = true, when } = given;
  return limit > 0 ? { limit, delay, factor, maxDelay, jitter, when } : undefined;
}

/** The definition behind a task or a bound task; `undefined` for anything else. */
export function definitionOf(value: unknown): TaskDefinition | undefined {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null)
    return undefined;
  return (value as { [TASK]?: TaskDefinition })[TASK];
}

/** Makes a callable of a task. */
export function bind(definition: TaskDefinition, run: (...args: unknown[]) => unknown): unknown {
  const { name, options } = definition;
  const callable = (...args: unknown[]): unknown => run(...args);
  // A function's own name is not writable, but it can be defined anew.
  Object.defineProperty(callable, 'name', { value: name });
  return Object.freeze(Object.assign(callable, { options, [TASK]: definition }));
}

const retryKinds = {
  limit: kinds.count,
  delay: kinds.duration,
  factor: ['a number, 1 or more', (value: unknown) => kinds.number[1](value) && Number(value) >= 1],
  maxDelay: kinds.duration,
  jitter: kinds.boolean,
  when: [
    'a function, or an array of error classes',
    (value: unknown) =>
      Array.isArray(value)
        ? value.every((item) => typeof item === 'function' && typeof item.prototype === 'object')
        : typeof value === 'function',
  ],
} as const;

const optionKinds = {
  timeout: kinds.limit,
  grace: kinds.duration,
  retry: [
    'a whole number, 0 or more, or an object { limit, delay, … }',
    (value: unknown) => kinds.count[1](value) || kinds.object[1](value),
  ],
  priority: kinds.number,
  tags: [
    'an array of strings',
    (value: unknown) => Array.isArray(value) && value.every((tag) => typeof tag === 'string'),
  ],
  description: kinds.string,
  meta: kinds.object,
} as const;

const nameKind = [
  'a non-empty string without ":"',
  (value: unknown) => typeof value === 'string' && value !== '' && !value.includes(':'),
] as const;

/** Checks the arguments of `task(…)` and makes the definition. */
export function define(args: readonly unknown[]): TaskDefinition {
  const [name] = args;
  check('task: the name', name, nameKind);
  const where = `task "${name}"`;
  const hasNeeds = typeof args[2] === 'function' || kinds.object[1](args[1]);
  const [needs, handler, options = {}] = hasNeeds ? args.slice(1) : [undefined, ...args.slice(1)];
  if (hasNeeds) check(`${where}: what stands before the handler`, needs, kinds.needs);
  check(`${where}: the handler`, handler, kinds.function);
  checkOptions(where, options, optionKinds);
  const { retry } = options as TaskOptions;
  if (typeof retry === 'object') {
    checkOptions(`${where}: retry`, retry, retryKinds);
    check(`${where}: option "retry.limit"`, retry.limit, kinds.count);
  }
  return new TaskDefinition(
    name as string,
    needs as object | undefined,
    handler as (...args: unknown[]) => unknown,
    options as TaskOptions,
  );
}

/**
 * Defines a task: a frozen value that any app can register, in a page, a worker or Node.
 *
 * The handler gets the resolved needs first, if there are any, and the caller's arguments after
 * them. The record of needs is read as the task is registered. A parameter with a default needs a
 * type of its own: `count: number = 1`.
 *
 * @param name non-empty, without `:`, unique in an app
 * @throws OPTION_INVALID
 */
export const task: DefineTask<'free'> = ((...args: unknown[]) =>
  define(args)) as unknown as DefineTask<'free'>;
