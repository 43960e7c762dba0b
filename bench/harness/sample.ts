/** Takes the time of calls. */

import type { Case } from './measure.js';
import { isPage } from './runtime.js';

/** A sample of so many nanoseconds is far above what the clock can tell apart: 5 µs in a page, 1 µs in Node. */
const least = isPage ? 2e6 : 1e6;
/** What takes so long with fewer calls needs no more of them. */
const enough = 1e7;

/** How many calls a sample shall have, by the time that one of them took. */
export function reasonable(calls: number, nanoseconds: number): number {
  const needed = Math.ceil(least / Math.max(nanoseconds, 1));
  const affordable = Math.max(1, Math.ceil(enough / nanoseconds));
  return Math.max(Math.min(calls, affordable), needed);
}

/** What went before left other code and data in the processor's caches. */
export const warmupOf = (calls: number): number => (calls < 5 ? 0 : Math.ceil(calls / 5));

/** The time of one call. */
export interface Sample {
  readonly nanoseconds: number;
  /** What the last call gave. */
  readonly last: unknown;
}

/** Runs the calls, and some before them that are not timed. */
export async function sample(
  one: Pick<Case, 'call' | 'waits' | 'prepare'>,
  calls: number,
  sync: boolean,
): Promise<Sample> {
  const { call, waits } = one;
  one.prepare?.(calls + warmupOf(calls));
  for (let index = warmupOf(calls); index > 0; index--) await call();
  collectYoung();
  let last: unknown;
  const start = used(waits);
  if (sync) for (let index = 0; index < calls; index++) last = call();
  else for (let index = 0; index < calls; index++) last = await call();
  return { nanoseconds: (used(waits) - start) / calls, last };
}

/**
 * Nanoseconds: in Node of the processor, as nobody waits for anything else there but other threads, and
 * others may have it meanwhile; in a page of the clock, as most of what happens does so in other processes.
 */
function used(waits = false): number {
  if (isPage || waits) return performance.now() * 1e6;
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** So that nobody pays for what another one left behind. */
function collectYoung(): void {
  const collect = globalThis.gc as ((options?: { type: 'minor' }) => void) | undefined;
  collect?.({ type: 'minor' });
}
