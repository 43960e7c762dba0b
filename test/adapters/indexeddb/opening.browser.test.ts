/** What can go wrong with the connection to IndexedDB. */
import { afterEach, expect, test, vi } from 'vitest';
import { indexeddb } from '../../../adapters/indexeddb.js';
import { ManualClock, settle } from '../../support/clock.js';
import { rejection } from '../../support/promises.js';
import { bucket, fieldsOf, keysIn, newDatabase, open, put, requested } from './support.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Makes the next `open` fail as the browser's own does. */
function failNextOpen(): void {
  const openReally = indexedDB.open.bind(indexedDB);
  vi.spyOn(indexedDB, 'open').mockImplementationOnce((name) => {
    const request = openReally(name);
    request.addEventListener('upgradeneeded', (event) => {
      event.stopImmediatePropagation();
      request.transaction?.abort();
    });
    return request;
  });
}

/** Keeps everybody from opening a database, as a tab with an old page does; returns what ends that. */
async function block(database: string): Promise<() => Promise<void>> {
  const db = await requested(indexedDB.open(database));
  const deletion = indexedDB.deleteDatabase(database);
  await new Promise((resolve) => {
    deletion.onblocked = resolve;
  });
  return async () => {
    db.close();
    await requested(deletion);
  };
}

test('24 a database that is deleted under the adapter is not blocked, and the next use makes a new one', async () => {
  const database = newDatabase();
  const storage = open(database);
  await put(storage, bucket(), { a: '1' });
  await requested(indexedDB.deleteDatabase(database));
  expect(await storage.read(bucket())).toEqual({ revision: null, fields: new Map() });
  await put(storage, bucket(), { a: '2' });
  expect(await fieldsOf(storage, bucket())).toEqual({ a: '2' });
});

test('24 a deletion waits for the commits that are on their way', async () => {
  const database = newDatabase();
  const storage = open(database);
  await put(storage, bucket(), { a: '1' });
  const commits = Array.from({ length: 20 }, (_, at) => put(storage, bucket(`${at}`), { a: '1' }));
  const deleted = requested(indexedDB.deleteDatabase(database));
  expect((await Promise.all(commits)).every(({ ok }) => ok)).toBe(true);
  await deleted;
});

test('25 a connection that is closed by force is opened again, and nothing is done twice', async () => {
  const database = newDatabase();
  const connections: IDBDatabase[] = [];
  const openReally = indexedDB.open.bind(indexedDB);
  vi.spyOn(indexedDB, 'open').mockImplementation((name) => {
    const request = openReally(name);
    request.addEventListener('success', () => connections.push(request.result));
    return request;
  });
  const storage = open(database);
  await put(storage, bucket(), { count: '1' });
  connections[0]?.close();
  const { revision } = await storage.read(bucket());
  connections[1]?.close();
  const result = await put(storage, bucket(), { count: '2' }, { ifRevision: revision });
  expect(result.ok).toBe(true);
  expect(await fieldsOf(storage, bucket())).toEqual({ count: '2' });
  expect(connections).toHaveLength(3);
});

test('26 an open that was rejected is tried again by the next use', async () => {
  const storage = open(newDatabase());
  failNextOpen();
  failNextOpen();
  expect(await rejection(storage.read(bucket()))).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await put(storage, bucket(), { a: '1' });
  expect(await fieldsOf(storage, bucket())).toEqual({ a: '1' });
});

test('26 a call repeats an open that was rejected once', async () => {
  const storage = open(newDatabase());
  failNextOpen();
  await put(storage, bucket(), { a: '1' });
  await storage.close();
  failNextOpen();
  expect(await fieldsOf(storage, bucket())).toEqual({ a: '1' });
});

test('27, 29 an open that is blocked fails in ten seconds, for all that wait at once', async () => {
  const database = newDatabase();
  const unblock = await block(database);
  const clock = new ManualClock();
  const storage = open(database, { clock });
  const calls = [
    storage.read(bucket()),
    put(storage, bucket(), { a: '1' }),
    put(storage, bucket('ben'), { a: '1' }),
    put(storage, bucket('cem'), { a: '1' }),
  ];
  const reasons = Promise.all(calls.map(rejection));
  await clock.advance(9_999);
  expect(clock.pending).toBe(1);
  await clock.advance(1);
  for (const reason of await reasons) {
    expect(reason).toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining('did not open within 10000 ms; close other tabs'),
    });
  }
  await unblock();
  await put(storage, bucket(), { a: '2' });
  expect(await fieldsOf(storage, bucket())).toEqual({ a: '2' });
});

