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

/** Lets a tab transfer until it is killed, at a random moment; gives how much was acknowledged by then. */
async function transferAndDie({ page, kill }: Tab): Promise<number> {
  let acknowledged = 0;
  await page.exposeFunction('report', () => acknowledged++);
  page.evaluate(() => driver.transfer()).catch(() => {});
  const enough = Math.random() * 20;
  await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(enough), 10_000);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
  await kill();
  return acknowledged;
}

const fields = (): Promise<Record<string, number>> =>
  survivor.page.evaluate(async () => ({ ...(await driver.account.get()) }));

test(`32 ${kills} tabs that are killed as they write lose nothing that was acknowledged`, {
  timeout: kills * 5_000 + 30_000,
}, async () => {
  let acknowledged = 0;
  for (let kill = 0; kill < kills; kill++) {
    const victim = await tabs.open();
    const going = survivor.page.evaluate(() => driver.transfer());
    acknowledged += await transferAndDie(victim);
    // Whoever is left goes on at once.
    await survivor.page.evaluate(() => driver.goOn());
    await survivor.page.evaluate(() => driver.stop());
    acknowledged += await going;

    const { count = 0, left = 0, right = 0 } = await fields();
    // More may have been made that nobody was told of.
    expect(count).toBeGreaterThanOrEqual(acknowledged);
    expect({ left, right }).toEqual({ left: -count, right: count });
    // All that is held is the survivor's: that it is there and, for a while, what it wrote last.
    const locks = await survivor.page.evaluate(() => driver.locks());
    expect(locks.filter((lock) => !lock.includes(':at:'))).toEqual([
      expect.stringContaining(':here:'),
    ]);
    expect(locks.length).toBeLessThanOrEqual(2);
  }
});
