/** `npm run bench -- state`: a state on the memory adapter against other stores in memory. */
import Keyv from 'keyv';
import { LRUCache } from 'lru-cache';
import { AsyncState, QTasks, type StorageAdapter } from 'qtasks-lite';
import { memory } from 'qtasks-lite/memory';
import { createStorage } from 'unstorage';
import memoryDriver from 'unstorage/drivers/memory';
import { type Case, type Contestant, measure } from '../harness/measure.js';

type Fields = Record<string, number>;

/** What each contestant can do with fields; every operation is asynchronous, as a state's are. */
interface Store {
  set(field: string, value: number): Promise<unknown>;
  get(field: string): Promise<unknown>;
  update(fields: Fields): Promise<unknown>;
  getAll(names: readonly string[]): Promise<Partial<Fields>>;
  increment(field: string): Promise<unknown>;
}

/** Any map with synchronous `get` and `set`. */
function wrap(map: {
  get(field: string): number | undefined;
  set(field: string, value: number): unknown;
}): Store {
  return {
    async set(field, value) {
      map.set(field, value);
    },
    async get(field) {
      return map.get(field);
    },
    async update(fields) {
      for (const [field, value] of Object.entries(fields)) map.set(field, value);
    },
    async getAll(names) {
      return Object.fromEntries(names.map((name) => [name, map.get(name) ?? Number.NaN]));
    },
    async increment(field) {
      map.set(field, (map.get(field) ?? 0) + 1);
    },
  };
}

function wrapKeyv(keyv: Keyv<number>): Store {
  return {
    set: (field, value) => keyv.set(field, value),
    get: (field) => keyv.get(field),
    update: (fields) =>
      keyv.setMany(Object.entries(fields).map(([key, value]) => ({ key, value }))),
    async getAll(names) {
      const values = await keyv.getMany([...names]);
      return Object.fromEntries(names.map((name, index) => [name, values[index] ?? Number.NaN]));
    },
    async increment(field) {
      await keyv.set(field, ((await keyv.get(field)) ?? 0) + 1);
    },
  };
}

function wrapUnstorage(): Store {
  const storage = createStorage<number>({ driver: memoryDriver() });
  return {
    set: (field, value) => storage.setItem(field, value),
    get: (field) => storage.getItem(field),
    update: (fields) =>
      storage.setItems(Object.entries(fields).map(([key, value]) => ({ key, value }))),
    async getAll(names) {
      const items = await storage.getItems([...names]);
      return Object.fromEntries(items.map(({ key, value }) => [key, value as number]));
    },
    async increment(field) {
      await storage.setItem(field, ((await storage.getItem(field)) ?? 0) + 1);
    },
  };
}

class Bench extends AsyncState<Fields> {
  static readonly id = 'bench';
}

function wrapState(storage: StorageAdapter): Store {
  const state = new QTasks({ name: 'bench', storage }).state(Bench);
  return {
    set: (field, value) => state.set(field, value),
    get: (field) => state.get(field),
    update: (fields) => state.update(fields),
    getAll: () => state.getAll(),
    increment: (field) => state.update((now) => ({ [field]: (now[field] ?? 0) + 1 })),
  };
}

const lru = (): Store => wrap(new LRUCache<string, number>({ max: 1000 }));
const stores: readonly (readonly [name: string, without: string, create: () => Store])[] = [
  ['Map', 'copy, expire, watch', () => wrap(new Map())],
  ['qtasks-lite', '', () => wrapState(memory())],
  ['lru-cache', 'copy, watch', lru],
  ['unstorage', 'atomic updates, expire', wrapUnstorage],
  ['keyv', 'atomic updates, watch', () => wrapKeyv(new Keyv<number>())],
];

const names = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `field${index}`);

const record = (count: number, value: number): Fields =>
  Object.fromEntries(names(count).map((name) => [name, value]));

const differs = (found: unknown, expected: unknown): string | undefined =>
  String(found) === String(expected)
    ? undefined
    : `found ${String(found)} instead of ${String(expected)}`;

const sum = (fields: Partial<Fields>): number =>
  Object.values(fields).reduce<number>((a, b = Number.NaN) => a + b, 0);

/** One case for each column of the first table, each on a store of its own. */
async function operations(create: () => Store): Promise<Case[]> {
  const [setting, getting, updating, reading] = [create(), create(), create(), create()];
  await getting.update(record(10, 7));
  await reading.update(record(100, 7));
  const hundred = names(100);
  let value = 0;
  return [
    {
      call: () => setting.set('field', ++value),
      check: async () => differs(await setting.get('field'), value),
    },
    { call: () => getting.get('field3'), check: (_, last) => differs(last, 7) },
    {
      call: () => updating.update(record(10, ++value)),
      check: async () => differs(sum(await updating.getAll(names(10))), 10 * value),
    },
    {
      call: () => reading.getAll(hundred),
      check: (_, last) => differs(sum(last as Fields), 700),
    },
  ];
}

const atOnce = 1000;

/** So many increments at the same time, in turn of each of the fields. */
function increments(store: Store, count: number): Case {
  const fields = names(count);
  let total = 0;
  return {
    call: () =>
      Promise.all(
        Array.from({ length: atOnce }, (_, index) => store.increment(fields[index % count] ?? '')),
      ),
    async check(calls) {
      total += calls * atOnce;
      return differs(sum(await store.getAll(fields)), total);
    },
  };
}

/** How many commits the increments of one `Promise.all` become. */
async function commits(count: number): Promise<number> {
  const storage = memory();
  const commit = storage.commit.bind(storage);
  let made = 0;
  storage.commit = (...args) => {
    made++;
    return commit(...args);
  };
  await increments(wrapState(storage), count).call();
  return made;
}

async function contestants(
  cases: (create: () => Store) => readonly Case[] | Promise<readonly Case[]>,
): Promise<Contestant[]> {
  return Promise.all(
    stores.map(async ([name, without, create]) => ({ name, without, cases: await cases(create) })),
  );
}

const goal = (column: string, than: string, atMost: number) => {
  return { column, of: 'qtasks-lite', than, atMost };
};

await measure({
  title: 'State in memory, one operation after the other',
  columns: ['set', 'get', 'update of 10 fields', 'all of 100 fields'],
  contestants: await contestants(operations),
  calls: 2_000,
  goals: [
    goal('set', 'keyv', 1),
    goal('set', 'unstorage', 1),
    goal('get', 'keyv', 1),
    goal('get', 'unstorage', 1),
  ],
});

await measure({
  title: `State in memory, ${atOnce} increments at once`,
  columns: ['1 field', '20 fields'],
  contestants: await contestants((create) => [increments(create(), 1), increments(create(), 20)]),
  calls: 20,
  goals: [goal('1 field', 'Map', 15), goal('20 fields', 'Map', 15)],
  notes: [`qtasks-lite makes ${await commits(1)} and ${await commits(20)} commits of them`],
});
