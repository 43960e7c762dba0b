/** `npm run bench -- browser`: states in IndexedDB and localStorage against other stores, in one page. */
import { Dexie } from 'dexie';
import { createStore, get, set, update } from 'idb-keyval';
import localforage from 'localforage';
import { AsyncState, QTasks, type StorageAdapter } from 'qtasks-lite';
import { indexeddb } from 'qtasks-lite/indexeddb';
import { localstorage } from 'qtasks-lite/localstorage';
import { createStorage } from 'unstorage';
import indexedDbDriver from 'unstorage/drivers/indexedb';
import localStorageDriver from 'unstorage/drivers/localstorage';
import { type Case, type Contestant, measure, quick } from './measure.js';

type Value = string | number;

/** What each contestant can do with the fields of one session. */
interface Store {
  set(field: string, value: Value): Promise<unknown>;
  get(field: string): Promise<unknown>;
  getAll(): Promise<object>;
  increment?(field: string): Promise<unknown>;
}

class Bench extends AsyncState<Record<string, Value>> {
  static readonly id = 'bench';
}

/** The states of an app of its own. */
function ours(storage: StorageAdapter, session = 'ann'): Store {
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

function wrapUnstorage(driver: Parameters<typeof createStorage>[0]): Store {
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

type Makers = readonly (readonly [
  name: string,
  without: string,
  make: () => Store | Promise<Store>,
])[];

const inIndexedDB: Makers = [
  ['raw transactions', 'sessions, types, group commit', raw],
  ['qtasks-lite', '', () => ours(indexeddb({ database: `ours-${Math.random()}` }))],
  ['idb-keyval', 'sessions, types, group commit', idbKeyval],
  ['dexie', 'sessions, types, group commit', dexie],
  ['localforage', 'sessions, atomic updates', localForage],
  ['unstorage', 'types, atomic updates', unstorage],
];

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `f${index}`);

/** Fills a store with small fields. */
async function fill(store: Store, count: number): Promise<void> {
  await Promise.all(names(count).map((field) => store.set(field, 'v'.repeat(20))));
}

/** A case that is checked by a look at what the store holds. */
const checked = (call: () => unknown, look: () => Promise<boolean>): Case => ({
  call,
  check: async () => ((await look()) ? undefined : 'the store does not hold what it should'),
});

/** One row for each store, made of what is done with it. */
async function rows(
  makers: Makers,
  casesOf: (store: Store) => Promise<readonly (Case | undefined)[]>,
): Promise<Contestant[]> {
  const contestants: Contestant[] = [];
  for (const [name, without, make] of makers) {
    contestants.push({ name, without, cases: await casesOf(await make()) });
  }
  return contestants;
}

const size = async (store: Store): Promise<number> => Object.keys(await store.getAll()).length;

/** 1,000 calls that nobody waits for one by one. */
async function concurrent(): Promise<void> {
  const count = quick ? 200 : 1_000;
  await measure({
    title: `${count} calls at once in IndexedDB`,
    columns: ['set', 'increment'],
    calls: 1,
    contestants: await rows(inIndexedDB, async (store) => {
      let calls = 0;
      const { increment } = store;
      const sets = checked(
        () => Promise.all(names(count).map((field, index) => store.set(field, index))),
        async () => (await store.get('f7')) === 7 && (await size(store)) >= count,
      );
      const increments = checked(
        () => {
          calls++;
          return Promise.all(names(count).map(() => increment?.('count')));
        },
        async () => (await store.get('count')) === calls * count,
      );
      return [sets, increment && increments];
    }),
    goals: [
      { column: 'set', of: 'qtasks-lite', than: 'raw transactions', atMost: 0.1 },
      { column: 'increment', of: 'qtasks-lite', than: 'raw transactions', atMost: 0.05 },
    ],
  });
}

/** One call after the other. */
async function sequential(): Promise<void> {
  await measure({
    title: 'One call after the other in IndexedDB, 20 fields',
    columns: ['set', 'get', 'increment'],
    calls: 20,
    contestants: await rows(inIndexedDB, async (store) => {
      await fill(store, 20);
      let value = 0;
      const { increment } = store;
      return [
        checked(
          () => store.set('f3', ++value),
          async () => (await store.get('f3')) === value,
        ),
        checked(
          () => store.get('f5'),
          async () => (await store.get('f5')) === 'v'.repeat(20),
        ),
        increment &&
          checked(
            () => increment('count'),
            async () => Number(await store.get('count')) > 0,
          ),
      ];
    }),
    goals: ['set', 'get'].map((column) => ({
      column,
      of: 'qtasks-lite',
      than: 'raw transactions',
      atMost: 1.25,
    })),
  });
}

/** Many fields, and large ones. */
async function large(): Promise<void> {
  await measure({
    title: 'All of 1,000 fields in IndexedDB',
    columns: ['getAll'],
    calls: 5,
    contestants: await rows(inIndexedDB, async (store) => {
      await fill(store, 1_000);
      return [
        checked(
          () => store.getAll(),
          async () => (await size(store)) === 1_000,
        ),
      ];
    }),
    goals: [{ column: 'getAll', of: 'qtasks-lite', than: 'raw transactions', atMost: 0.15 }],
  });
  await measure({
    title: 'Beside nine values of 100 KB in IndexedDB',
    columns: ['set'],
    calls: 20,
    contestants: await rows(inIndexedDB, async (store) => {
      for (const field of names(9)) await store.set(field, 'v'.repeat(100_000));
      let value = 0;
      const set = (): Promise<unknown> => store.set('small', ++value);
      return [checked(set, async () => (await store.get('small')) === value)];
    }),
    goals: [{ column: 'set', of: 'qtasks-lite', than: 'raw transactions', atMost: 1.3 }],
  });
}

/** What an operation costs does not depend on how many sessions there are. */
async function sessions(): Promise<void> {
  const makers: Makers = await Promise.all(
    [10, quick ? 1_000 : 10_000].map(async (count) => {
      const storage = indexeddb({ database: `sessions-${count}-${Math.random()}` });
      const app = new QTasks({ name: 'sessions', storage });
      const states = names(count).map((name) => app.session(name).state(Bench));
      await Promise.all(states.map((state) => state.update({ a: 1, b: 2, c: 3 })));
      return [`${count} sessions`, '', () => ours(storage)] as const;
    }),
  );
  const [few, many] = makers;
  await measure({
    title: 'One session among others in IndexedDB',
    columns: ['set', 'get'],
    calls: 20,
    contestants: await rows(makers, async (store) => {
      let value = 0;
      return [
        checked(
          () => store.set('f3', ++value),
          async () => (await store.get('f3')) === value,
        ),
        checked(
          () => store.get('f3'),
          async () => true,
        ),
      ];
    }),
    goals: ['set', 'get'].map((column) => ({
      column,
      of: many?.[0] ?? '',
      than: few?.[0] ?? '',
      atMost: 1.5,
    })),
  });
}

const bare = (): Store => ({
  async set(field, value) {
    localStorage.setItem(`bare:${field}`, JSON.stringify(value));
  },
  async get(field) {
    return JSON.parse(localStorage.getItem(`bare:${field}`) ?? 'null');
  },
  async getAll() {
    const fields = Object.keys(localStorage).filter((name) => name.startsWith('bare:'));
    return Object.fromEntries(fields.map((name) => [name, localStorage.getItem(name)]));
  },
});

/** localStorage, where the peers lose the updates of other tabs. */
async function web(): Promise<void> {
  const makers: Makers = [
    ['bare setItem', 'sessions, other tabs', bare],
    ['qtasks-lite', '', () => ours(localstorage())],
    [
      'unstorage',
      'types, other tabs',
      () => wrapUnstorage({ driver: localStorageDriver({ base: 'unstorage' }) }),
    ],
  ];
  await measure({
    title: 'localStorage, 20 fields',
    columns: ['set', 'get', '1,000 sets at once'],
    calls: 5,
    contestants: await rows(makers, async (store) => {
      await fill(store, 20);
      let value = 0;
      return [
        checked(
          () => store.set('f3', ++value),
          async () => (await store.get('f3')) === value,
        ),
        checked(
          () => store.get('f5'),
          async () => (await store.get('f5')) === 'v'.repeat(20),
        ),
        checked(
          () => Promise.all(names(1_000).map((field, index) => store.set(`many-${field}`, index))),
          async () => (await store.get('many-f7')) === 7,
        ),
      ];
    }),
  });
}

await concurrent();
await sequential();
await large();
await sessions();
await web();
document.title = 'done';
