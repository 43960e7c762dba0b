/**
 * How buckets lie in the object store. Keys are arrays, so that no id can be mistaken for another:
 *
 * - `[app, session, state]`: a bucket: its small fields, revision, sequences and expiry in one record
 * - `[app, session, state, field]`: a field whose value is large, alone
 * - `[1, app, session, state]`: what is kept of a bucket that is gone: the sequences of its writers
 * - `[0, at, app, session, state]`: somebody has to look at this bucket at that time
 */
import { promisifyRequest } from 'idb-keyval';
import type { BucketId, Revision } from '../../src/storage.js';
import type { EpochMs } from '../../src/types.js';
import { absent, type BucketRecord, expire } from '../shared/record.js';

/** From which length on, in UTF-16 units, a value has a row of its own. */
const largeFrom = 1_024;

/** A bucket in memory; a field that is `null` has a row of its own. */
export interface Row extends BucketRecord<null> {
  /** When somebody will look at it: not after it expires. */
  dueAt: EpochMs | null;
  /** Where it was found, and which fields had rows of their own there. */
  readonly origin: 'bucket' | 'grave' | 'nowhere';
  readonly large: readonly string[];
}

/**
 * A bucket as it is stored, as JSON: browsers are faster to copy one text than an object of many. What
 * many buckets have not is left out.
 */
interface Stored {
  readonly revision: Revision | null;
  readonly expiresAt?: EpochMs | null;
  readonly dueAt?: EpochMs | null;
  /** As they are in {@link BucketRecord}, from the writer that has been silent longest on. */
  readonly sequences: [writer: string, sequence: number][];
  readonly fields: [field: string, value: string | null][];
}

type Key = [app: string, session: string, state: string];

const recordKey = ({ app, session, state }: BucketId): Key => [app, session, state];
const fieldKey = (id: BucketId, field: string): IDBValidKey[] => [...recordKey(id), field];
const graveKey = (id: BucketId): IDBValidKey[] => [1, ...recordKey(id)];
const dueKey = (id: BucketId, at: EpochMs): IDBValidKey[] => [0, at, ...recordKey(id)];

/** Reads the record of a bucket. */
export const recordOf = (store: IDBObjectStore, id: BucketId): Promise<string | undefined> =>
  promisifyRequest<string | undefined>(store.get(recordKey(id)));

/** Writes the record of a bucket, or none, and nothing else of it. */
export function putRecord(store: IDBObjectStore, id: BucketId, record: string | undefined): void {
  if (record === undefined) store.delete(recordKey(id));
  else store.put(record, recordKey(id));
}

/** Reads a bucket, or what is kept of it. */
export const load = async (store: IDBObjectStore, id: BucketId, now: EpochMs): Promise<Row> =>
  rowOf(store, id, await recordOf(store, id), now);

/** A bucket by its record; where there is none, what is kept of the bucket. */
export async function rowOf(
  store: IDBObjectStore,
  id: BucketId,
  record: string | undefined,
  now: EpochMs,
): Promise<Row> {
  if (record) return unpack(record, 'bucket', now);
  const grave = await promisifyRequest<string | undefined>(store.get(graveKey(id)));
  if (grave) return unpack(grave, 'grave', now);
  return { ...absent<null>(), dueAt: null, origin: 'nowhere', large: [] };
}

/** The bucket that a text is of, as it is by now. */
export function unpack(stored: string, origin: Row['origin'], now: EpochMs): Row {
  const {
    revision,
    sequences,
    expiresAt = null,
    dueAt = null,
    ...rest
  }: Stored = JSON.parse(stored);
  const fields = new Map(rest.fields);
  const large = rest.fields.flatMap(([field, value]) => (value === null ? [field] : []));
  const row = { revision, fields, sequences: new Map(sequences), expiresAt, dueAt, origin, large };
  expire(row, now);
  return row;
}

/**
 * Writes a bucket that has changed, wherever it belongs now.
 * @param isFull whether nothing may be kept of one that is gone: what only deletes needs no room
 * @returns its record, if it has one
 */
