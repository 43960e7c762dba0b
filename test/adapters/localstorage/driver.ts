/** What the tests of tabs call there, by the name `driver`: an app on localStorage. */
import { localstorage } from '../../../adapters/localstorage.js';
import { AsyncState, QTasks, type StateChange, task } from '../../../src/index.js';
import type { Change } from '../../../src/storage.js';

interface Fields {
  readonly count: number;
  readonly left: number;
  readonly right: number;
}

class Account extends AsyncState<Fields> {
  static readonly id = 'account';
}

declare global {
  /** Tells a test that wants to know of a transfer, also if the tab is killed next. */
  var report: (() => void) | undefined;
}

/** Wrong by itself: between its read and its write others may write. */
const alone = task(
  'alone',
  { state: Account },
  async ({ state }) => state.set('count', (await state.get('count', 0)) + 1),
  { exclusive: true },
);

const storage = localstorage();
const app = new QTasks({ name: 'tabs', tasks: { alone }, storage });
const account = app.state(Account);
const id = { app: 'tabs', session: '', state: 'account' };
const told: Change[] = [];
let isGoing = false;
let acknowledged = 0;
const heard: StateChange<Fields>[] = [];

const driver = {
  storage,
  account,
  id,
  told,
  heard,
  /** Adds one so many times, each after the last. */
  async add(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      await account.update(({ count = 0 }) => ({ count: count + 1 }));
    }
  },
  /** The same by hand, with a lock and nothing else. */
  async addByLock(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      await navigator.locks.request('by hand', () => {
        localStorage.setItem('by hand', String(Number(localStorage.getItem('by hand')) + 1));
      });
    }
  },
  /** Adds one so many times by tasks that exclude each other. */
  async addAlone(times: number): Promise<void> {
    for (let time = 0; time < times; time++) await app.run(alone);
  },
  /** Moves one from left to right until it is stopped; gives how often that was acknowledged. */
  async transfer(): Promise<number> {
    acknowledged = 0;
    for (isGoing = true; isGoing; acknowledged++) {
      await account.update(({ count = 0, left = 0, right = 0 }) => ({
        count: count + 1,
        left: left - 1,
        right: right + 1,
      }));
      globalThis.report?.();
    }
    return acknowledged;
  },
  /** Waits until it has done so a few times more. */
  async goOn(): Promise<void> {
    for (const enough = acknowledged + 5; acknowledged < enough; ) await account.get();
  },
  stop(): void {
    isGoing = false;
  },
  count: (): Promise<number> => account.get('count', 0),
  /** Begins to write down what it is told. */
  listen(): void {
    storage.watch?.(id, (change) => told.push(change));
    account.subscribe((change) => heard.push(change));
  },
  /** The names of all locks of the library. */
  async locks(): Promise<string[]> {
    const { held = [] } = await navigator.locks.query();
    return held.flatMap(({ name }) => (name?.startsWith('qtasks-lite:') ? [name] : [])).sort();
  },
};

export type Driver = typeof driver;

Object.assign(globalThis, { driver });
