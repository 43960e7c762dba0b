/** The connection to one database: opened when it is needed, and again whenever it was lost. */
import { createStore } from 'idb-keyval';
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
  #opening: Promise<IDBDatabase> | undefined = undefined;

  constructor(name: string, durability: IDBTransactionDurability) {
    this.#name = name;
    this.#durability = durability;
  }

  /**
   * Works in a transaction. A connection that turns out to be closed is opened again, once.
   * @throws STORAGE_UNAVAILABLE, STORAGE_QUOTA; then nothing of it was done
   */
  async run<Result>(mode: IDBTransactionMode, work: Work<Result>): Promise<Result> {
    try {
      return await work(await this.#begin(mode));
    } catch (error) {
      throw this.#failure(error);
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
    opening.catch(() => this.#drop(opening));
    return opening;
  }

  #drop(opening: Promise<IDBDatabase>): void {
    if (this.#opening === opening) this.#opening = undefined;
  }

  async #connect(): Promise<IDBDatabase> {
    if (globalThis.indexedDB === undefined) {
      const message = 'there is no IndexedDB here; use memory() of qtasks-lite/memory, or redis()';
      throw new QTasksError('STORAGE_UNAVAILABLE', `indexeddb: ${message}`);
    }
    // Each time anew: what createStore has opened cannot be taken from it.
    const opening = createStore(this.#name, storeName)('readonly', (store) => store.transaction.db);
    const db = await this.#inTime(opening);
    const lost = (): void => {
      this.#opening = undefined;
    };
    // Somebody wants to delete or upgrade it, and waits until every connection is closed.
    db.addEventListener('versionchange', () => {
      lost();
      db.close();
    });
    db.addEventListener('close', lost);
    return db;
  }

  #inTime(opening: Promise<IDBDatabase>): Promise<IDBDatabase> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const message = `indexeddb: database "${this.#name}" did not open within ${openTimeout} ms; close other tabs of this site, or reload`;
        reject(new QTasksError('STORAGE_UNAVAILABLE', message));
        opening.then(
          (db) => db.close(),
          () => {},
        );
      }, openTimeout);
      const stop = (): void => clearTimeout(timer);
      opening.then(stop, stop);
      opening.then(resolve, reject);
    });
  }

  #failure(error: unknown): unknown {
    if (isQTasksError(error)) return error;
    const { name } = (error ?? {}) as { name?: unknown };
    const where = `indexeddb: database "${this.#name}"`;
    if (name === 'QuotaExceededError') {
      const message = `${where} is full; delete something, or store less`;
      return new QTasksError('STORAGE_QUOTA', message, { cause: error });
    }
    const message =
      name === 'NotFoundError'
        ? `${where} is not one of this library; give option "database" another name`
        : `${where} failed: ${String(name)}`;
    return new QTasksError('STORAGE_UNAVAILABLE', message, { cause: error });
  }

  /** Closes the connection once its transactions are done; the next use opens another one. */
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    const db = await opening?.catch(() => undefined);
    db?.close();
  }
}

/** Resolves once everything is stored. A full disk shows in nothing but the abort. */
export function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
