/** Group commit: what is asked for while a transaction runs goes into the next one, whatever the bucket. */
import type { Clock } from '../../src/clock.js';
import { isQTasksError } from '../../src/errors.js';
import type { BucketId, Commit, CommitResult, Revision } from '../../src/storage.js';
import { bucketKey } from '../shared/keys.js';
import type { Notice } from '../shared/notices.js';
import { apply, revisions, verdict } from '../shared/record.js';
import { changeOf } from '../shared/watchers.js';
import { completed, type Database } from './database.js';
import { load, type Row, save, valuesOf } from './rows.js';

/** One commit that waits. */
interface Pending {
  readonly id: BucketId;
  readonly commit: Commit;
  readonly signal: AbortSignal | undefined;
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

/** What one transaction has done. */
interface Done {
  readonly results: readonly CommitResult[];
  readonly notices: readonly Notice[];
}

/** The commits of one adapter. */
export class Commits {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #made: (notices: readonly Notice[]) => void;
  readonly #nextRevision: () => Revision = revisions();
  #pending: Pending[] = [];
  #running: Promise<void> | undefined = undefined;

  /** @param made told of the commits of each transaction, in their order, once they are stored */
  constructor(database: Database, clock: Clock, made: (notices: readonly Notice[]) => void) {
    this.#database = database;
    this.#clock = clock;
    this.#made = made;
  }

  add(id: BucketId, commit: Commit, signal: AbortSignal | undefined): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ id: { ...id }, commit: copy(commit), signal, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves once nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // All that is asked for in this turn goes together.
    await undefined;
    while (this.#pending.length > 0) {
      const group = this.#pending.filter(isWanted);
      this.#pending = [];
      if (group.length > 0) await this.#commit(group, true);
    }
    this.#running = undefined;
  }

  /** Nothing of a transaction that fails was done, and a repeat of one that was does no harm. */
  async #commit(group: readonly Pending[], mayRepeat: boolean): Promise<void> {
    try {
      const { results, notices } = await this.#database.run('readwrite', (store) =>
        this.#transact(store, group),
      );
      for (const [place, result] of results.entries()) group[place]?.resolve(result);
      this.#made(notices);
    } catch (error) {
      const isFull =
        isQTasksError(error, 'STORAGE_QUOTA') || isQTasksError(error, 'OPTION_INVALID');
      if (group.length === 1 && (isFull || !mayRepeat)) return group[0]?.reject(error);
      // One by one: what is wrong with one of them is no fault of the others.
      for (const pending of group) await this.#commit([pending], group.length > 1 && !isFull);
    }
  }

  async #transact(store: IDBObjectStore, group: readonly Pending[]): Promise<Done> {
    const { transaction } = store;
    const done = completed(transaction);
    try {
      const made = await this.#makeAll(store, group);
      transaction.commit();
      await done;
      return made;
    } catch (error) {
      await abandon(transaction, done);
      throw error;
    }
  }

  async #makeAll(store: IDBObjectStore, group: readonly Pending[]): Promise<Done> {
    const now = this.#clock.now();
    const ids = new Map(group.map(({ id }) => [bucketKey(id), id]));
    const rows = new Map<string, Row>();
    await Promise.all([...ids].map(async ([key, id]) => rows.set(key, await load(store, id, now))));
    const changed = new Map<string, Row>();
    const results: CommitResult[] = [];
    const notices: Notice[] = [];
    for (const { id, commit } of group) {
      const key = bucketKey(id);
      const row = rows.get(key) as Row;
      const { revision: previous } = row;
      const means = verdict(row, commit);
      if (means === 'refused') {
        const fields = await valuesOf(store, id, row, undefined);
        results.push({ ok: false, current: { revision: previous, fields } });
        continue;
      }
      const revision = means === 'repeat' && previous !== null ? previous : this.#nextRevision();
      results.push({ ok: true, revision, previous });
      if (means === 'repeat') continue;
      apply(row, commit, revision, now);
      changed.set(key, row);
      notices.push({ id, change: changeOf(commit, row.revision) });
    }
    for (const [key, row] of changed) save(store, ids.get(key) as BucketId, row);
    return { results, notices };
  }
}

/** As it is at the call: it may be some time until it is made. */
const copy = (commit: Commit): Commit => ({
  ...commit,
  ...(commit.set ? { set: new Map(commit.set) } : {}),
  ...(commit.delete ? { delete: [...commit.delete] } : {}),
});

/** Whether a commit is still wanted; one that was aborted in time is not begun. */
function isWanted({ signal, reject }: Pending): boolean {
  if (signal?.aborted) reject(signal.reason);
  return !signal?.aborted;
}

/** Nothing of it may be stored; it may be over already. */
async function abandon(transaction: IDBTransaction, done: Promise<void>): Promise<void> {
  try {
    transaction.abort();
  } catch {
    // It has ended by itself.
  }
  await done.catch(() => {});
}
