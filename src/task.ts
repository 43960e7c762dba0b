/** `task`: a step of work as a value that knows no app and no runtime. */
import type { Needs, Resolved } from './depends.js';
import type { Middleware } from './middleware.js';
import { check, kinds } from './options.js';
import {
  checkTaskOptions,
  type RetryPolicy,
  retryPolicy,
  type SchemaTaskOptions,
} from './policy.js';
import type { AnyTask, BoundTask, Task } from './signature.js';

const TASK = Symbol.for('qtasks-lite.task');

/** What a handler may return, where its task has an `output` that takes this. */
export type HandlerReturn<Taken> =
  | Taken
  | Promise<Taken>
  | PromiseLike<Taken>
  | Generator<unknown, Taken | PromiseLike<Taken>, undefined>
  | AsyncGenerator<unknown, Taken, undefined>;

/** The arguments that callers give: anything, where a schema takes anything. */
export type CallerArgs<Given> = Given extends readonly unknown[] ? Given : unknown[];

/** The arguments that a handler gets after its needs. */
export type ArgsAfterNeeds<Handler> = Handler extends (needs: never, ...args: infer Args) => unknown
  ? Args
  : never;

/** The result of a handler that returns this: of a generator what it returns, else what it resolves to. */
export type ResultOf<Returned> =
  Returned extends AsyncGenerator<unknown, infer Result, never>
    ? Result
    : Returned extends Generator<unknown, infer Result, never>
      ? Awaited<Result>
      : Awaited<Returned>;

/** What a handler that returns this streams: nothing, unless it is a generator. */
export type YieldOf<Returned> =
  Returned extends AsyncGenerator<infer Yield, unknown, never>
    ? Yield
    : Returned extends Generator<infer Yield, unknown, never>
      ? Awaited<Yield>
      : never;

/**
 * The signatures of `task` and of `app.task`, over what they return.
 *
 * The handler is inferred as a whole: only so it may ignore some of what `input` gives, and only so a
 * text that it returns is one of those that `output` names.
 */
export interface DefineTask<Bound extends 'free' | 'bound'> {
  <
    const Name extends string,
    Handler extends (...args: Args) => HandlerReturn<Taken>,
    Given = Parameters<Handler>,
    Args extends readonly unknown[] = never[],
    Taken = unknown,
    Result = ResultOf<ReturnType<Handler>>,
  >(
    name: Name,
    handler: Handler,
    options?: SchemaTaskOptions<Given, Args, Taken, Result>,
  ): Defined<Bound, Name, CallerArgs<Given>, Result, YieldOf<ReturnType<Handler>>>;
  <
    const Name extends string,
    N extends Needs,
    Handler extends (needs: Resolved<N>, ...args: Args) => HandlerReturn<Taken>,
    Given = ArgsAfterNeeds<Handler>,
    Args extends readonly unknown[] = never[],
    Taken = unknown,
    Result = ResultOf<ReturnType<Handler>>,
  >(
    name: Name,
    needs: N,
    handler: Handler,
    options?: SchemaTaskOptions<Given, Args, Taken, Result>,
  ): Defined<Bound, Name, CallerArgs<Given>, Result, YieldOf<ReturnType<Handler>>>;
}

/** A task, or one that is bound to an app. */
export type Defined<
  Bound extends 'free' | 'bound',
  Name extends string,
  Args extends readonly unknown[],
  Result,
  Yield,
> = Bound extends 'bound' ? BoundTask<Name, Args, Result, Yield> : Task<Name, Args, Result, Yield>;

/** The inside of a task, for the app and the executor. */
export class TaskDefinition implements AnyTask {
  readonly [TASK]: TaskDefinition;
  readonly name: string;
  readonly needs: object | undefined;
  readonly handler: (...args: unknown[]) => unknown;
  readonly options: Readonly<SchemaTaskOptions>;
  readonly retry: RetryPolicy | undefined;
  readonly middleware: readonly Middleware[];

  constructor(
    name: string,
    needs: object | undefined,
    handler: (...args: unknown[]) => unknown,
    options: SchemaTaskOptions,
  ) {
    this[TASK] = this;
    this.name = name;
    this.needs = needs;
    this.handler = handler;
    this.options = Object.freeze({ ...options });
    this.retry = retryPolicy(options.retry);
    this.middleware = Object.freeze([options.middleware ?? []].flat());
    Object.freeze(this);
  }
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
  checkTaskOptions(where, options);
  return new TaskDefinition(
    name as string,
    needs as object | undefined,
    handler as (...args: unknown[]) => unknown,
    options,
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
 * @example
 * const add = task('add', (a: number, b: number) => a + b);
 * const pay = task('pay', { cart: Cart, bank }, async ({ cart, bank }, card: string) => {
 *   const { total = 0 } = await cart.getAll();
 *   return bank.charge(card, total);
 * }, { exclusive: true, timeout: 10_000 });
 */
export const task: DefineTask<'free'> = ((...args: unknown[]) =>
  define(args)) as unknown as DefineTask<'free'>;
