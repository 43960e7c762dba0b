/** What the tests of tabs and workers call there, by the name `driver`: an app on IndexedDB. */
import { indexeddb } from '../../../adapters/indexeddb.js';
import { AsyncState, Context, QTasks, task } from '../../../src/index.js';

class Account extends AsyncState<{ count: number; left: number; right: number }> {
  static readonly id = 'account';
}

const storage = indexeddb();
const app = new QTasks({ name: 'tabs', storage });
const account = app.state(Account);

/** Writes down when it is alone and when not any more, where every other tab sees it. */
const alone = task(
  'alone',
  { state: Account, ctx: Context },
  async ({ state }) => {
    // Without the lock others would read the same number in between.
    const count = await state.get('count', 0);
    await state.set('left', count);
    await state.set('count', count + 1);
  },
  { exclusive: true },
);

const driver = {
  storage,
  account,
  /** Adds one so many times, each after the last. */
  async add(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      await account.update(({ count = 0 }) => ({ count: count + 1 }));
    }
  },
  /** Adds one so many times by tasks that exclude each other. */
  async addAlone(times: number): Promise<void> {
    await Promise.all(Array.from({ length: times }, () => app.run(alone)));
  },
  count: (): Promise<number> => account.get('count', 0),
};

export type Driver = typeof driver;

Object.assign(globalThis, { driver });
