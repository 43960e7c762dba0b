/** The commits that one transaction makes, all of them or none. */
import { promisifyRequest } from 'idb-keyval';
import { isQTasksError } from '../../src/errors.js';
import type { BucketId, Commit, CommitResult, Revision } from '../../src/storage.js';
import type { EpochMs } from '../../src/types.js';
import { bucketKey } from '../shared/keys.js';
import type { Notice } from '../shared/notices.js';
import { apply, verdict } from '../shared/record.js';
import { changeOf } from '../shared/watchers.js';
import { load, type Row, save, valuesOf } from './rows.js';

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
  /** Why it has failed before. */
  readonly earlier: unknown;
}

/** A bucket that commits of the group are for. */
interface Place {
  readonly id: BucketId;
  readonly row: Row;
  isChanged: boolean;
}

interface Answer {
  readonly pending: Pending;
  readonly place: Place;
  readonly result: CommitResult;
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
    await this.#load(some);
    for (const pending of some) {
      const place = this.#places.get(bucketKey(pending.id)) as Place;
      this.#answers.push({ pending, place, result: await this.#make(pending, place) });
    }
  }

  async #load(some: readonly Pending[]): Promise<void> {
    const { store, now } = this.#work;
    const ids = new Map(some.map(({ id }) => [bucketKey(id), id]));
    const loads = [...ids].map(async ([key, id]) => {
      if (this.#places.has(key)) return;
      this.#places.set(key, { id, row: await load(store, id, now), isChanged: false });
    });
    await Promise.all(loads);
  }

  async #make({ id, commit }: Pending, place: Place): Promise<CommitResult> {
    const { store, now, nextRevision, earlier } = this.#work;
    const { row } = place;
    const { revision: previous } = row;
    const means = verdict(row, commit);
    if (means === 'refused') {
      const fields = await valuesOf(store, id, row, undefined);
      return { ok: false, current: { revision: previous, fields } };
    }
    const revision = means === 'repeat' && previous !== null ? previous : nextRevision();
    if (means === 'made') {
      apply(row, commit, revision, now);
      place.isChanged = true;
    }
    // A repeat that is one of ours: nobody was told when it was made.
    if (means === 'made' || isQTasksError(earlier, 'STORAGE_UNKNOWN_OUTCOME')) {
      this.notices.push({ id, change: changeOf(commit, row.revision) });
    }
    return { ok: true, revision, previous };
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
    for (const { id, row, isChanged } of this.#places.values()) {
      if (isChanged) save(store, id, row, isFull);
    }
  }

  /** Answers all others, once everything is stored; the refused first, for the same reason. */
  answer(): void {
    for (const one of this.#answers) if (!one.result.ok) answer(one);
    for (const one of this.#answers) answer(one);
  }
}

function answer({ pending, result }: Answer): void {
  pending.isAnswered = true;
  pending.resolve(result);
}
