/** The connection to one database: opened when it is needed, and again whenever it was lost. */
import { promisifyRequest } from 'idb-keyval';
import type { Clock } from '../../src/clock.js';
import { isQTasksError, QTasksError } from '../../src/errors.js';
import type { Milliseconds } from '../../src/types.js';

/** The one object store that it has. */
const storeName = 'buckets';

/** Safari has left a first `open` unanswered; an `open` also waits while somebody deletes the database. */
const openTimeout: Milliseconds = 10_000;

/** What a transaction does. Only requests may be awaited in it. */
export type Work<Result> = (store: IDBObjectStore) => Promise<Result>;

/** One database. */
export class Database {
  readonly #name: string;
  readonly #durability: IDBTransactionDurability;
  readonly #clock: Clock;
  #opening: Promise<IDBDatabase> | undefined = undefined;

  constructor(name: string, durability: IDBTransactionDurability, clock: Clock) {
    this.#name = name;
    this.#durability = durability;
    this.#clock = clock;
  }

  /** Reads in a transaction. @throws STORAGE_UNAVAILABLE */
  async read<Result>(work: Work<Result>): Promise<Result> {
    try {
      return await work(await this.#begin('readonly'));
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /**
   * Writes in a transaction; resolves once everything is stored.
   * @throws STORAGE_UNAVAILABLE, STORAGE_QUOTA, and what the work throws: then nothing is stored.
   * STORAGE_UNKNOWN_OUTCOME: all or nothing is
   */
  async write<Result>(work: Work<Result>): Promise<Result> {
    let isCommitted = false;
    try {
      const store = await this.#begin('readwrite');
      const { transaction } = store;
      const ended = completed(transaction);
      try {
        const result = await work(store);
        transaction.commit();
        isCommitted = true;
        await ended;
        return result;
      } catch (error) {
        await abandon(transaction, ended);
        // It tells more than a request that came too late for it.
        throw transaction.error ?? error;
      }
    } catch (error) {
      throw this.#failure(error, isCommitted);
    }
  }

  async #begin(mode: IDBTransactionMode): Promise<IDBObjectStore> {
    const opening = this.#open();
    const db = await opening;
    try {
      return this.#transaction(db, mode);
    } catch {
      // The browser has closed it, or it has become useless: nothing was done yet.
      this.#drop(opening);
      db.close();
      return this.#transaction(await this.#open(), mode);
    }
  }

  #transaction(db: IDBDatabase, mode: IDBTransactionMode): IDBObjectStore {
    const durability = this.#durability;
    return db.transaction(storeName, mode, { durability }).objectStore(storeName);
  }

  #open(): Promise<IDBDatabase> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = this.#connect();
    this.#opening = opening;
    const lost = (): void => this.#drop(opening);
    opening.then((db) => {
      // Somebody wants to delete or upgrade it, and waits until every connection is closed.
      db.onversionchange = () => {
        lost();
        db.close();
      };
      db.onclose = lost;
    }, lost);
    return opening;
  }

  #drop(opening: Promise<IDBDatabase>): void {
    if (this.#opening === opening) this.#opening = undefined;
  }

  async #connect(): Promise<IDBDatabase> {
    if (globalThis.indexedDB === undefined) {
      throw this.#unavailable(
        'is missing: there is no IndexedDB here; use memory() of qtasks-lite/memory, or redis()',
      );
    }
    // By hand: what createStore() has opened cannot be closed if our object store is not in it.
    const request = indexedDB.open(this.#name);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName);
    const db = await this.#inTime(promisifyRequest(request));
    if (db.objectStoreNames.contains(storeName)) return db;
    db.close();
    throw this.#unavailable('is not one of this library; give option "database" another name');
  }

  #inTime(opening: Promise<IDBDatabase>): Promise<IDBDatabase> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimeout(() => {
        const late = `did not open within ${openTimeout} ms; close other tabs of this site, or reload`;
        reject(this.#unavailable(late));
        opening.then(
          (db) => db.close(),
          () => {},
        );
      }, openTimeout);
      const stop = (): void => this.#clock.clearTimeout(timer);
      opening.then(stop, stop);
      opening.then(resolve, reject);
    });
  }

  #failure(error: unknown, isCommitted = false): unknown {
    if (isQTasksError(error)) return error;
    const cause = error;
    const { name } = (error ?? {}) as { name?: unknown };
    if (name === 'QuotaExceededError') {
      const message = `${this.#place} is full; delete something, or store less`;
      return new QTasksError('STORAGE_QUOTA', message, { cause });
    }
    if (!isCommitted) return this.#unavailable(`failed: ${String(name)}`, { cause });
    const message = `${this.#place} was lost while it stored: ${String(name)}`;
    return new QTasksError('STORAGE_UNKNOWN_OUTCOME', message, { cause });
  }

  #unavailable(problem: string, options?: ErrorOptions): QTasksError {
    return new QTasksError('STORAGE_UNAVAILABLE', `${this.#place} ${problem}`, options);
  }

  get #place(): string {
    return `indexeddb: database "${this.#name}"`;
  }

  /** Closes the connection once its transactions are done; the next use opens another one. */
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    // Whoever has asked for it was told why it did not open.
    const db = await opening?.catch(() => undefined);
    db?.close();
  }
}

/**
 * Resolves once everything is stored. A full disk shows in nothing but the abort: of `error`, which
 * comes before it, promisifyRequest() would make a failure without a reason.
 */
function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

/** Nothing of it may be stored; it may be over already. */
async function abandon(transaction: IDBTransaction, ended: Promise<void>): Promise<void> {
  try {
    transaction.abort();
  } catch {
    // It has ended by itself.
  }
  // Why it is given up is known; here it only counts that it is over.
  await ended.catch(() => {});
}
