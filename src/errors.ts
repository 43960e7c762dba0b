/** The one error class of the library and its guard; everything that rejects or throws uses it. */

import type { SchemaIssue } from './types.js';

/** What went wrong, as a stable literal. docs/errors.md has the cause and the way out of each. */
export type ErrorCode =
  | 'TASK_UNKNOWN'
  | 'TASK_DUPLICATE'
  | 'TASK_TIMEOUT'
  | 'TASK_CANCELLED'
  | 'INPUT_INVALID'
  | 'OUTPUT_INVALID'
  | 'DEPENDENCY_INVALID'
  | 'DEPENDENCY_CYCLE'
  | 'DEPENDENCY_SCOPE'
  | 'CLEANUP_FAILED'
  | 'STATE_INVALID'
  | 'STATE_DUPLICATE'
  | 'STORAGE_MISSING'
  | 'STORAGE_UNAVAILABLE'
  | 'STORAGE_QUOTA'
  | 'STORAGE_CORRUPT'
  | 'STORAGE_CONFLICT'
  | 'STORAGE_UNKNOWN_OUTCOME'
  | 'STORAGE_UNAUTHORIZED'
  | 'VALUE_UNSUPPORTED'
  | 'WORKER_LOAD_FAILED'
  | 'WORKER_LOST'
  | 'APP_CLOSED'
  | 'OPTION_INVALID';

/** The fields of `data` that a code always brings. */
export interface ErrorData {
  /** `errors`: every teardown error, in order; `value`: what the handler had returned. */
  CLEANUP_FAILED: { readonly errors: readonly unknown[]; readonly value: unknown };
  /** `issues`: what the task's `input` found wrong, each with its path in the array of arguments. */
  INPUT_INVALID: { readonly issues: readonly SchemaIssue[] };
  /** `issues`: what the task's `output` found wrong. */
  OUTPUT_INVALID: { readonly issues: readonly SchemaIssue[] };
  /**
   * `path`: where in the value, of a state from the field on, like `["cart", "items", 3, "price"]`; on
   * the way to a worker or back from `args`, `result`, `yield`, `error` or `transfer` on.
   */
  VALUE_UNSUPPORTED: { readonly path: readonly (string | number)[] };
}

/** `data` of an error with this code: what {@link ErrorData} lists, or whatever helps to find the cause. */
export type ErrorDataOf<Code extends ErrorCode> = Code extends keyof ErrorData
  ? ErrorData[Code]
  : Readonly<Record<string, unknown>>;

/** What {@link QTasksError} takes beside code and message. */
export interface QTasksErrorOptions<Code extends ErrorCode = ErrorCode> {
  /** The error behind this one, kept as it is. */
  readonly cause?: unknown;
  /** Details for programs; never a stored value, a token or a whole command. */
  readonly data?: ErrorDataOf<Code>;
}

/** Every failure that the library itself reports; a handler's own errors are passed on as they are. */
export class QTasksError<Code extends ErrorCode = ErrorCode> extends Error {
  /** What went wrong; branch on this, not on the message. */
  readonly code: Code;
  /** Details for programs; `{}` where there are none. */
  readonly data: ErrorDataOf<Code>;

  constructor(code: Code, message: string, options: QTasksErrorOptions<Code> = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.data = options.data ?? ({} as ErrorDataOf<Code>);
  }
}

// On the prototype, as built-in errors have it; a minifier would rename the class itself.
Object.defineProperty(QTasksError.prototype, 'name', {
  value: 'QTasksError',
  configurable: true,
  writable: true,
});

/** What a storage adapter threw: as it is where it names a `STORAGE_*` code, else as the cause of one. */
export function storageError(error: unknown, message: string): unknown {
  if (isQTasksError(error) && error.code.startsWith('STORAGE_')) return error;
  return new QTasksError('STORAGE_UNAVAILABLE', message, { cause: error });
}

/**
 * Tells whether something is an error of this library, with this code if one is given.
 *
 * It looks at `name` and `code`, not at the class, so it also knows errors of another copy of the
 * library, another realm or another thread.
 */
export function isQTasksError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is QTasksError<Code> {
  if (typeof error !== 'object' || error === null) return false;
  try {
    const { name, code: actual } = error as { name?: unknown; code?: unknown };
    if (name !== 'QTasksError') return false;
    return code === undefined ? typeof actual === 'string' : actual === code;
  } catch {
    // A revoked proxy, or a getter that throws: none of ours.
    return false;
  }
}
