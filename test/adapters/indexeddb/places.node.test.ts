/** Pages that are put away and come back, and pages that are not allowed everything. */
import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tabs } from '../../support/tabs.js';
import type { Driver } from './driver.js';

declare const driver: Driver;

let tabs: Tabs;

beforeAll(async () => {
  tabs = await Tabs.launch({
    modules: {
      page: 'test/adapters/indexeddb/driver.ts',
      elsewhere: 'test/adapters/indexeddb/elsewhere.ts',
    },
    args: ['--host-resolver-rules=MAP plain.test 127.0.0.1'],
    without: ['--disable-back-forward-cache'],
  });
});

afterAll(() => tabs?.close());

/** Leaves a page, lets another tab do something, comes back, and gives what the page reports then. */
async function comeBack(page: Page, other: Page, meanwhile: () => Promise<void>): Promise<unknown> {
  const heard = other.evaluate(() => driver.hear());
  await page.evaluate(() => {
    location.href = '/elsewhere';
  });
  expect(await heard).toBe('elsewhere');
  await meanwhile();
  // By itself: Playwright loses sight of a page that comes back.
  return other.evaluate(() => driver.hear('back'));
}

test('37 a page that comes back from the bfcache reads what is new, and its listeners are told once', async () => {
  const [{ page }, { page: other }] = [await tabs.open(), await tabs.open()];
  await page.evaluate(async () => {
    await driver.account.update({ count: 1, right: 1 });
    driver.subscribe();
    addEventListener('pageshow', async ({ persisted }) => {
      const count = await driver.count();
      await driver.add(1);
      driver.say({ persisted, count, changes: driver.changes });
    });
  });
  const report = await comeBack(page, other, () =>
    other.evaluate(async () => void (await driver.account.update({ count: 2, right: 2 }))),
  );
  expect(report).toEqual({
    persisted: true,
    count: 2,
    changes: [
      { changed: ['count', 'right'], deleted: [], origin: 'remote' },
      { changed: ['count'], deleted: [], origin: 'local' },
    ],
  });
  expect(await other.evaluate(() => driver.count())).toBe(3);
});

test('37 what a page writes as it is put away is written when it is back', async () => {
  const [{ page }, { page: other }] = [await tabs.open(), await tabs.open()];
  const before = await page.evaluate(() => driver.count());
  await page.evaluate(() => {
    let adding: Promise<void>;
    addEventListener('pagehide', () => {
      adding = driver.add(20);
    });
    addEventListener('pageshow', async ({ persisted }) => {
      await adding;
      driver.say({ persisted, count: await driver.count() });
    });
  });
  const report = await comeBack(page, other, () => other.evaluate(() => driver.add(5)));
  expect(report).toEqual({ persisted: true, count: before + 25 });
});

test('35 on plain http all works but exclusive tasks, which say what is missing', async () => {
  const { page } = await tabs.open(tabs.url.replace('localhost', 'plain.test').concat('/page'));
  expect(await page.evaluate(() => 'locks' in navigator)).toBe(false);
  await page.evaluate(() => driver.add(10));
  expect(await page.evaluate(() => driver.count())).toBe(10);
  expect(await page.evaluate(() => driver.storage.scope)).toBe('origin');
  const code = page.evaluate(() => driver.move().catch(({ code }) => code));
  expect(await code).toBe('STORAGE_MISSING');
});

test('36 where the browser refuses storage the module loads, and a use says what is wrong', async () => {
  const { page } = await tabs.open(`${tabs.url}/elsewhere`);
  await page.evaluate(() => {
    const frame = document.createElement('iframe');
    frame.sandbox.add('allow-scripts');
    frame.src = '/page';
    document.body.append(frame);
  });
  const frame = await page.waitForSelector('iframe').then((element) => element.contentFrame());
  await frame?.waitForFunction(() => 'driver' in globalThis);
  const failure = await frame?.evaluate(() =>
    driver.account.get('count').catch(({ code, message }) => ({ code, message })),
  );
  expect(failure).toEqual({
    code: 'STORAGE_UNAVAILABLE',
    message: 'indexeddb: database "qtasks-lite" failed: SecurityError',
  });
});

test('a page that is reloaded again and again, a moment after it has written, leaves nothing', async () => {
  const { page } = await tabs.open();
  const write = (visit: number) =>
    page.evaluate(async (visit) => {
      driver.pass(visit * 600_000);
      for (let session = 0; session < 20; session++) {
        const set = new Map([['a', `${visit}`]]);
        await driver.commit(`${visit} ${session}`, { set, ttl: 600_000 });
      }
    }, visit);
  for (let visit = 0; visit < 12; visit++) {
    await write(visit);
    await page.reload();
  }
  // Of the last two visits, with a row each that says when to look.
  expect(await page.evaluate(() => driver.rows())).toBeLessThanOrEqual(2 * 2 * 20 + 2);
});
