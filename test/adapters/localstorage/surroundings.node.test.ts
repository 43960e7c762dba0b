/** Pages where localStorage is not all that it should be: blocked, without locks, put away, throttled. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tabs } from '../../support/tabs.js';
import type { Bare } from './bare.js';
import type { Driver } from './driver.js';

declare const bare: Bare;
declare const driver: Driver;

let tabs: Tabs;

beforeAll(async () => {
  tabs = await Tabs.launch({
    modules: {
      page: 'test/adapters/localstorage/driver.ts',
      bare: 'test/adapters/localstorage/bare.ts',
    },
    args: ['--host-resolver-rules=MAP plain.test 127.0.0.1'],
    without: ['--disable-back-forward-cache'],
  });
});

afterAll(() => tabs?.close());

test('36 a page that may not store says so when it opens, not when it imports', async () => {
  const { page } = await tabs.open(`${tabs.url}/bare`);
  const script = await page.evaluate(async () => (await fetch('/bare.js')).text());
  const frame = await page.evaluateHandle((text) => {
    const frame = document.createElement('iframe');
    frame.sandbox.add('allow-scripts');
    frame.srcdoc = `<script type="module">${text.replaceAll('</script', '<\\/script')}</script>`;
    document.body.append(frame);
    return frame;
  }, script);
  const inside = await frame.contentFrame();
  await inside?.waitForFunction(() => 'bare' in globalThis);
  expect(await inside?.evaluate(() => bare.refusal())).toBe(
    'STORAGE_UNAVAILABLE localstorage: the browser blocks it for this page; allow cookies, or use memory()',
  );
  await page.close();
});

test('34 a worker has none, and is told what to use', async () => {
  const { page } = await tabs.open(`${tabs.url}/bare`);
  const [worker] = await Promise.all([
    page.waitForEvent('worker'),
    page.evaluate(() => void new Worker('/bare.js', { type: 'module' })),
  ]);
  const refusal = await worker.evaluate(async () => {
    while (!('bare' in globalThis)) await new Promise((resolve) => setTimeout(resolve));
    return bare.refusal();
  });
  expect(refusal).toMatch(/^STORAGE_UNAVAILABLE .*hostStorage.*indexeddb/);
  await page.close();
});

test('35 on a plain http page it works within the page, and does not pretend to more', async () => {
  const { page } = await tabs.open(`${tabs.url.replace('localhost', 'plain.test')}/bare`);
  const result = await page.evaluate(async () => {
    const storage = bare.localstorage();
    const id = { app: 'plain', session: '', state: 'cart' };
    const add = async (sequence: number): Promise<unknown> =>
      storage.commit(id, { writer: 'w', sequence, set: new Map([[`f${sequence}`, '1']]) });
    await Promise.all(Array.from({ length: 20 }, (_, index) => add(index + 1)));
    return {
      locks: 'locks' in navigator,
      scope: storage.scope,
      lock: typeof storage.lock,
      size: (await storage.read(id)).fields.size,
    };
  });
  expect(result).toEqual({ locks: false, scope: 'runtime', lock: 'undefined', size: 20 });
  await page.close();
});

test('37 a page that is put away holds nothing, and reads what is new when it comes back', async () => {
  const one = await tabs.open();
  const other = await tabs.open();
  await one.page.evaluate(() => {
    driver.listen();
    addEventListener('pageshow', ({ persisted }) => Object.assign(globalThis, { persisted }));
  });
  await one.page.evaluate(() => driver.add(1));
  await one.page.goto(`${tabs.url}/bare`);
  expect(await other.page.evaluate(() => driver.locks())).toEqual([]);
  await other.page.evaluate(() => driver.add(2));
  await one.page.evaluate(() => history.back());
  await one.page.waitForFunction(() => 'persisted' in globalThis);
  expect(await one.page.evaluate(() => driver.count())).toBe(3);
  await one.page.waitForFunction(() => driver.heard.length === 3);
  expect(await one.page.evaluate(() => driver.told.map(({ sequence }) => sequence))).toEqual([
    1, 2, 3,
  ]);
});
