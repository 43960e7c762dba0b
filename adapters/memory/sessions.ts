/** The sessions that are kept: all of them, or within bounds. */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../src/clock.js';
import type { BucketId } from '../../src/storage.js';
import type { EpochMs, Milliseconds } from '../../src/types.js';
import type { Sequences } from '../shared/sequences.js';

/** One state of one session. It has a session while it has fields. */
export interface Bucket {
  readonly id: BucketId;
  readonly fields: Map<string, string>;
  readonly sequences: Sequences;
  revision: string;
  expiresAt: EpochMs;
  home?: Session;
}

/** A session that has buckets. */
export interface Session {
  readonly key: string;
  readonly app: string;
  readonly session: string;
  readonly buckets: Map<string, Bucket>;
}

/** Sessions by their keys. */
export interface Sessions {
  /** Finds a session for somebody who uses it. */
  use(key: string): Session | undefined;
  /** Finds a session for somebody who only looks: it grows no younger by it. */
  peek(key: string): Session | undefined;
  /** May contain some that are over. */
  all(): Session[];
  add(session: Session): void;
  delete(key: string): void;
  /** Drops some of what is over the bounds; to be called now and then. Costs the same always. */
  tend(): void;
}

/** Keeps every session. */
export class AllSessions implements Sessions {
  readonly #sessions = new Map<string, Session>();

  use(key: string): Session | undefined {
    return this.#sessions.get(key);
  }

  peek(key: string): Session | undefined {
    return this.#sessions.get(key);
  }

  all(): Session[] {
    return [...this.#sessions.values()];
  }

  add(session: Session): void {
    this.#sessions.set(session.key, session);
  }

  delete(key: string): void {
    this.#sessions.delete(key);
  }

  tend(): void {}
}

/** What {@link BoundedSessions} are bounded by; one of the two at least. */
export interface Bounds {
  readonly maxSessions: number | undefined;
  readonly ttl: Milliseconds | undefined;
}

/** Keeps so many sessions, or so long after their last use. */
export class BoundedSessions implements Sessions {
  readonly #cache: LRUCache<string, Session>;
  readonly #hasTtl: boolean;

  constructor({ maxSessions, ttl }: Bounds, clock: Clock, dropped: (session: Session) => void) {
    const start = clock.now();
    this.#hasTtl = ttl !== undefined;
    this.#cache = new LRUCache<string, Session>({
      // Not `max`, which would allocate that many places at once.
      maxSize: maxSessions ?? Number.MAX_SAFE_INTEGER,
      sizeCalculation: () => 1,
      // lru-cache takes whole milliseconds only.
      ttl: Math.ceil(ttl ?? 0),
      ttlResolution: 0,
      updateAgeOnGet: true,
      // For `rkeys()` alone, which would pass over those that are over.
      allowStale: true,
      // lru-cache takes a start at 0 for none at all, and never lets such an entry go.
      perf: { now: () => clock.now() - start + 1 },
      dispose(session, _key, reason) {
        if (reason === 'evict' || reason === 'expire') dropped(session);
      },
    });
  }

  use(key: string): Session | undefined {
    return this.#cache.get(key, { allowStale: false });
  }

  peek(key: string): Session | undefined {
    return this.#cache.peek(key, { allowStale: false });
  }

  all(): Session[] {
    return [...this.#cache.values()];
  }

  add(session: Session): void {
    this.#cache.set(session.key, session);
  }

  delete(key: string): void {
    this.#cache.delete(key);
  }

  /** Who was used longest ago is over first, so a look at the last two is enough. */
  tend(): void {
    if (!this.#hasTtl) return;
    let looks = 0;
    for (const key of this.#cache.rkeys()) {
      // A `get` of what is over drops it as such; of any other it would be a use.
      if (++looks > 2 || this.#cache.has(key)) return;
      this.#cache.get(key);
    }
  }
}
