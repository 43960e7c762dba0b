/** The buckets of a memory storage: found, placed, expired and buried. */
import type { Clock } from '../../src/clock.js';
import type { BucketId } from '../../src/storage.js';
import type { Milliseconds } from '../../src/types.js';
import { bucketKey, sessionKey } from '../shared/keys.js';
import type { Sequences } from '../shared/sequences.js';
import { Graves } from './graves.js';
import {
  AllSessions,
  BoundedSessions,
  type Bounds,
  type Bucket,
  type Session,
  type Sessions,
} from './sessions.js';

/** All buckets that have fields, and the sequences of those that had some not long ago. */
export class Buckets {
  readonly #clock: Clock;
  readonly #sessions: Sessions;
  readonly #graves: Graves;
  /** Those that will expire, and how far the search for those that have has come. */
  readonly #mortal = new Set<Bucket>();
  #search = this.#mortal.values();

  /** @param evicted told of each session that the bounds drop while something in it is alive */
  constructor(clock: Clock, bounds: Bounds, evicted: (session: Session) => void) {
    this.#clock = clock;
    this.#graves = new Graves(clock);
    const dropped = (session: Session): void => {
      if (this.#buryAll(session)) evicted(session);
    };
    const isBounded = bounds.maxSessions !== undefined || bounds.ttl !== undefined;
    this.#sessions = isBounded ? new BoundedSessions(bounds, clock, dropped) : new AllSessions();
  }

  /** The bucket, unless it is absent or has expired: then its place is free. */
  find(id: BucketId): Bucket | undefined {
    const bucket = this.#sessions.use(sessionKey(id))?.buckets.get(id.state);
    if (!bucket || this.#isAlive(bucket)) return bucket;
    this.bury(bucket);
    return undefined;
  }

  /** A bucket without fields and without a place; it knows what its writers have sent. */
  create(id: BucketId): Bucket {
    const sequences: Sequences = this.sequencesOf(id) ?? new Map();
    return { id: lasting(id), fields: new Map(), sequences, revision: '', expiresAt: Infinity };
  }

  /** What the writers of a bucket that is gone have sent. */
  sequencesOf(id: BucketId): Sequences | undefined {
    return this.#graves.isEmpty ? undefined : this.#graves.find(bucketKey(id));
  }

  expire(bucket: Bucket, ttl: Milliseconds | null): void {
    bucket.expiresAt = ttl === null ? Infinity : this.#clock.now() + ttl;
    if (bucket.expiresAt === Infinity) this.#mortal.delete(bucket);
    else this.#mortal.add(bucket);
  }

  /** Gives a bucket a place, unless it has one. */
  place(bucket: Bucket): void {
    if (bucket.home) return;
    const key = sessionKey(bucket.id);
    let home = this.#sessions.use(key);
    if (!home) {
      const { app, session } = bucket.id;
      home = { key, app, session, buckets: new Map() };
      this.#sessions.add(home);
    }
    home.buckets.set(bucket.id.state, bucket);
    bucket.home = home;
  }

  /** Drops a bucket, if it has a place, and keeps what its writers have sent. */
  bury(bucket: Bucket): void {
    const { id, home, sequences } = bucket;
    this.#mortal.delete(bucket);
    this.#graves.bury(bucketKey(id), sequences);
    if (!home) return;
    home.buckets.delete(id.state);
    if (home.buckets.size === 0) this.#sessions.delete(home.key);
  }

  /** Drops some of what is over. Each commit does it, so all of it goes and none pays for all. */
  tend(): void {
    this.#sessions.tend();
    if (this.#mortal.size === 0) return;
    for (let looks = 0; looks < 2; looks++) {
      const { done, value } = this.#search.next();
      if (done) this.#search = this.#mortal.values();
      else if (!this.#isAlive(value)) this.bury(value);
    }
  }

  /** The ids of an app or a session; later changes of the storage do not change the list. */
  list(app: string, session: string | undefined): BucketId[] {
    const homes =
      session === undefined
        ? this.#sessions.all().filter((home) => home.app === app)
        : [this.#sessions.peek(sessionKey({ app, session, state: '' }))];
    return homes.flatMap((home) => [...(home?.buckets.values() ?? [])].map(({ id }) => id));
  }

  /** Whether there is such a bucket; to ask is no use of its session. */
  has(id: BucketId): boolean {
    const bucket = this.#sessions.peek(sessionKey(id))?.buckets.get(id.state);
    return bucket !== undefined && this.#isAlive(bucket);
  }

  #isAlive({ expiresAt }: Bucket): boolean {
    return expiresAt === Infinity || expiresAt > this.#clock.now();
  }

  /** Does for a session that is dropped what {@link bury} does, and tells whether anything was alive. */
  #buryAll({ buckets }: Session): boolean {
    let hasAlive = false;
    for (const bucket of buckets.values()) {
      hasAlive ||= this.#isAlive(bucket);
      this.#mortal.delete(bucket);
      this.#graves.bury(bucketKey(bucket.id), bucket.sequences);
    }
    return hasAlive;
  }
}

/** An id that nobody changes while the bucket is there, and that `list` can give away. */
const lasting = (id: BucketId): BucketId =>
  Object.isFrozen(id) ? id : Object.freeze({ app: id.app, session: id.session, state: id.state });