export function save(
  store: IDBObjectStore,
  id: BucketId,
  row: Row,
  isFull = false,
): string | undefined {
  const { fields, large, origin } = row;
  for (const [field, value] of fields) {
    if (value === null || value.length < largeFrom) continue;
    store.put(value, fieldKey(id, field));
    fields.set(field, null);
  }
  for (const field of large) {
    if (fields.get(field) !== null) store.delete(fieldKey(id, field));
  }
  const isGone = row.revision === null;
  if (origin === 'bucket' && isGone) store.delete(recordKey(id));
  if (origin === 'grave' && (!isGone || isFull)) store.delete(graveKey(id));
  if (isGone && isFull) return undefined;
  const { expiresAt, dueAt } = row;
  if (expiresAt !== null && isDueEarlier(row)) {
    if (dueAt !== null) store.delete(dueKey(id, dueAt));
    store.put(0, dueKey(id, expiresAt));
    row.dueAt = expiresAt;
  }
  const record = pack(row);
  store.put(record, isGone ? graveKey(id) : recordKey(id));
  return isGone ? undefined : record;
}

/** Whether somebody has to look at it earlier than is written down. */
const isDueEarlier = ({ expiresAt, dueAt }: Row): boolean =>
  expiresAt !== null && (dueAt === null || expiresAt < dueAt);

/** The record of a bucket that was there and is, if it is all of it that has changed. */
export function onlyRecord(row: Row): string | undefined {
  const { fields, large, revision } = row;
  if (revision === null || isDueEarlier(row)) return undefined;
  if (large.some((field) => fields.get(field) !== null)) return undefined;
  for (const value of fields.values()) if (value && value.length >= largeFrom) return undefined;
  return pack(row);
}

function pack({ revision, fields, sequences, expiresAt, dueAt }: Row): string {
  const times = expiresAt === null && dueAt === null ? {} : { expiresAt, dueAt };
  const stored: Stored = { revision, ...times, sequences: [...sequences], fields: [...fields] };
  return JSON.stringify(stored);
}

/** Reads the values of fields, or of all of them. */
export async function valuesOf(
  store: IDBObjectStore,
  id: BucketId,
  row: Row,
  names: readonly string[] | undefined,
): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  const pending: Promise<unknown>[] = [];
  for (const field of names ? new Set(names) : row.fields.keys()) {
    const value = row.fields.get(field);
    if (value === undefined) continue;
    // Their order is that of the fields.
    values.set(field, value ?? '');
    if (value !== null) continue;
    const reading = promisifyRequest<string>(store.get(fieldKey(id, field)));
    pending.push(reading.then((large) => values.set(field, large)));
  }
  if (pending.length > 0) await Promise.all(pending);
  return values;
}

/** The ids of the buckets of an app or a session, also of those whose time is over. */
export function keysOf(
  store: IDBObjectStore,
  { app, session }: { readonly app: string; readonly session?: string },
): Promise<BucketId[]> {
  const prefix = session === undefined ? [app] : [app, session];
  const request = store.openKeyCursor(IDBKeyRange.bound(prefix, [...prefix, []]));
  const ids: BucketId[] = [];
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (!cursor) return resolve(ids);
      const [app, session, state] = cursor.key as Key;
      ids.push({ app, session, state });
      // Past its large fields.
      cursor.continue([app, session, state, []]);
    };
  });
}

/** A bucket that it is time to look at, and the row that says so. */
interface Due {
  readonly id: BucketId;
  readonly key: IDBValidKey;
}

/** The buckets that it is time to look at. */
export async function dueRows(store: IDBObjectStore, now: EpochMs, limit?: number): Promise<Due[]> {
  const keys = await promisifyRequest(
    store.getAllKeys(IDBKeyRange.bound([0], [0, now, []]), limit),
  );
  return keys.map((key) => {
    const [, , app, session, state] = key as [number, EpochMs, ...Key];
    return { id: { app, session, state }, key };
  });
}

/**
 * Drops a bucket whose time is over, for good if its sequences are not needed any more.
 * @param isFull whether there is no room to write down when to look at it again
 * @returns whether it has to be looked at again nonetheless
 */
export async function tend(
  store: IDBObjectStore,
  { id, key }: Due,
  now: EpochMs,
  isFull: boolean,
): Promise<boolean> {
  const row = await load(store, id, now);
  const { origin, expiresAt, revision } = row;
  if (isFull && revision !== null) return true;
  store.delete(key);
  if (origin === 'grave' && (expiresAt ?? 0) <= now) store.delete(graveKey(id));
  else if (origin !== 'nowhere') {
    row.dueAt = null;
    save(store, id, row, isFull);
  }
  return false;
}
