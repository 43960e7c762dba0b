/** A page that ends in mid-call, while its shared worker goes on with others. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Tab, Tabs } from '../../support/tabs.js';
import type { Driver } from './tab.js';

declare const driver: Driver;

let tabs: Tabs;

beforeAll(async () => {
  tabs = await Tabs.launch({
    modules: { page: 'test/adapters/worker/tab.ts', worker: 'test/support/workers/app.ts' },
  });
});

afterAll(() => tabs?.close());

/** What the worker has noted, once there is this much. */
function notes({ page }: Tab, count: number): Promise<string[]> {
  return page.evaluate(async (count) => {
    for (;;) {
      const notes = await driver.app.run('readNotes');
      if (notes.length >= count) return notes;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, count);
}

test.each([
  ['closed', (tab: Tab) => tab.page.close()],
  ['killed', (tab: Tab) => tab.kill()],
  ['left', (tab: Tab) => tab.page.goto('about:blank')],
])('the run of a page that is %s is cancelled, and its worker goes on', async (_how, end) => {
  const stays = await tabs.open();
  const before = await notes(stays, 0);
  const leaves = await tabs.open();
  const instances = [stays, leaves].map(({ page }) =>
    page.evaluate(() => Promise.resolve(driver.app.run('readInstance'))),
  );
  const [one, other] = await Promise.all(instances);
  expect(other).toBe(one);
  await leaves.page.evaluate(async () => {
    void driver.app.run('wait').settled;
    await driver.app.run('add', 1, 2);
  });
  await end(leaves);
  const [opened, closed] = (await notes(stays, before.length + 2)).slice(before.length);
  expect(opened).toBe('+resource');
  expect(closed).toContain('!resource run: the page');
  expect(await stays.page.evaluate(() => Promise.resolve(driver.app.run('readInstance')))).toBe(
    one,
  );
  await stays.page.close();
  if (!leaves.page.isClosed()) await leaves.page.close();
});
