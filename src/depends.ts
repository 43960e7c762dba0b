/** `Depends`: describes a resource that tasks need, how it is opened and how long it lives. */
import type { Context } from './context.js';
import type { InstantNeedSource } from './need.js';
import { check, checkOptions, kinds } from './options.js';
import { rankOf, type Scope } from './scopes.js';
import type { Milliseconds } from './types.js';

declare const VALUE: unique symbol;
const DEPENDENCY = Symbol.for('qtasks-lite.dependency');

/** What `Depends(…)` returns: a frozen description that opens nothing by itself. */
export interface Dependency<out Value, out Life extends Scope = Scope> {
  readonly scope: Life;
  /** Only there for the compiler: what a task gets injected. */
  readonly [VALUE]?: Value;
}

/** A state class as a need: it has an id of its own. */
export interface StateNeed extends InstantNeedSource {
  readonly prototype: object;
  readonly id: string;
}

/** The `Context` token as a need. */
export interface ContextNeed extends InstantNeedSource {
  readonly prototype: Context;
}

/** Anything that can stand in a task's `needs`. */
export type Need = Dependency<unknown> | StateNeed | ContextNeed;

/** Anything that a dependency with this life can need: only what lives at least as long. */
export type NeedWithin<Life extends Scope> = Life extends 'task'
  ? Need
  : Life extends 'session'
    ? Dependency<unknown, 'session' | 'worker' | 'storage'> | StateNeed
    : Life extends 'worker'
      ? Dependency<unknown, 'worker' | 'storage'>
      : Dependency<unknown, 'storage'>;

/** A record of needs by the names under which they are injected. */
export type Needs<N extends Need = Need> = Readonly<Record<string, N>>;

/** What a need is injected as. */
export type NeedValue<N> =
  N extends Dependency<infer Value>
    ? Value
    : N extends { readonly prototype: infer Value }
      ? Value
      : never;

/** A record of needs as the handler gets it. */
export type Resolved<N> = N extends infer All
  ? { readonly [Key in keyof All]: NeedValue<All[Key]> }
  : never;

/** What an `open` function with this result injects: what it yields, else what it returns. */
export type OpenedValue<Result> =
  Result extends AsyncGenerator<infer Value, unknown, never>
    ? Value
    : Result extends Generator<infer Value, unknown, never>
      ? Awaited<Value>
      : Awaited<Result>;

/** Options of `Depends`. */
export interface DependsOptions<Life extends Scope = Scope> {
  /** How long an opened value lives. Default `"task"`. */
  readonly scope?: Life;
  /** `false` gives every place that names it a value of its own. Default `true`. */
  readonly cache?: boolean;
  /** How long opening may take; then it fails with `TASK_TIMEOUT`. Default: as long as it takes. */
  readonly timeout?: Milliseconds;
  /** How long closing may take; then it is reported and the rest closes. Default: as long as it takes. */
  readonly closeTimeout?: Milliseconds;
}

/** Something that `Depends.using` disposes at the end; `null` and `undefined` need nothing. */
export type Disposing = AsyncDisposable | Disposable | null | undefined;

/** The signatures of `Depends` and `Depends.using`, over what `open` may return. */
export interface Declare<Allowed> {
  <Result extends Allowed, Life extends Scope = 'task'>(
    open: () => Result,
    options?: DependsOptions<Life>,
  ): Dependency<OpenedValue<Result>, Life>;
  <N extends Needs<NeedWithin<Life>>, Result extends Allowed, Life extends Scope = 'task'>(
    needs: N,
    open: (needs: Resolved<N>) => Result,
    options?: DependsOptions<Life>,
  ): Dependency<OpenedValue<Result>, Life>;
}

/** {@link Depends} as a function with its one method. */
export interface DependsFunction extends Declare<unknown> {
  /**
   * Like `Depends`, for a function whose result is disposed at the end, by `Symbol.asyncDispose`
   * if it has that, else by `Symbol.dispose`.
   * @throws OPTION_INVALID
   */
  readonly using: Declare<Disposing | PromiseLike<Disposing>>;
}

