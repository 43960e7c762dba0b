/** `npm run bench -- indexeddb`: states in IndexedDB against other stores, in one page. */
import { QTasks } from 'qtasks-lite';
import { indexeddb } from 'qtasks-lite/indexeddb';
import { measure } from '../harness/measure.js';
import {
  Bench,
  checked,
  fill,
  inIndexedDB,
  type Makers,
  names,
  ours,
  rows,
  size,
} from './page-stores.js';

/** 1,000 calls that nobody waits for one by one; those who increment have one field. */
async function concurrent(): Promise<void> {
  const count = 1_000;
  await measure({
    title: '1,000 sets at once in IndexedDB',
    columns: ['set'],
    calls: 1,
    contestants: await rows(inIndexedDB, async (store) => [
      checked(
        () => Promise.all(names(count).map((field, index) => store.set(field, index))),
        async () => (await store.get('f7')) === 7 && (await size(store)) === count,
      ),
    ]),
    goals: [{ column: 'set', of: 'qtasks-lite', than: 'raw transactions', atMost: 0.1 }],
  });
  await measure({
    title: '1,000 increments at once in IndexedDB',
    columns: ['increment'],
    calls: 1,
    contestants: await rows(inIndexedDB, async (store) => {
      let calls = 0;
      const { increment } = store;
      return [
        increment &&
          checked(
            () => {
              calls++;
              return Promise.all(names(count).map(() => increment('count')));
            },
            async () => (await store.get('count')) === calls * count,
          ),
      ];
    }),
    goals: [{ column: 'increment', of: 'qtasks-lite', than: 'raw transactions', atMost: 0.05 }],
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
    [10, 10_000].map(async (count) => {
      const storage = indexeddb({ database: `sessions-${count}-${Math.random()}` });
      const app = new QTasks({ name: 'sessions', storage });
      const states = names(count).map((name) => app.session(name).state(Bench));
      await Promise.all(states.map((state) => state.update({ a: 1, b: 2, c: 3 })));
      return [`${count.toLocaleString('en')} sessions`, '', () => ours(storage)] as const;
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

await concurrent();
await sequential();
await large();
await sessions();
document.title = 'done';
