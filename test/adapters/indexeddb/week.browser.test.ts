/** A week of use in a minute: nothing grows without bound, and what has expired goes. */
import { afterEach, expect, test, vi } from 'vitest';
import { indexeddb } from '../../../adapters/indexeddb.js';
import { AsyncState, QTasks } from '../../../src/index.js';
import { ManualClock } from '../../support/clock.js';
import { keysIn, newDatabase, open, requested } from './support.js';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const hour = 3_600_000;
const day = 24 * hour;

class Cart extends AsyncState<Record<string, string>> {
  static readonly id = 'cart';
  static readonly ttl = 2 * day;
}

class Settings extends AsyncState<Record<string, string>> {
  static readonly id = 'settings';
}

const large = 'x'.repeat(3_000);
const names = Array.from({ length: 20 }, (_, at) => `field ${at}`);

/** Fields of which one is large; another one each time, so that rows of their own come and go. */
const fieldsOf = (visit: number): Record<string, string> =>
  Object.fromEntries(names.map((name, at) => [name, at === visit % 20 ? large : `${visit}`]));

/** One visit: a page that is opened, used a little and left; nothing of it goes on. */
async function visit(database: string, clock: ManualClock, number: number): Promise<void> {
  const storage = indexeddb({ database, clock });
  const app = new QTasks({ name: 'shop', storage });
  const stops = [app.state(Cart).subscribe(() => {}), app.state(Settings).subscribe(() => {})];
  await app.state(Settings).update(fieldsOf(number));
  const carts = Array.from({ length: 5 }, (_, at) =>
    app.session(`cart ${(number * 5 + at) % 200}`),
  );
  await Promise.all(carts.map((cart) => cart.state(Cart).update(fieldsOf(number))));
  await carts[0]?.state(Cart).delete('field 1');
  if (number % 3 === 0) await carts[1]?.state(Cart).clear();
  await clock.advance(0);
  for (const stop of stops) stop();
  await app.close();
  await storage.close();
}

/** How many rows of each kind there are. */
async function rows(database: string): Promise<{ buckets: number; graves: number; due: number }> {
  const keys = (await keysIn(database)) as unknown[][];
  const count = (kind: (key: unknown[]) => boolean): number => keys.filter(kind).length;
  return {
    buckets: count(([app]) => app === 'shop'),
    graves: count(([app]) => app === 1),
    due: count(([app]) => app === 0),
  };
}

test('a week of visits to 200 sessions leaves what lives, and nothing of what is over', {
  timeout: 120_000,
}, async () => {
  const database = newDatabase();
  const clock = new ManualClock();
  const added = vi.spyOn(globalThis, 'addEventListener');
  const removed = vi.spyOn(globalThis, 'removeEventListener');
  const most = { buckets: 0, graves: 0, due: 0 };
  for (let number = 0; number < 168; number++) {
    await visit(database, clock, number);
    await clock.advance(hour);
    const { buckets, graves, due } = await rows(database);
    most.buckets = Math.max(most.buckets, buckets);
    most.graves = Math.max(most.graves, graves);
    most.due = Math.max(most.due, due);
  }
  // The settings, and carts of two days, five a visit, each with one large field.
  expect(most.buckets).toBeLessThanOrEqual(2 + 2 * 5 * 50);
  // Those that went in the last two visits.
  expect(most.graves).toBeLessThanOrEqual(12);
  expect(most.due).toBeLessThanOrEqual(5 * 50 + 12);
  expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
  expect(clock.pending).toBe(0);
  await clock.advance(2 * day);
  for (let number = 0; number < 12; number++) {
    await visitSettings(database, clock);
    await clock.advance(hour);
  }
  const { buckets, graves, due } = await rows(database);
  expect({ buckets, graves }).toEqual({ buckets: 1, graves: 0 });
  // What the last clear has planned may be still to come.
  expect(due).toBeLessThanOrEqual(1);
});

/** A visit that writes nothing but the settings. */
async function visitSettings(database: string, clock: ManualClock): Promise<void> {
  const storage = indexeddb({ database, clock });
  const app = new QTasks({ name: 'shop', storage });
  await app.state(Settings).clear();
  await app.state(Settings).set('one', '1');
  await clock.advance(0);
  await app.close();
  await storage.close();
}

test('a bucket remembers the newest sixteen writers, however many there were', async () => {
  const database = newDatabase();
  const clock = new ManualClock();
  for (let number = 0; number < 40; number++) await visitSettings(database, clock);
  const db = await requested(indexedDB.open(database));
  const store = db.transaction('buckets').objectStore('buckets');
  const stored: string = await requested(store.get(['shop', '', 'settings']));
  db.close();
  expect(JSON.parse(stored).sequences).toHaveLength(16);
});

test('a page that is open for a week keeps no listener and no bucket that nobody uses', async () => {
  const clock = new ManualClock();
  const storage = open(newDatabase(), { clock });
  const app = new QTasks({ name: 'shop', storage });
  const added = vi.spyOn(globalThis, 'addEventListener');
  let channels = 0;
  const stub = class extends BroadcastChannel {
    constructor(name: string) {
      super(name);
      channels++;
    }
  };
  vi.stubGlobal('BroadcastChannel', stub);
  for (let number = 0; number < 500; number++) {
    const cart = app.session(`cart ${number}`).state(Cart);
    const stop = cart.subscribe(() => {});
    if (number % 10 === 0) await cart.set('one', '1');
    stop();
  }
  expect(added.mock.calls.map(([type]) => type)).toEqual(['pagehide', 'pageshow']);
  expect(channels).toBe(1);
  expect(clock.pending).toBeLessThanOrEqual(1);
  await app.close();
});
