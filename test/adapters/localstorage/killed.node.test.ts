/** Tabs on localStorage whose processes are killed while they and others write. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Tab, Tabs } from '../../support/tabs.js';
import type { Driver } from './driver.js';

declare const driver: Driver;

/** TABS_KILLS=100 for the whole proof. */
const kills = Number(process.env.TABS_KILLS ?? 5);

let tabs: Tabs;
let survivor: Tab;

beforeAll(async () => {
  tabs = await Tabs.launch({ modules: { page: 'test/adapters/localstorage/driver.ts' } });
  survivor = await tabs.open();
});

afterAll(() => tabs?.close());

/** The acknowledged transfers of a tab, as far as the test was told. */
interface Transfers {
  count: number;
}

async function transfersOf({ page }: Tab): Promise<Transfers> {
  const transfers = { count: 0 };
  await page.exposeFunction('report', () => transfers.count++);
  return transfers;
}

/** Waits for some transfers, and some random milliseconds more. */
async function progress(transfers: Transfers): Promise<void> {
  const enough = transfers.count + Math.random() * 20;
  await vi.waitFor(() => expect(transfers.count).toBeGreaterThan(enough), 10_000);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
}

const fields = (): Promise<Record<string, number>> =>
  survivor.page.evaluate(async () => ({ ...(await driver.account.get()) }));

test(`32 ${kills} tabs that are killed as they write lose nothing that was acknowledged`, {
  timeout: kills * 5_000 + 30_000,
}, async () => {
  const own = await transfersOf(survivor);
  let dead = 0;
  for (let kill = 0; kill < kills; kill++) {
    const victim = await tabs.open();
    const others = await transfersOf(victim);
    const going = survivor.page.evaluate(() => driver.transfer());
    // It ends by being killed.
    victim.page.evaluate(() => driver.transfer()).catch(() => {});
    await progress(others);
    await victim.kill();
    // Whoever is left works at once.
    await progress(own);
    await survivor.page.evaluate(() => driver.stop());
    await going;

    dead += others.count;
    const { count = 0, left = 0, right = 0 } = await fields();
    // More may have been made that nobody was told of.
    expect(count).toBeGreaterThanOrEqual(own.count + dead);
    expect({ left, right }).toEqual({ left: -count, right: count });
    // All that is held is the survivor's: that it is there and, for a while, what it wrote last.
    const locks = await survivor.page.evaluate(() => driver.locks());
    expect(locks.filter((lock) => !lock.includes(':at:'))).toEqual([
      expect.stringContaining(':here:'),
    ]);
    expect(locks.length).toBeLessThanOrEqual(2);
  }
});
