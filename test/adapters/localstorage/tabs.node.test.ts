/** localStorage shared by tabs that run in processes of their own. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Tab, Tabs } from '../../support/tabs.js';
import type { Driver } from './driver.js';

declare const driver: Driver;

/** The whole proof takes minutes: TABS_TIMES=5000 TABS_RUNS=10. */
const times = Number(process.env.TABS_TIMES ?? 300);
const runs = Number(process.env.TABS_RUNS ?? 1);

let tabs: Tabs;
let one: Tab;
let other: Tab;

beforeAll(async () => {
  tabs = await Tabs.launch({ modules: { page: 'test/adapters/localstorage/driver.ts' } });
  one = await tabs.open();
  other = await tabs.open();
});

afterAll(() => tabs?.close());

beforeEach(() => one.page.evaluate(() => driver.account.clear()));

test('two tabs are two processes', async () => {
  const renderers = await tabs.pids('renderer');
  expect(renderers).toContain(one.pid);
  expect(renderers).toContain(other.pid);
  expect(one.pid).not.toBe(other.pid);
});

test(`12 two tabs that add one ${times} times each lose nothing`, {
  timeout: runs * times * 50 + 30_000,
}, async () => {
  for (let run = 1; run <= runs; run++) {
    await Promise.all(
      [one, other].map(({ page }) => page.evaluate((count) => driver.add(count), times)),
    );
    expect(await one.page.evaluate(() => driver.count())).toBe(run * 2 * times);
  }
});

test(`two tabs that add one ${times} times each by exclusive tasks lose nothing`, {
  timeout: times * 100 + 30_000,
}, async () => {
  await Promise.all(
    [one, other].map(({ page }) => page.evaluate((count) => driver.addAlone(count), times)),
  );
  expect(await one.page.evaluate(() => driver.count())).toBe(2 * times);
});

test('50 every tab is told of every commit once, in the order in which they were made', async () => {
  const both = [one, other].map(({ page }) => page);
  for (const page of both) await page.evaluate(() => driver.listen());
  await Promise.all(both.map((page) => page.evaluate((count) => driver.add(count), times)));
  const revision = await one.page.evaluate(
    async () => (await driver.storage.read(driver.id)).revision,
  );
  const lists = [];
  for (const page of both) {
    await page.waitForFunction((last) => driver.told.at(-1)?.revision === last, revision);
    lists.push(await page.evaluate(() => driver.told));
  }
  const [told, toldToo] = lists;
  expect(toldToo).toEqual(told);
  expect(new Set(told?.map(({ revision }) => revision)).size).toBe(2 * times);
  expect(told).toHaveLength(2 * times);
});

test('steps in two tabs see each other’s changes', async () => {
  await other.page.evaluate(() => {
    driver.heard.length = 0;
    driver.listen();
  });
  await one.page.evaluate(() => driver.addAlone(1));
  await other.page.waitForFunction(() => driver.heard.length > 0);
  const [heard] = await other.page.evaluate(() => driver.heard);
  expect(heard).toEqual({ changed: ['count'], deleted: [], origin: 'remote' });
  expect(await other.page.evaluate(() => driver.count())).toBe(1);
});

test('15 an update of three fields is never seen half done by another tab', async () => {
  const going = one.page.evaluate(() => driver.transfer());
  const wrong = await other.page.evaluate(async () => {
    for (let seen = 0; seen < 100; ) {
      const { count = 0, left = 0, right = 0 } = await driver.account.get();
      if (left !== -count || right !== count) return { count, left, right };
      seen = count;
    }
    return 'none';
  });
  await one.page.evaluate(() => driver.stop());
  await going;
  expect(wrong).toBe('none');
});

test('a Web Lock alone is not enough: what it loses is printed with TABS_TIMES', async () => {
  await Promise.all(
    [one, other].map(({ page }) => page.evaluate((count) => driver.addByLock(count), times)),
  );
  const count = await one.page.evaluate(() => Number(localStorage.getItem('by hand')));
  // How many are lost is a matter of luck, and may be none.
  expect(count).toBeLessThanOrEqual(2 * times);
  if (process.env.TABS_TIMES) console.info(`with a lock alone ${count} of ${2 * times} are left`);
});
