/** IndexedDB shared by tabs that run in processes of their own. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Tab, Tabs } from '../../support/tabs.js';
import type { Driver } from './driver.js';

declare const driver: Driver;

/** The whole proof takes minutes: TABS_TIMES=5000 TABS_RUNS=10. */
const times = Number(process.env.TABS_TIMES ?? 500);
const runs = Number(process.env.TABS_RUNS ?? 1);

let tabs: Tabs;
let one: Tab;
let other: Tab;

beforeAll(async () => {
  tabs = await Tabs.launch({ modules: { page: 'test/adapters/indexeddb/driver.ts' } });
  one = await tabs.open();
  other = await tabs.open();
});

afterAll(() => tabs?.close());

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
