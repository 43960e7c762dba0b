/** What the sections `indexeddb` and `localstorage` compare: stores of one session's fields, in a page. */
import { Dexie } from 'dexie';
import { createStore, get, set, update } from 'idb-keyval';
import localforage from 'localforage';
import { AsyncState, QTasks, type StorageAdapter } from 'qtasks-lite';
import { indexeddb } from 'qtasks-lite/indexeddb';
import { createStorage } from 'unstorage';
import indexedDbDriver from 'unstorage/drivers/indexedb';
import type { Case, Contestant } from '../harness/measure.js';

/** What a field holds here. */
export type Value = string | number;

/** What each contestant can do with the fields of one session. */
export interface Store {
  set(field: string, value: Value): Promise<unknown>;
  get(field: string): Promise<unknown>;
  getAll(): Promise<object>;
  increment?(field: string): Promise<unknown>;
}

/** Fields of any name. */
export class Bench extends AsyncState<Record<string, Value>> {
  static readonly id = 'bench';
}

/** The states of an app of its own. */
export function ours(storage: StorageAdapter, session = 'ann'): Store {
  const app = new QTasks({ name: `bench-${Math.random()}`, storage });
  const state = app.session(session).state(Bench);
  return {
    set: (field, value) => state.set(field, value),
    get: (field) => state.get(field),
    getAll: () => state.getAll(),
    increment: (field) => state.update((now) => ({ [field]: Number(now[field] ?? 0) + 1 })),
  };
}

const request = <T>(asked: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

const completed = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

/** One transaction for each operation, one row for each field. */
async function raw(): Promise<Store> {
  const opening = indexedDB.open(`raw-${Math.random()}`);
  opening.onupgradeneeded = () => opening.result.createObjectStore('rows');
  const db = await request(opening);
  const rows = (mode: IDBTransactionMode) => db.transaction('rows', mode).objectStore('rows');
  return {
    set(field, value) {
      const store = rows('readwrite');
      store.put(value, field);
      return completed(store.transaction);
    },
    get: (field) => request(rows('readonly').get(field)),
    async getAll() {
      const store = rows('readonly');
      const [keys, values] = await Promise.all([
        request(store.getAllKeys()),
        request(store.getAll()),
      ]);
      return Object.fromEntries(keys.map((key, index) => [key, values[index]]));
    },
    async increment(field) {
      const store = rows('readwrite');
      store.put(((await request(store.get(field))) ?? 0) + 1, field);
      return completed(store.transaction);
    },
  };
}

function idbKeyval(): Store {
  const store = createStore(`keyval-${Math.random()}`, 'rows');
  return {
    set: (field, value) => set(field, value, store),
    get: (field) => get(field, store),
    async getAll() {
      return store('readonly', async (rows) => {
        const [keys, values] = await Promise.all([
          request(rows.getAllKeys()),
          request(rows.getAll()),
        ]);
        return Object.fromEntries(keys.map((key, index) => [key, values[index]]));
      });
    },
    increment: (field) => update<number>(field, (now = 0) => now + 1, store),
  };
}

function dexie(): Store {
  const db = new Dexie(`dexie-${Math.random()}`);
  db.version(1).stores({ rows: 'field' });
  const rows = db.table<{ field: string; value: Value }>('rows');
  return {
    set: (field, value) => rows.put({ field, value }),
    get: async (field) => (await rows.get(field))?.value,
    async getAll() {
      return Object.fromEntries((await rows.toArray()).map(({ field, value }) => [field, value]));
    },
    increment: (field) =>
      db.transaction('rw', rows, async () => {
        const value = Number((await rows.get(field))?.value ?? 0) + 1;
        await rows.put({ field, value });
      }),
  };
}

function localForage(): Store {
  const store = localforage.createInstance({ name: `forage-${Math.random()}` });
  return {
    set: (field, value) => store.setItem(field, value),
    get: (field) => store.getItem(field),
    async getAll() {
      const all: Record<string, unknown> = {};
      await store.iterate((value, field) => {
        all[field] = value;
      });
      return all;
    },
  };
}

/** A storage of unstorage with any driver. */
export function wrapUnstorage(driver: Parameters<typeof createStorage>[0]): Store {
  const store = createStorage<Value>(driver);
  return {
    set: (field, value) => store.setItem(field, value),
    get: (field) => store.getItem(field),
    async getAll() {
      const items = await store.getItems(await store.getKeys());
      return Object.fromEntries(items.map(({ key, value }) => [key, value]));
    },
  };
}

const unstorage = (): Store =>
  wrapUnstorage({
    driver: indexedDbDriver({ dbName: `unstorage-${Math.random()}`, storeName: 'rows', base: '' }),
  });

/** Contestants that are yet to be made, each with what it does not do. */
export type Makers = readonly (readonly [
  name: string,
  without: string,
  make: () => Store | Promise<Store>,
])[];

/** All that store in IndexedDB. */
export const inIndexedDB: Makers = [
  ['raw transactions', 'sessions, types, group commit', raw],
  ['qtasks-lite', '', () => ours(indexeddb({ database: `ours-${Math.random()}` }))],
  ['idb-keyval', 'sessions, types, group commit', idbKeyval],
  ['dexie', 'sessions, types, group commit', dexie],
  ['localforage', 'sessions, atomic updates', localForage],
  ['unstorage', 'types, atomic updates', unstorage],
];

/** The names of so many fields. */
export const names = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `f${index}`);

/** Fills a store with small fields. */
export async function fill(store: Store, count: number): Promise<void> {
  await Promise.all(names(count).map((field) => store.set(field, 'v'.repeat(20))));
}

/** A case that is checked by a look at what the store holds. */
export const checked = (call: () => unknown, look: () => Promise<boolean>): Case => ({
  call,
  check: async () => ((await look()) ? undefined : 'the store does not hold what it should'),
});

/** One row for each store, made of what is done with it. */
export async function rows(
  makers: Makers,
  casesOf: (store: Store) => Promise<readonly (Case | undefined)[]>,
): Promise<Contestant[]> {
  const contestants: Contestant[] = [];
  for (const [name, without, make] of makers) {
    contestants.push({ name, without, cases: await casesOf(await make()) });
  }
  return contestants;
}

/** How many fields a store has. */
export const size = async (store: Store): Promise<number> =>
  Object.keys(await store.getAll()).length;
