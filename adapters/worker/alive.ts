/**
 * How one side learns that the other is gone, whatever has ended it: the other holds a Web Lock as long as
 * it lives. Browsers tell nothing of a worker that is terminated or closes itself, or of a page that is
 * closed. Node tells by events, and has no Web Locks before version 24.5.
 */
import { acquire, lockManager } from '../shared/locks.js';

/** A lock that this realm holds until it ends, once somebody has asked for it. */
let held: Promise<string | undefined> | undefined;

/** Resolves to the name of the lock; to `undefined` where there are no Web Locks. */
export function holdAlive(): Promise<string | undefined> {
  held ??= hold();
  return held;
}

async function hold(): Promise<string | undefined> {
  const name = `qtasks-lite:alive:${Math.random().toString(36).slice(2)}`;
  const locks = lockManager();
  try {
    // Of an opaque origin, as a worker of a data: URL has it, there are no locks.
    if (!locks) return undefined;
    await acquire(locks, name, {});
    return name;
  } catch {
    return undefined;
  }
}

/** Calls back once who holds the lock is gone; returns what stops that. */
export function whenGone(name: string | undefined, tell: () => void): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  if (name !== undefined) {
    lockManager()
      ?.request(name, { signal }, () => (signal.aborted ? undefined : tell()))
      .catch(() => {});
  }
  return () => stop.abort();
}
