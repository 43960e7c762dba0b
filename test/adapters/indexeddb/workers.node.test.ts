/** IndexedDB shared by a page, a dedicated, a shared and a service worker. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Tab, Tabs } from '../../support/tabs.js';
import type { Driver } from './driver.js';

declare const driver: Driver;

/** The whole proof takes minutes: TABS_TIMES=5000 TABS_RUNS=10. */
const times = Number(process.env.TABS_TIMES ?? 100);
const runs = Number(process.env.TABS_RUNS ?? 1);
const timeout = runs * times * 100 + 30_000;

let tabs: Tabs;
let tab: Tab;

beforeAll(async () => {
  tabs = await Tabs.launch({
    modules: {
      page: 'test/adapters/indexeddb/driver.ts',
      worker: 'test/adapters/indexeddb/worker.ts',
    },
  });
  tab = await tabs.open();
});

afterAll(() => tabs?.close());

/** Lets the page and all workers call a method at once; gives where it ran. */
function callAll(method: 'add' | 'addAlone'): Promise<string[]> {
  const call = { method, times };
  return tab.page.evaluate(async (call) => {
    const type = 'module';
    const dedicated = new Worker('/worker.js', { type });
    const shared = new SharedWorker('/worker.js', { type });
    await navigator.serviceWorker.register('/worker.js', { type });
    const { active } = await navigator.serviceWorker.ready;
    const ends = [dedicated, shared.port, active].map((target) => {
      const { port1, port2 } = new MessageChannel();
      const end = new Promise<string>((resolve) => {
        port1.onmessage = ({ data }) => resolve(data);
      });
      target?.postMessage(call, [port2]);
      return end;
    });
    await driver[call.method](call.times);
    return Promise.all(ends);
  }, call);
}

const scopes = [
  'DedicatedWorkerGlobalScope',
  'SharedWorkerGlobalScope',
  'ServiceWorkerGlobalScope',
];

test(`13 a page and three workers that add one ${times} times each lose nothing`, {
  timeout,
}, async () => {
  for (let run = 1; run <= runs; run++) {
    expect(await callAll('add')).toEqual(scopes);
    expect(await tab.page.evaluate(() => driver.count())).toBe(run * 4 * times);
  }
});

test('exclusive tasks of a page and three workers never overlap', { timeout }, async () => {
  const before = await tab.page.evaluate(() => driver.count());
  expect(await callAll('addAlone')).toEqual(scopes);
  expect(await tab.page.evaluate(() => driver.count())).toBe(before + 4 * times);
});