const generatorFunction = /GeneratorFunction]$/;

/** The inside of a dependency, for the plan and the resolver. */
export class DependencyDefinition {
  static #count = 0;
  static readonly #copy: string = Math.random().toString(36).slice(2);
  readonly [DEPENDENCY] = true;
  /** Tells dependencies apart in keys, also those of another copy of the library. */
  readonly uid: string = `${DependencyDefinition.#copy}-${++DependencyDefinition.#count}`;
  readonly needs: object | undefined;
  readonly open: (needs?: unknown) => unknown;
  /** A native one: what it returns need not be looked at. */
  readonly isGeneratorFunction: boolean;
  readonly disposes: boolean;
  readonly scope: Scope;
  readonly cache: boolean;
  readonly timeout: Milliseconds | undefined;
  readonly closeTimeout: Milliseconds | undefined;

  constructor(
    needs: object | undefined,
    open: (needs?: unknown) => unknown,
    disposes: boolean,
    options: { readonly [Name in keyof DependsOptions]: DependsOptions[Name] | undefined },
  ) {
    this.needs = needs;
    this.open = open;
    this.isGeneratorFunction = generatorFunction.test(Object.prototype.toString.call(open));
    this.disposes = disposes;
    this.scope = options.scope ?? 'task';
    this.cache = options.cache ?? true;
    this.timeout = options.timeout;
    this.closeTimeout = options.closeTimeout;
    Object.freeze(this);
  }
}

/** Tells a dependency from everything else, also one of another copy of the library. */
export function isDependency(value: unknown): value is DependencyDefinition {
  return typeof value === 'object' && value !== null && DEPENDENCY in value;
}

const optionKinds = {
  scope: [
    `one of ${Object.keys(rankOf).join(', ')}`,
    (value: unknown) => typeof value === 'string' && Object.hasOwn(rankOf, value),
  ],
  cache: kinds.boolean,
  timeout: kinds.limit,
  closeTimeout: kinds.limit,
} as const;

function define(where: string, disposes: boolean, args: readonly unknown[]): DependencyDefinition {
  const hasNeeds =
    typeof args[0] !== 'function' && (typeof args[1] === 'function' || kinds.object[1](args[0]));
  const [needs, open, options = {}] = hasNeeds ? args : [undefined, ...args];
  if (hasNeeds) check(`${where}: what stands before the function`, needs, kinds.needs);
  check(`${where}: open`, open, kinds.function);
  checkOptions(where, options, optionKinds);
  return new DependencyDefinition(
    needs as object | undefined,
    open as (needs?: unknown) => unknown,
    disposes,
    options as DependsOptions,
  );
}

/**
 * Describes a resource: opened when a task that needs it runs, closed when its scope ends.
 *
 * `open` may be a plain or async function, whose result is never disposed, or a sync or async
 * generator: what it yields is injected, what stands after the `yield` runs at the end. After a
 * failure the error is thrown at the `yield`, so that `catch` can roll back; it stays the run's
 * error even if the generator swallows it. With `needs`, `open` gets them resolved. The record is
 * read when a task that uses the dependency is registered.
 *
 * @throws OPTION_INVALID
 * @example
 * const pool = Depends(async function* () {
 *   const pool = await createPool();
 *   yield pool;
 *   await pool.end();
 * }, { scope: 'worker' });
 *
 * const transaction = Depends({ pool }, async function* ({ pool }) {
 *   const connection = await pool.begin();
 *   try {
 *     yield connection;
 *     await connection.commit();
 *   } catch (error) {
 *     await connection.rollback();
 *     throw error;
 *   }
 * });
 */
export const Depends: DependsFunction = /* @__PURE__ */ Object.assign(
  (...args: unknown[]) => define('Depends', false, args),
  { using: (...args: unknown[]) => define('Depends.using', true, args) },
) as unknown as DependsFunction;
