/** Failures that nobody has looked at: each must be seen exactly once. */
import type { Clock } from './clock.js';

/**
 * Where nobody has looked at a failure by the end of this turn, tells of it, or leaves it to the runtime as
 * an unhandled rejection.
 * @param tell whether somebody listens who has been told
 */
export function surfaceLater(
  run: { readonly observed: boolean },
  error: unknown,
  clock: Clock,
  tell: () => boolean,
): void {
  const surface = (): void => {
    if (!run.observed && !tell()) void Promise.reject(error);
  };
  if (clock.atEndOfTurn) clock.atEndOfTurn(surface);
  else setTimeout(surface, 0);
}
