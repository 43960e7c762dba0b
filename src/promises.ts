/** Small facts about promises and objects that every layer needs alike. */

/** Tells whether something can be awaited. A user's own promise may be any thenable. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Tells whether something is a promise where none is wanted; what it rejects with is of no interest. */
export function isStrayPromise(value: unknown): boolean {
  if (!isThenable(value)) return false;
  value.then(undefined, () => {});
  return true;
}

/** Calls a listener; what it throws or rejects with is reported, not passed on. */
export function callGuarded<Event>(
  listener: (event: Event) => unknown,
  event: Event,
  report: (error: unknown) => void,
): void {
  try {
    const result = listener(event);
    if (isThenable(result)) result.then(undefined, report);
  } catch (error) {
    report(error);
  }
}

/**
 * Lets the event loop have its turn, so that timers and clicks come through. Timers would do, but in a
 * hidden page they fire once a second, or once a minute.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Makes what a call throws at once a rejection, without a promise between the caller and the call's. */
export function attempt<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  }
}
