/** Whether a failed attempt is followed by another one, and when. */
import type { Clock } from './clock.js';
import { isQTasksError, QTasksError } from './errors.js';
import type { RetryPolicy } from './policy.js';
import { isStrayPromise } from './promises.js';
import type { Milliseconds } from './types.js';

/** @param report told of what the predicate throws: then nothing is retried */
export function isWorthRetry(
  { when }: RetryPolicy,
  error: unknown,
  report: (error: unknown) => void,
): boolean {
  if (isQTasksError(error, 'INPUT_INVALID') || isQTasksError(error, 'OUTPUT_INVALID')) return false;
  if (!when) return true;
  try {
    if (typeof when !== 'function') return when.some((type) => error instanceof type);
    const verdict: unknown = when(error);
    if (!isStrayPromise(verdict)) return Boolean(verdict);
    const message = 'retry.when must answer at once; it returned a promise, so nothing is retried';
    throw new QTasksError('OPTION_INVALID', message);
  } catch (thrown) {
    report(thrown);
    return false;
  }
}

/**
 * How long to wait before a retry, with full jitter: many that failed together do not come back together.
 * @param retry 1 for the first
 */
export function backoff(policy: RetryPolicy, retry: number, clock: Clock): Milliseconds {
  // Nothing, however often: 0 times Infinity would be no number.
  const delay = policy.delay && policy.delay * policy.factor ** (retry - 1);
  const longest = Math.min(policy.maxDelay, delay);
  return policy.jitter ? (clock.random?.() ?? Math.random()) * longest : longest;
}
