/** IndexedDB shared by tabs that run in processes of their own. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Tab, Tabs } from '../../support/tabs.js';
import type { Driver } from './driver.js';

declare const driver: Driver;
/** The one that the page has loaded before. */
declare const first: Driver;

/** The whole proof takes minutes: TABS_TIMES=5000 TABS_RUNS=10. */
const times = Number(process.env.TABS_TIMES ?? 500);
const runs = Number(process.env.TABS_RUNS ?? 1);
const timeout = runs * times * 50 + 30_000;

let tabs: Tabs;
let one: Tab;
let other: Tab;

beforeAll(async () => {
  tabs = await Tabs.launch({ modules: { page: 'test/adapters/indexeddb/driver.ts' } });
  one = await tabs.open();
  other = await tabs.open();
});

afterAll(() => tabs?.close());

const count = (): Promise<number> => one.page.evaluate(() => driver.count());

test('two tabs are two processes', async () => {
  const renderers = await tabs.pids('renderer');
  expect(renderers).toContain(one.pid);
  expect(renderers).toContain(other.pid);
  expect(one.pid).not.toBe(other.pid);
});

test(`12 two tabs that add one ${times} times each lose nothing`, { timeout }, async () => {
  for (let run = 1; run <= runs; run++) {
    await Promise.all(
      [one, other].map(({ page }) => page.evaluate((times) => driver.add(times), times)),
    );
    expect(await count()).toBe(run * 2 * times);
  }
});

test('15 an update of several fields is never seen half done by another tab', async () => {
  await one.page.evaluate(() => driver.account.clear());
  const looking = other.page.evaluate(async () => {
    const sums = new Set<number>();
    for (let right = 0; right < 100; ) {
      const balance = await driver.balance();
      sums.add(balance.sum);
      right = balance.right;
    }
    return [...sums];
  });
  await one.page.evaluate(async () => {
    for (let time = 0; time < 100; time++) await driver.move();
  });
  expect(await looking).toEqual([0]);
});

test('19 fifty writers in each of two tabs all finish, without a conflict that is left', async () => {
  const before = await count();
  const writing = [one, other].map(({ page }) =>
    page.evaluate(async () => {
      await Promise.all(Array.from({ length: 50 }, () => driver.add(4)));
    }),
  );
  await Promise.all(writing);
  expect(await count()).toBe(before + 400);
});

test('19 an update gets its turn beside a tab that writes without a pause', async () => {
  const before = await count();
  const writing = other.page.evaluate(() => driver.writeOn());
  await one.page.evaluate(() => driver.add(50));
  await other.page.evaluate(() => driver.stop());
  await writing;
  expect(await count()).toBe(before + 50);
});

test('exclusive tasks of two tabs never overlap', async () => {
  const before = await count();
  await Promise.all([one, other].map(({ page }) => page.evaluate(() => driver.addAlone(50))));
  expect(await count()).toBe(before + 100);
});

test('50 a write is told once in each tab that listens, with its fields and where it comes from', async () => {
  await one.page.evaluate(() => driver.account.update({ count: 1, right: 1 }));
  for (const { page } of [one, other]) await page.evaluate(() => driver.subscribe());
  await one.page.evaluate(() => driver.account.update({ count: 2, right: 2 }));
  // Who hears late tells what is there by then.
  await other.page.waitForFunction(() => driver.changes.length > 0);
  await one.page.evaluate(() => driver.account.delete('right'));
  await other.page.waitForFunction(() => driver.changes.length > 1);
  await other.page.evaluate(() => driver.account.set('count', 3));
  for (const { page } of [one, other]) {
    await page.waitForFunction(() => driver.changes.some(({ changed }) => changed.length === 1));
    // Whatever was told twice would be here by now.
    await page.evaluate(() => driver.account.getAll());
  }
  const changes = ({ page }: Tab) => page.evaluate(() => driver.changes);
  const told = (origin: string, next: string) => [
    { changed: ['count', 'right'], deleted: [], origin },
    { changed: [], deleted: ['right'], origin },
    { changed: ['count'], deleted: [], origin: next },
  ];
  expect(await changes(one)).toEqual(told('local', 'remote'));
  expect(await changes(other)).toEqual(told('remote', 'local'));
});

test('38 two copies of the library on one page share data and locks', async () => {
  const before = await count();
  await one.page.evaluate(() => Object.assign(globalThis, { first: driver }) && undefined);
  await one.page.addScriptTag({ url: '/page.js?copy', type: 'module' });
  await one.page.evaluate(async () => {
    if (first === driver) throw new Error('there is only one');
    await Promise.all([first.addAlone(30), driver.addAlone(30)]);
    await Promise.all([first.add(30), driver.add(30)]);
  });
  expect(await count()).toBe(before + 120);
});
