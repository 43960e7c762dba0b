/**
 * How one side learns that the other is gone, whatever has ended it: the other holds a Web Lock as long as
 * it lives. Browsers tell nothing of a worker that is terminated or closes itself, or of a page that is
 * closed. Node tells by events, and has no Web Locks before version 24.5.
 */
import { lockManager } from '../shared/locks.js';

/** A lock that this realm holds, once somebody has asked for it, until it ends or loses it. */
let held: Promise<string | undefined> | undefined;

/** Resolves to the name of the lock; to `undefined` where there are no Web Locks. */
export function holdAlive(): Promise<string | undefined> {
  held ??= hold();
  return held;
}

function hold(): Promise<string | undefined> {
  const locks = lockManager();
  if (!locks) return Promise.resolve(undefined);
  const name = `qtasks-lite:alive:${Math.random().toString(36).slice(2)}`;
  return new Promise((resolve) => {
    const holding = locks.request(name, () => {
      resolve(name);
      return new Promise<void>(() => {});
    });
    // Of an opaque origin, as a worker of a data: URL has it, there are no locks; and who has one may lose it,
    // as a page does that a browser keeps for later.
    holding.catch(() => {
      held = undefined;
      resolve(undefined);
    });
  });
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
