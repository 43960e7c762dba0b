/** `npm run bench -- localstorage`: where the peers lose the updates of other tabs. */
import { localstorage } from 'qtasks-lite/localstorage';
import localStorageDriver from 'unstorage/drivers/localstorage';
import { measure } from '../harness/measure.js';
import {
  checked,
  fill,
  type Makers,
  names,
  ours,
  rows,
  type Store,
  wrapUnstorage,
} from './page-stores.js';

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
document.title = 'done';
