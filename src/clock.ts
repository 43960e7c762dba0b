/** Time as the library sees it, so that tests can drive it by hand. */
import type { EpochMs, Milliseconds } from './types.js';

/** Where an app takes the time and its timers from. */
export interface Clock {
  /** What the time is. */
  now(): EpochMs;
  /** Calls back once, not before the delay has passed. Returns a handle for `clearTimeout`. */
  setTimeout(callback: () => void, delay: Milliseconds): unknown;
  /** Takes a callback back that has not been called yet. */
  clearTimeout(handle: unknown): void;
  /** From 0 to 1: what part of a retry's longest delay it waits. Default `Math.random`. */
  random?(): number;
  /**
   * Calls back once everything that is going on now has happened: what nobody has looked at by then is
   * unhandled. Default: a bare `setTimeout` of 0.
   */
  atEndOfTurn?(callback: () => void): void;
}

/** Waits for something, but no longer; tells whether it was in time. What it rejects with is passed on. */
export async function atMost(
  duration: Milliseconds,
  awaited: unknown,
  clock: Clock,
): Promise<boolean> {
  let timer: unknown;
  const late = new Promise<false>((resolve) => {
    timer = clock.setTimeout(() => resolve(false), duration);
  });
  try {
    return await Promise.race([Promise.resolve(awaited).then(() => true), late]);
  } finally {
    clock.clearTimeout(timer);
  }
}

/** The longest delay that timers of browsers and Node keep: 2^31 - 1, near 25 days. */
const longest = 2_147_483_647;

/** The runtime's own time. Delays past 25 days are kept, where a bare `setTimeout` fires at once. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout(callback, delay) {
    const timer: { handle?: ReturnType<typeof setTimeout> } = {};
    const wait = (left: Milliseconds): void => {
      timer.handle = setTimeout(
        () => (left > longest ? wait(left - longest) : callback()),
        Math.min(left, longest),
      );
    };
    if (delay !== Number.POSITIVE_INFINITY) wait(delay);
    return timer;
  },
  clearTimeout(timer) {
    clearTimeout((timer as { handle?: ReturnType<typeof setTimeout> }).handle);
  },
};
