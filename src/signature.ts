/** A task as its callers see it: its name, what it takes, what it yields and what it returns. */
import type { SchemaTaskOptions } from './policy.js';
import type { Run } from './run.js';

declare const TYPES: unique symbol;

/** A task: a frozen value. Register it with an app by `tasks` or make it with `app.task`. */
export interface Task<
  out Name extends string,
  out Args extends readonly unknown[],
  out Result,
  out Yield = never,
> {
  /** What it is run by. */
  readonly name: Name;
  /** Those it was defined with. */
  readonly options: Readonly<SchemaTaskOptions>;
  /** Only there for the compiler. */
  readonly [TYPES]?: { readonly args: Args; readonly result: Result; readonly yield: Yield };
}

/** A task of an app: called, it runs there in the default session. */
export interface BoundTask<
  Name extends string,
  Args extends readonly unknown[],
  Result,
  Yield = never,
> extends Task<Name, Args, Result, Yield> {
  (...args: Args): Run<Result, Yield>;
}

/** Any task. */
export type AnyTask = Task<string, readonly unknown[], unknown, unknown>;

/** The arguments that callers of a task give. */
export type TaskArgs<T> = T extends Task<string, infer Args, unknown, unknown> ? Args : never;

/** What a run of a task resolves to. */
export type TaskResult<T> =
  T extends Task<string, readonly unknown[], infer Result, unknown> ? Result : never;

/** What a run of a task streams to who iterates it. */
export type TaskYield<T> =
  T extends Task<string, readonly unknown[], unknown, infer Yield> ? Yield : never;
