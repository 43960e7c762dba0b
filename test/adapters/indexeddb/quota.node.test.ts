/** A disk that is full, as Chromium has it once an origin may store little. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Tab, Tabs } from '../../support/tabs.js';
import type { Driver } from './driver.js';

declare const driver: Driver;

let tabs: Tabs;
let tab: Tab;

beforeAll(async () => {
  tabs = await Tabs.launch({ modules: { page: 'test/adapters/indexeddb/driver.ts' } });
  tab = await tabs.open();
  // Before the first use: Chromium remembers for a while how much room there is.
  const session = await tabs.context.newCDPSession(tab.page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: tabs.url, quotaSize: 1_000_000 });
});

afterAll(() => tabs?.close());

beforeEach(() => tab.page.evaluate(() => driver.account.clear()));

test('22 a full disk shows only in the abort: the write fails and leaves what was there', async () => {
  await tab.page.evaluate(() => driver.account.update({ count: 1, right: 1 }));
  const failure = await tab.page.evaluate(() =>
    driver.account.update({ count: 2, left: { amount: 1, padding: driver.noise(2_000_000) } }).then(
      () => 'made',
      ({ code, message, cause }) => ({ code, message, cause: cause.name }),
    ),
  );
  expect(failure).toEqual({
    code: 'STORAGE_QUOTA',
    message: 'indexeddb: database "qtasks-lite" is full; delete something, or store less',
    cause: 'QuotaExceededError',
  });
  expect(await tab.page.evaluate(() => driver.account.getAll())).toEqual({ count: 1, right: 1 });
});

test('22 small writes that travel with one that is too large are made', async () => {
  const statuses = await tab.page.evaluate(async () => {
    const set = (session: string, size: number) =>
      driver.commit(session, { set: new Map([['a', driver.noise(size)]]) });
    const ends = await Promise.allSettled([set('a', 10), set('b', 2_000_000), set('c', 10)]);
    return ends.map(({ status }) => status);
  });
  expect(statuses).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

/** Writes ever smaller pieces, until nothing at all has room; gives how much could be written. */
const fill = (): Promise<number> =>
  tab.page.evaluate(async () => {
    let written = 0;
    for (let size = 400_000; size >= 1; ) {
      const set = new Map([['a', driver.noise(size)]]);
      try {
        await driver.commit(`full ${written}`, { set, ttl: 600_000 });
        written += size;
      } catch {
        size = Math.floor(size / 4);
      }
    }
    return written;
  });

const clear = (): Promise<void> =>
  tab.page.evaluate(async () => {
    for await (const id of driver.storage.list({ app: 'full' })) {
      const { fields } = await driver.storage.read(id);
      if (fields.size !== 1) throw new Error('it cannot be read');
      await driver.commit(id.session, { clear: true });
    }
  });

test('22 what is on a full disk can be read and cleared, and then there is room again', async () => {
  expect(await fill()).toBeGreaterThan(200_000);
  expect(await fill()).toBeLessThan(50_000);
  await clear();
  // Chromium takes its time to see it.
  await expect.poll(fill).toBeGreaterThan(200_000);
});

test('22 what expires on a full disk makes room', async () => {
  await fill();
  expect(await fill()).toBeLessThan(50_000);
  await tab.page.evaluate(() => driver.pass(600_000));
  await expect.poll(fill).toBeGreaterThan(200_000);
});
