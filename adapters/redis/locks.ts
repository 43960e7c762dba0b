/** Locks in Redis: a queue of tokens, each of which counts for a while and is renewed by its owner. */
import type { LockPlace } from '../../src/storage.js';
import type { Milliseconds } from '../../src/types.js';
import type { Calls } from './calls.js';
import { lockKey } from './keys.js';
import { lock } from './scripts.js';
import { pause } from './transport.js';

/** How long a token counts after its owner is gone: a session's lock, and one of a state, held but briefly. */
const ttls = { session: 30_000, state: 5_000 };

/** A lock that is held. */
interface Hold {
  readonly token: string;
  timer?: ReturnType<typeof setTimeout>;
}

/** The locks of one adapter. */
export class Locks {
  readonly #calls: Calls;
  readonly #ttls: { readonly session: Milliseconds; readonly state: Milliseconds };
  readonly #held = new Map<string, Hold>();

  constructor(calls: Calls, times = ttls) {
    this.#calls = calls;
    this.#ttls = times;
  }

  /** The token of the lock with this key, if it is held here. */
  tokenOf(key: string): string {
    return this.#held.get(key)?.token ?? '';
  }

  /** @throws STORAGE_*; the signal's reason */
  async acquire(
    place: LockPlace,
    signal = new AbortController().signal,
  ): Promise<() => Promise<void>> {
    signal.throwIfAborted();
    const key = lockKey(place);
    const ttl = place.state === undefined ? this.#ttls.session : this.#ttls.state;
    const hold: Hold = { token: `${Math.random()}${Math.random()}` };
    let last: Promise<unknown> = Promise.resolve();
    // One after the other: what asks must not arrive after what gives back.
    const ask = (time: Milliseconds): Promise<unknown> => {
      const args = [hold.token, String(time)];
      // Whoever has asked is told of a failure; the next one asks all the same.
      last = last.catch(() => {}).then(() => this.#calls.run(lock, [key], args));
      return last;
    };
    try {
      await this.#wait(() => ask(ttl), signal);
    } catch (error) {
      // What was got nevertheless is given back; where that fails too, its time is over soon.
      ask(0).catch(() => {});
      throw error;
    }
    this.#held.set(key, hold);
    const isHeld = (): boolean => this.#held.get(key) === hold;
    const keep = (): void => {
      hold.timer = setTimeout(() => {
        const again = (): void => (isHeld() ? keep() : undefined);
        ask(ttl).then(again, again);
      }, ttl / 3);
      // Whoever holds it has work of its own, which keeps Node alive.
      (hold.timer as { unref?(): void }).unref?.();
    };
    keep();
    let isOver = false;
    return async () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(hold.timer);
      if (isHeld()) this.#held.delete(key);
      await ask(0);
    };
  }

  /** Asks until it is the first: the nearer and the newer, the more often. */
  async #wait(ask: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
    let stop = (): void => {};
    const aborted = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
      signal.addEventListener('abort', stop);
    });
    try {
      for (let waited = 0; ; ) {
        const place = Number(await Promise.race([ask(), aborted]));
        if (place === 1) return;
        const most = Math.min(500, place * 10 + waited / 8);
        const wait = most * (0.5 + Math.random() / 2);
        waited += wait;
        await pause(wait, signal);
        signal.throwIfAborted();
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Lets the timers go: what is still held counts until its time is over. */
  close(): void {
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }
}
