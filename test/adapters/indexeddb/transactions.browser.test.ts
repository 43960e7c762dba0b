/** Transactions that die, and those of which nobody hears whether they have. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Change } from '../../../src/storage.js';
import { ManualClock } from '../../support/clock.js';
import { rejection } from '../../support/promises.js';
import { bucket, fieldsOf, newDatabase, open as openTimed, put } from './support.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** One that does not look for what has expired while a test counts its transactions. */
const open = (database: string) => openTimed(database, { clock: new ManualClock() });

const getReally = IDBObjectStore.prototype.get;
const commitReally = IDBTransaction.prototype.commit;

/** A request that the transaction does not survive. */
function abortAndGet(this: IDBObjectStore, key: IDBValidKey | IDBKeyRange): IDBRequest {
  const request = getReally.call(this, key);
  this.transaction.abort();
  return request;
}

/** All is stored, but what is heard is what one hears when the storage dies. */
function commitUnheard(this: IDBTransaction): void {
  this.oncomplete = () => this.dispatchEvent(new Event('abort'));
  commitReally.call(this);
}

test('25 a transaction that dies is repeated once', async () => {
  const storage = open(newDatabase());
  await put(storage, bucket(), { a: '1' });
  vi.spyOn(IDBObjectStore.prototype, 'get').mockImplementationOnce(abortAndGet);
  const results = await Promise.all([
    put(storage, bucket(), { a: '2' }),
    put(storage, bucket('ben'), { a: '3' }),
  ]);
  expect(results.map(({ ok }) => ok)).toEqual([true, true]);
  expect(await fieldsOf(storage, bucket())).toEqual({ a: '2' });
  expect(await fieldsOf(storage, bucket('ben'))).toEqual({ a: '3' });
});

test('25 a transaction that dies twice fails and leaves everything as it was', async () => {
  const storage = open(newDatabase());
  await put(storage, bucket(), { a: '1' });
  const spy = vi.spyOn(IDBObjectStore.prototype, 'get').mockImplementation(abortAndGet);
  const commits = [put(storage, bucket(), { a: '2' }), put(storage, bucket('ben'), { a: '3' })];
  for (const commit of commits) {
    expect(await rejection(commit)).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  }
  spy.mockRestore();
  expect(await fieldsOf(storage, bucket())).toEqual({ a: '1' });
  expect(await fieldsOf(storage, bucket('ben'))).toEqual({});
});

test('25 a commit of which nobody hears is repeated, known as a repeat, and told of', async () => {
  const database = newDatabase();
  const [storage, other] = [open(database), open(database)];
  await put(storage, bucket(), { a: '1' });
  const heard = new Promise<Change>((resolve) => other.watch?.(bucket(), resolve));
  vi.spyOn(IDBTransaction.prototype, 'commit').mockImplementationOnce(commitUnheard);
  const result = await put(storage, bucket(), { a: '2' });
  const { revision } = await storage.read(bucket());
  expect(result).toEqual({ ok: true, revision, previous: revision });
  expect(await heard).toMatchObject({ revision, fields: ['a'] });
});

test('25 where nobody hears twice the caller learns that it is not known', async () => {
  const storage = open(newDatabase());
  await put(storage, bucket(), { a: '1' });
  vi.spyOn(IDBTransaction.prototype, 'commit')
    .mockImplementationOnce(commitUnheard)
    .mockImplementationOnce(commitUnheard);
  expect(await rejection(put(storage, bucket(), { a: '2' }))).toMatchObject({
    code: 'STORAGE_UNKNOWN_OUTCOME',
  });
  expect(await fieldsOf(storage, bucket())).toEqual({ a: '2' });
});

test('25 what is not known does not become known because the repeat fails', async () => {
  const storage = open(newDatabase());
  await put(storage, bucket(), { a: '1' });
  vi.spyOn(IDBTransaction.prototype, 'commit').mockImplementationOnce(commitUnheard);
  const get = vi.spyOn(IDBObjectStore.prototype, 'get');
  get.mockImplementationOnce(getReally).mockImplementationOnce(abortAndGet);
  expect(await rejection(put(storage, bucket(), { a: '2' }))).toMatchObject({
    code: 'STORAGE_UNKNOWN_OUTCOME',
  });
});

test('48 a signal that aborts while it is not known whether a commit was made comes too late', async () => {
  const storage = open(newDatabase());
  const controller = new AbortController();
  vi.spyOn(IDBTransaction.prototype, 'commit').mockImplementationOnce(function (
    this: IDBTransaction,
  ) {
    controller.abort('too late');
    commitUnheard.call(this);
  });
  const commit = { writer: 'w', sequence: 1, set: new Map([['a', '1']]) };
  const result = storage.commit(bucket(), commit, { signal: controller.signal });
  expect(await result).toMatchObject({ ok: true });
  expect(await fieldsOf(storage, bucket())).toEqual({ a: '1' });
});
