/** What the tests of tabs and workers call there, by the name `driver`: an app on IndexedDB. */
import { promisifyRequest } from 'idb-keyval';
import { indexeddb } from '../../../adapters/indexeddb.js';
import { systemClock } from '../../../src/clock.js';
import { AsyncState, QTasks, type StateChange } from '../../../src/index.js';
import type { Commit, CommitResult } from '../../../src/storage.js';

interface Fields {
  count: number;
  /** Large, so that it has a row of its own. */
  left: { amount: number; padding: string };
  right: number;
}

class Account extends AsyncState<Fields> {
  static readonly id = 'account';
}

let passed = 0;
const clock = { ...systemClock, now: (): number => Date.now() + passed };
const storage = indexeddb({ clock });
const app = new QTasks({ name: 'tabs', storage });
const account = app.state(Account);
const padding = 'x'.repeat(5_000);

/** Adds one in two calls: without the lock others would read the same number in between. */
const addAlone = app.task(
  'addAlone',
  { state: Account },
  async ({ state }) => {
    const count = await state.get('count', 0);
    await state.set('count', count + 1);
  },
  { exclusive: true },
);

/** Moves one from the left to the right; returns how many are on the right then. */
const move = app.task(
  'move',
  { state: Account },
  async ({ state }): Promise<number> => {
    const { right = 0 } = await state.update(({ left, right = 0 }) => ({
      left: { amount: (left?.amount ?? 0) - 1, padding },
      right: right + 1,
    }));
    return right;
  },
  { exclusive: true },
);

let sequence = 0;
const changes: StateChange<Fields>[] = [];
let stop = (): void => {};

export const driver = {
  storage,
  account,
  changes,
  /** Adds one so many times, each after the last. */
  async add(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      await account.update(({ count = 0 }) => ({ count: count + 1 }));
    }
  },
  async addAlone(times: number): Promise<void> {
    await Promise.all(Array.from({ length: times }, () => addAlone()));
  },
  move: (): Promise<number> => Promise.resolve(move()),
  /** Moves for ever, and says on the console how far it has come. */
  async moveOn(): Promise<never> {
    for (;;) console.log(await driver.move());
  },
  /** Writes for ever, without looking, until it is told to stop. */
  async writeOn(): Promise<void> {
    let isOver = false;
    stop = () => {
      isOver = true;
    };
    for (let right = 0; !isOver; right++) await account.set('right', right);
  },
  stop: (): void => stop(),
  async balance(): Promise<{ sum: number; right: number }> {
    const { left, right = 0 } = await account.getAll();
    return { sum: (left?.amount ?? 0) + right, right };
  },
  /** Lets time pass at once. */
  pass(duration: number): void {
    passed += duration;
  },
  /** Commits past the app. */
  commit(session: string, changes: Partial<Commit>): Promise<CommitResult> {
    const id = { app: 'full', session, state: 'any' };
    return storage.commit(id, { writer: 'driver', sequence: ++sequence, ...changes });
  },
  /** How many rows the database has, past the adapter. */
  async rows(): Promise<number> {
    const db = await promisifyRequest(indexedDB.open('qtasks-lite'));
    const rows = await promisifyRequest(db.transaction('buckets').objectStore('buckets').count());
    db.close();
    return rows;
  },
  /** A text that no compression makes small. */
  noise(length: number): string {
    let text = '';
    while (text.length < length) text += Math.random().toString(36).slice(2);
    return text.slice(0, length);
  },
  count: (): Promise<number> => account.get('count', 0),
  /** Says something to the tab that hears. */
  say: (what: unknown): void => new BroadcastChannel('test').postMessage(what),
  /** Hears what is said next, after it has said something itself. */
  hear(what?: unknown): Promise<unknown> {
    const channel = new BroadcastChannel('test');
    if (what !== undefined) channel.postMessage(what);
    return new Promise((resolve) => {
      channel.onmessage = ({ data }) => resolve(data);
    });
  },
  subscribe: (): unknown => account.subscribe((change) => changes.push(change)),
};

export type Driver = typeof driver;

Object.assign(globalThis, { driver });
