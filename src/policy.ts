/** How a task runs: its options, checked, and the retry policy that follows from them. */
import type { Middleware } from './middleware.js';
import { check, checkOptions, kinds } from './options.js';
import { isSchema } from './schema.js';
import type { Milliseconds, StandardSchema } from './types.js';

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
  /**
   * A number counts retries. Default 0. A cancelled run is never retried, nor one of which a value was
   * delivered to its reader, nor `INPUT_INVALID` and `OUTPUT_INVALID`.
   */
  readonly retry?: number | RetryOptions;
  /** Smaller runs first where runs wait for a slot; among equals the oldest. Default 0. */
  readonly priority?: number;
  /**
   * Attempts of a session's exclusive runs never overlap, wherever the app's storage reaches; without
   * one, in this app. Child runs (`ctx.run`) join their parent's hold. Default `false`.
   */
  readonly exclusive?: boolean;
  /** Around each attempt, inside the app's; the first is the outermost. */
  readonly middleware?: Middleware | readonly Middleware[];
  /** For your own tools; the library only shows this and the next two in `inspect()`. */
  readonly tags?: readonly string[];
  /** What the task does, for people. */
  readonly description?: string;
  /** Whatever else your tools need. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

/**
 * Options of a task with the schemas of its arguments and its result. The four types are what callers
 * give and the handler gets for it, what the handler returns and callers get for it.
 */
export interface SchemaTaskOptions<
  out Given = unknown,
  out Args = unknown,
  out Returned = unknown,
  out Result = unknown,
> extends TaskOptions {
  /**
   * What checks the arguments, as one array, before the first attempt; what it gives replaces them.
   * It may be asynchronous. What it refuses rejects the run with `INPUT_INVALID`.
   */
  readonly input?: StandardSchema<Given, Args>;
  /**
   * What checks the result before teardown, so that dependencies roll back what it refuses; what it
   * gives replaces it. It may be asynchronous. What it refuses is `OUTPUT_INVALID`. Where it names the
   * texts that it takes, a handler whose parameters all say their types has to return them `as const`.
   */
  readonly output?: StandardSchema<Returned, Result>;
}

/** How often and when to try again, with all defaults filled in. */
export type RetryPolicy = Required<Omit<RetryOptions, 'when'>> & {
  readonly when: RetryOptions['when'] | undefined;
};

/** Fills in the defaults; `undefined` for a task that is not retried. */
export function retryPolicy(retry: number | RetryOptions = 0): RetryPolicy | undefined {
  const given = typeof retry === 'number' ? { limit: retry } : retry;
  const { limit, delay = 200, factor = 2, maxDelay = 30_000, jitter = true, when } = given;
  return limit > 0 ? { limit, delay, factor, maxDelay, jitter, when } : undefined;
}

/** One or several middlewares, of an app or a task. */
export const middlewareKind = [
  'a function (run, next), or an array of them',
  (value: unknown) => [value].flat().every(kinds.function[1]),
] as const;

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

const schemaKind = ['a Standard Schema', isSchema] as const;

const optionKinds = {
  timeout: kinds.limit,
  grace: kinds.duration,
  retry: [
    'a whole number, 0 or more, or an object { limit, delay, … }',
    (value: unknown) => kinds.count[1](value) || kinds.object[1](value),
  ],
  priority: kinds.number,
  exclusive: kinds.boolean,
  input: schemaKind,
  output: schemaKind,
  middleware: middlewareKind,
  tags: [
    'an array of strings',
    (value: unknown) => Array.isArray(value) && value.every((tag) => typeof tag === 'string'),
  ],
  description: kinds.string,
  meta: kinds.object,
} as const;

/** Checks the options of a task. @throws OPTION_INVALID */
export function checkTaskOptions(
  where: string,
  options: unknown,
): asserts options is SchemaTaskOptions {
  checkOptions(where, options, optionKinds);
  const { retry } = options as TaskOptions;
  if (typeof retry !== 'object') return;
  checkOptions(`${where}: retry`, retry, retryKinds);
  check(`${where}: option "retry.limit"`, retry.limit, kinds.count);
}