test('27 a connection that comes too late keeps nobody waiting', async () => {
  const database = newDatabase();
  const unblock = await block(database);
  const clock = new ManualClock();
  const storage = indexeddb({ database, clock });
  const reason = rejection(storage.read(bucket()));
  await clock.advance(10_000);
  await reason;
  await unblock();
  await storage.close();
  await requested(indexedDB.deleteDatabase(database));
});

test('27 a commit that is aborted while the database opens is not made', async () => {
  const database = newDatabase();
  const unblock = await block(database);
  const storage = open(database);
  const controller = new AbortController();
  const commit = { writer: 'me', sequence: 1, set: new Map([['a', '1']]) };
  const aborted = rejection(storage.commit(bucket(), commit, { signal: controller.signal }));
  await settle();
  controller.abort('enough');
  await unblock();
  expect(await aborted).toBe('enough');
  expect(await fieldsOf(storage, bucket())).toEqual({});
});

test('28 a database of somebody else is named, left alone and not kept open', async () => {
  const database = newDatabase();
  const request = indexedDB.open(database, 7);
  request.onupgradeneeded = () => request.result.createObjectStore('theirs');
  (await requested(request)).close();
  const storage = open(database);
  for (const call of [storage.read(bucket()), put(storage, bucket(), { a: '1' })]) {
    expect(await rejection(call)).toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: `indexeddb: database "${database}" is not one of this library; give option "database" another name`,
    });
  }
  const db = await requested(indexedDB.open(database));
  expect([db.version, ...db.objectStoreNames]).toEqual([7, 'theirs']);
  db.close();
  await requested(indexedDB.deleteDatabase(database));
});

test('52 closing waits for the commits that are on their way', async () => {
  const database = newDatabase();
  const storage = open(database);
  const commits = Array.from({ length: 30 }, (_, at) => put(storage, bucket(), { [at]: '1' }));
  const read = storage.read(bucket());
  let made = 0;
  for (const commit of commits) void commit.then(() => made++);
  await storage.close();
  expect(made).toBe(30);
  expect((await read).fields.size).toBeLessThanOrEqual(30);
  expect(Object.keys(await fieldsOf(open(database), bucket()))).toHaveLength(30);
});

test('52 a closed adapter leaves no connection, no timer and no listener', async () => {
  const database = newDatabase();
  const clock = new ManualClock();
  const add = vi.spyOn(globalThis, 'addEventListener');
  const remove = vi.spyOn(globalThis, 'removeEventListener');
  const storage = open(database, { clock });
  storage.watch?.(bucket(), () => {});
  const commit = put(storage, bucket(), { a: '1' });
  const read = storage.read(bucket());
  await storage.close();
  await Promise.all([commit, read]);
  expect(clock.pending).toBe(0);
  expect(add.mock.calls.length).toBeGreaterThan(0);
  expect(remove.mock.calls).toEqual(add.mock.calls);
  // One that is still open would have to be closed for it.
  const close = vi.spyOn(IDBDatabase.prototype, 'close');
  await requested(indexedDB.deleteDatabase(database));
  expect(close).not.toHaveBeenCalled();
});

test('52 closing ends a look for what has expired that would go on', async () => {
  const database = newDatabase();
  const clock = new ManualClock();
  const storage = open(database, { clock });
  const commits = Array.from({ length: 120 }, (_, at) =>
    put(storage, bucket(`${at}`), { a: '1' }, { ttl: 1_000 }),
  );
  await Promise.all(commits);
  await clock.advance(200_000);
  await put(storage, bucket(), { a: '1' });
  await clock.advance(5_000);
  await storage.close();
  // Transactions come one after the other: this one after all that were begun.
  await keysIn(database);
  await settle();
  expect(clock.pending).toBe(0);
  const close = vi.spyOn(IDBDatabase.prototype, 'close');
  await requested(indexedDB.deleteDatabase(database));
  expect(close).not.toHaveBeenCalled();
});
