/** A caller's signal that counts its listeners. */

export interface CallerSignal {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** How many listeners are on it. */
  readonly listeners: number;
}

export function callerSignal(): CallerSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const { addEventListener, removeEventListener } = signal;
  let listeners = 0;
  const count =
    (by: number, method: typeof addEventListener) =>
    (...args: Parameters<typeof addEventListener>): void => {
      listeners += by;
      method.apply(signal, args);
    };
  Object.defineProperties(signal, {
    addEventListener: { value: count(1, addEventListener) },
    removeEventListener: { value: count(-1, removeEventListener) },
  });
  return {
    signal,
    abort: (reason) => controller.abort(reason),
    get listeners() {
      return listeners;
    },
  };
}
