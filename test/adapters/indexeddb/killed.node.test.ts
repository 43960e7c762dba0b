/** Processes that are killed while they write to IndexedDB: the tab's, the storage's, the browser's. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Tab, Tabs } from '../../support/tabs.js';
import type { Driver } from './driver.js';

declare const driver: Driver;

/** The whole proof: TABS_KILLS=100. */
const kills = Number(process.env.TABS_KILLS ?? 8);
const timeout = kills * 5_000 + 30_000;

let tabs: Tabs;

beforeAll(async () => {
  tabs = await Tabs.launch({ modules: { page: 'test/adapters/indexeddb/driver.ts' } });
});

afterAll(() => tabs?.close());

/** Lets a tab move for ever, until it has moved some and a little more; gives the last that it has told of. */
async function moveUntil({ page }: Tab, end: () => Promise<void>): Promise<number> {
  let last = 0;
  const enough = new Promise<void>((resolve) => {
    let left = Math.ceil(Math.random() * 10);
    page.on('console', (message) => {
      last = Number(message.text());
      if (--left === 0) resolve();
    });
  });
  // Its process ends before it does.
  void page.evaluate(() => driver.moveOn()).catch(() => {});
  await enough;
  // Anywhere between two of them.
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
  await end();
  return last;
}

test(`30 a tab killed while it writes, ${kills} times, loses nothing and keeps nobody waiting`, {
  timeout,
}, async () => {
  const heir = await tabs.open();
  for (let kill = 0; kill < kills; kill++) {
    const tab = await tabs.open();
    const moved = await moveUntil(tab, tab.kill);
    const { sum, right } = await heir.page.evaluate(() => driver.balance());
    expect(sum).toBe(0);
    expect(right).toBeGreaterThanOrEqual(moved);
    // An exclusive task: it would wait for a lock that is left.
    expect(await heir.page.evaluate(() => driver.move())).toBe(right + 1);
  }
  expect(await tabs.pids('renderer')).toContain(heir.pid);
});

test('30 a tab that is opened after a kill works at once', async () => {
  const tab = await tabs.open();
  const moved = await moveUntil(tab, tab.kill);
  const next = await tabs.open();
  expect(await next.page.evaluate(() => driver.move())).toBeGreaterThan(moved);
});

test('25 the process of the storage dies while tabs write: each write is made once', {
  timeout: 60_000,
}, async () => {
  const [one, other] = [await tabs.open(), await tabs.open()];
  const before = await one.page.evaluate(() => driver.count());
  const adding = [one, other].map(({ page }) => page.evaluate(() => driver.add(200)));
  for (let kill = 1; kill <= 3; kill++) {
    await one.page.waitForFunction(
      async (count) => (await driver.count()) > count,
      before + kill * 100 + Math.round(Math.random() * 50),
    );
    // One that was killed is not replaced at once, and may be listed a moment longer.
    await vi.waitUntil(async () => {
      const [pid] = await tabs.pids('storage.mojom.StorageService');
      return pid !== undefined && isKilled(pid);
    });
  }
  await Promise.all(adding);
  expect(await one.page.evaluate(() => driver.count())).toBe(before + 400);
});

test('a browser that is killed finds all that was acknowledged', { timeout: 60_000 }, async () => {
  const tab = await tabs.open();
  const moved = await moveUntil(tab, () => tabs.restart('SIGKILL'));
  const next = await tabs.open();
  const { sum, right } = await next.page.evaluate(() => driver.balance());
  expect(sum).toBe(0);
  expect(right).toBeGreaterThanOrEqual(moved);
});

/** Kills a process; tells whether it was there. */
function isKilled(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
