/** What tests of the IndexedDB adapter that run inside a page share. */
import { onTestFinished } from 'vitest';
import { type IndexedDBOptions, indexeddb } from '../../../adapters/indexeddb.js';
import type { BucketId, Commit, CommitResult, StorageAdapter } from '../../../src/storage.js';

let databases = 0;

/** The name of a database that no other test uses; it is deleted in the end. */
export function newDatabase(): string {
  const name = `test-${Math.random().toString(36).slice(2)}-${++databases}`;
  onTestFinished(async () => void (await requested(indexedDB.deleteDatabase(name))));
  return name;
}

/** An adapter that is closed in the end. */
export function open(database: string, options: IndexedDBOptions = {}): StorageAdapter {
  const storage = indexeddb({ database, ...options });
  onTestFinished(() => storage.close());
  return storage;
}

export const bucket = (session = 'ann', state = 'cart'): BucketId =>
  Object.freeze({ app: 'app', session, state });

let sequence = 0;

/** Commits as a writer that never repeats itself, unless told to. */
export function put(
  storage: StorageAdapter,
  id: BucketId,
  fields: Readonly<Record<string, string>>,
  changes: Partial<Commit> = {},
): Promise<CommitResult> {
  const set = new Map(Object.entries(fields));
  return storage.commit(id, { writer: 'me', sequence: ++sequence, set, ...changes });
}

/** The fields of a bucket. */
export async function fieldsOf(
  storage: StorageAdapter,
  id: BucketId,
): Promise<Record<string, string>> {
  return Object.fromEntries((await storage.read(id)).fields);
}

/** What a request results in. */
export function requested<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** All keys of a database, past the adapter. */
export async function keysIn(database: string): Promise<IDBValidKey[]> {
  const db = await requested(indexedDB.open(database));
  try {
    return await requested(db.transaction('buckets').objectStore('buckets').getAllKeys());
  } finally {
    db.close();
  }
}
