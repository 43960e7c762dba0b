/** What tests call in another thread, by the name `driver`: it hosts storages, and uses those of its host. */
import { memory } from '../../../adapters/memory.js';
import { type StorageFactory, testStorage } from '../../../adapters/testing/index.js';
import { holdAlive } from '../../../adapters/worker/alive.js';
import { parentEndpoint } from '../../../adapters/worker/endpoint.js';
import { hostStorage } from '../../../adapters/worker/host-storage.js';
import { offerStorage } from '../../../adapters/worker/storage-offer.js';
import { AsyncState, QTasks, task } from '../../../src/index.js';
import { MovedClock, travel } from './moved-clock.js';
import { odd } from './odd.js';

class Account extends AsyncState<{ count: number }> {
  static readonly id = 'account';
}

/** Wrong by itself: between its read and its write others may write. */
const alone = task(
  'alone',
  { state: Account },
  async ({ state }) => state.set('count', (await state.get('count', 0)) + 1),
  { exclusive: true },
);

const clock = new MovedClock();
const hosted = memory({ clock });
const storage = hostStorage();
const app = new QTasks({ name: 'app', tasks: { alone }, storage });
const id = { app: 'app', session: '', state: 'any' };

/** The tests of the suite by name, as this thread would run them. */
function suite(factory: StorageFactory): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>();
  testStorage((name, run) => tests.set(name, run), 'suite', factory);
  return tests;
}

const tests = suite(() => ({
  open: () => hostStorage(),
  sleep(duration) {
    parentEndpoint()?.postMessage({ passed: duration }, []);
    return travel(duration);
  },
}));

export const driver = {
  /** Offers one of its own storages on a port; gives the lock that it holds as long as it lives. */
  async offer(port: MessagePort, which: 'memory' | 'odd'): Promise<string | undefined> {
    offerStorage(port, which === 'odd' ? odd() : hosted);
    return holdAlive();
  },
  /** Lets time pass for the storage that it offers. */
  async pass(duration: number): Promise<void> {
    clock.pass(duration);
  },
  /** Runs a test of the contract suite on its host's storage. */
  async prove(name: string): Promise<void> {
    const run = tests.get(name);
    if (!run) throw new Error(`there is no test "${name}"`);
    await run();
  },
  /** Adds one so many times, each after the last. */
  async add(times: number): Promise<void> {
    const account = app.state(Account);
    for (let time = 0; time < times; time++) {
      await account.update(({ count = 0 }) => ({ count: count + 1 }));
    }
  },
  /** Adds one so many times by tasks that exclude each other. */
  async addAlone(times: number): Promise<void> {
    await Promise.all(Array.from({ length: times }, () => app.run(alone)));
  },
  /** Takes a lock for good. */
  async hold(): Promise<void> {
    await storage.lock?.({ app: 'app', session: 'ann' }, {});
  },
  /** Commits for ever. */
  async commitOn(): Promise<void> {
    for (let sequence = 1; ; sequence++) {
      const set = new Map([['left', `${sequence}`]]).set('right', `${sequence}`);
      await storage.commit(id, { writer: 'driver', sequence, set });
    }
  },
  /** Fails as its host's storage does. */
  async fail(): Promise<{ code: unknown; message: string }> {
    try {
      await storage.read(id);
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string };
      return { code, message };
    }
    throw new Error('it did not fail');
  },
};

export type Driver = typeof driver;
