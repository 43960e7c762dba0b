/** The commits that one transaction makes, all of them or none. */
import { promisifyRequest } from 'idb-keyval';
import { isQTasksError } from '../../src/errors.js';
import type { BucketId, Commit, CommitResult, Revision } from '../../src/storage.js';
import type { EpochMs } from '../../src/types.js';
import { bucketKey } from '../shared/keys.js';
import type { Notice } from '../shared/notices.js';
import { apply, verdict } from '../shared/record.js';
import { changeOf } from '../shared/watchers.js';
import type { KnownRecords } from './known.js';
import {
  onlyRecord,
  putRecord,
  type Row,
  recordOf,
  rowOf,
  save,
  unpack,
  valuesOf,
} from './rows.js';

/** One commit that waits. */
export interface Pending {
  readonly id: BucketId;
  readonly commit: Commit;
  /** Dropped once it is too late for it. */
  signal: AbortSignal | undefined;
  isAnswered: boolean;
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

/** What a transaction works with. */
interface Work {
  readonly store: IDBObjectStore;
  readonly now: EpochMs;
  readonly nextRevision: () => Revision;
  readonly known: KnownRecords;
  /** Why it has failed before. */
  readonly earlier: unknown;
}

/** A bucket that commits of the group are for. */
interface Place {
  readonly id: BucketId;
  readonly key: string;
  row: Row | undefined;
  /** Whether the row is to be written. */
  isChanged: boolean;
  /** Its record as this transaction has written it. */
  record: string | undefined;
}

interface Answer {
  readonly pending: Pending;
  readonly place: Place;
  readonly result: CommitResult;
}

/** What a commit has become. */
interface Made {
  readonly result: CommitResult;
  /** Whether it has changed the bucket. */
  readonly isNew: boolean;
  /** The bucket's revision after it. */
  readonly after: Revision | null;
}

/** The commits of one transaction. */
export class Group {
  readonly #work: Work;
  readonly #places = new Map<string, Place>();
  readonly #answers: Answer[] = [];
  /** What to tell others of. */
  readonly notices: Notice[] = [];

  constructor(work: Work) {
    this.#work = work;
  }

  /** Makes commits, each on what those before it have left. */
  async make(some: readonly Pending[]): Promise<void> {
    const own = new Map<Place, Pending[]>();
    for (const pending of some) {
      const place = this.#placeOf(pending.id);
      const list = own.get(place);
      if (list) list.push(pending);
      else own.set(place, [pending]);
    }
    await Promise.all([...own].map(([place, list]) => this.#makeAt(place, list)));
  }

  #placeOf(id: BucketId): Place {
    const key = bucketKey(id);
    let place = this.#places.get(key);
    if (!place) {
      place = { id, key, row: undefined, isChanged: false, record: undefined };
      this.#places.set(key, place);
    }
    return place;
  }

  async #makeAt(place: Place, some: readonly Pending[]): Promise<void> {
    const { store, now } = this.#work;
    const { id } = place;
    if (!place.row) {
      const record = await this.#guess(place, some);
      if (place.row) return;
      place.row = await rowOf(store, id, record, now);
    }
    const { row } = place;
    for (const pending of some) {
      const made = this.#make(pending.commit, row);
      if (made) {
        this.#accept(pending, place, made);
        place.isChanged ||= made.isNew;
      } else {
        const fields = await valuesOf(store, id, row, undefined);
        const current = { revision: row.revision, fields };
        this.#answers.push({ pending, place, result: { ok: false, current } });
      }
    }
  }

  /**
   * Reads a record and writes the next one without waiting for that, if what was written last tells what
   * will be found: both together take no longer than one of them. What turns out wrong is put back.
   * @returns the record that was found; the commits are made if the place has its row then
   */
  async #guess(place: Place, some: readonly Pending[]): Promise<string | undefined> {
    const { store, now, known } = this.#work;
    const { id, key } = place;
    const expected = known.take(key);
    if (expected === undefined) return recordOf(store, id);
    const row = unpack(expected, 'bucket', now);
    const all = some.map(({ commit }) => this.#make(commit, row));
    const next = all.every((made) => made?.isNew) ? onlyRecord(row) : undefined;
    const reading = recordOf(store, id);
    if (next === undefined) return reading;
    // Where the next line throws, nobody waits for it; the transaction tells why both have failed.
    reading.catch(() => {});
    putRecord(store, id, next);
    const found = await reading;
    if (found !== expected) {
      putRecord(store, id, found);
      return found;
    }
    place.row = row;
    place.record = next;
    for (const [index, pending] of some.entries()) {
      this.#accept(pending, place, all[index] as Made);
    }
    return found;
  }

  /** Changes a row by a commit; `undefined` where its condition does not hold. */
  #make(commit: Commit, row: Row): Made | undefined {
    const { now, nextRevision } = this.#work;
    const { revision: previous } = row;
    const means = verdict(row, commit);
    if (means === 'refused') return undefined;
    const revision = means === 'repeat' && previous !== null ? previous : nextRevision();
    if (means === 'made') apply(row, commit, revision, now);
    const result = { ok: true, revision, previous } as const;
    return { result, isNew: means === 'made', after: row.revision };
  }

  #accept(pending: Pending, place: Place, { result, isNew, after }: Made): void {
    const { id, commit } = pending;
    this.#answers.push({ pending, place, result });
    // A repeat that is one of ours: nobody was told when it was made.
    if (isNew || isQTasksError(this.#work.earlier, 'STORAGE_UNKNOWN_OUTCOME')) {
      this.notices.push({ id, change: changeOf(commit, after) });
    }
  }

  /**
   * Answers those that were refused, if they saw nothing but what is stored already, and gives them
   * the time to try again. Transactions of two tabs take turns: if this one ended first, whoever
   * commits without a pause would come before each new try of the other, for ever.
   * @returns whether there were any
   */
  async answerRefused(): Promise<boolean> {
    const refused = this.#answers.filter(({ place, result }) => !result.ok && !place.isChanged);
    if (refused.length === 0) return false;
    for (const one of refused) answer(one);
    // The answer to a request comes after all microtasks.
    await promisifyRequest(this.#work.store.count([]));
    return true;
  }

  save(): void {
    const { store, earlier } = this.#work;
    const isFull = isQTasksError(earlier, 'STORAGE_QUOTA');
    for (const place of this.#places.values()) {
      const { id, row, isChanged } = place;
      if (row && isChanged) place.record = save(store, id, row, isFull);
    }
  }

  /** Answers all others, once everything is stored; the refused first, for the same reason. */
  answer(): void {
    for (const { key, record } of this.#places.values()) this.#work.known.put(key, record);
    for (const one of this.#answers) if (!one.result.ok) answer(one);
    for (const one of this.#answers) answer(one);
  }
}

function answer({ pending, result }: Answer): void {
  pending.isAnswered = true;
  pending.resolve(result);
}
