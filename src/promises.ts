/** Small facts about promises and objects that every layer needs alike. */

/** Tells whether something can be awaited. A user's own promise may be any thenable. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
