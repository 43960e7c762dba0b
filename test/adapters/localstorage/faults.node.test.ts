/** localStorage that is full or emptied by others, and several copies of the library on a page. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Tab, Tabs } from '../../support/tabs.js';
import type { Bare } from './bare.js';
import type { Driver } from './driver.js';

declare const driver: Driver;
declare const bare: Bare;
/** What the first copy has put there. */
declare const first: { readonly driver: Driver; readonly bare: Bare };

let tabs: Tabs;
let tab: Tab;

beforeAll(async () => {
  const modules = {
    page: 'test/adapters/localstorage/driver.ts',
    bare: 'test/adapters/localstorage/bare.ts',
  };
  tabs = await Tabs.launch({ modules });
});

afterAll(() => tabs?.close());

/** Loads a module of the page a second time. */
async function loadAgain(name: string): Promise<void> {
  await tab.page.evaluate(
    (known) => {
      Object.assign(globalThis, { first: { [known]: Reflect.get(globalThis, known) } });
    },
    name === 'page' ? 'driver' : name,
  );
  await tab.page.addScriptTag({ url: `/${name}.js?again`, type: 'module' });
}

beforeEach(async () => {
  await tab?.page.close();
  tab = await tabs.open();
  await tab.page.evaluate(() => {
    localStorage.clear();
    sessionStorage.clear();
  });
});

test('9, 21 a write that does not fit is refused as a whole, and what was there is there', async () => {
  const result = await tab.page.evaluate(async () => {
    await driver.account.update({ count: 1, left: 2 });
    const before = JSON.stringify({ ...localStorage });
    const huge = 'x'.repeat(6_000_000) as unknown as number;
    const codeOf = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => 'ok',
        (error) => error.code,
      );
    const codes = [
      await codeOf(driver.account.set('count', huge)),
      await codeOf(driver.account.update({ left: 3, right: huge, count: 4 })),
    ];
    const after = JSON.stringify({ ...localStorage });
    await driver.account.set('right', 5);
    return { codes, isSame: before === after, fields: { ...(await driver.account.get()) } };
  });
  expect(result).toEqual({
    codes: ['STORAGE_QUOTA', 'STORAGE_QUOTA'],
    isSame: true,
    fields: { count: 1, left: 2, right: 5 },
  });
});

test('21 of commits that travel together those that fit are made', async () => {
  const result = await tab.page.evaluate(async () => {
    driver.listen();
    const sizes = { first: 1, a: 1_000, huge: 6_000_000, b: 1_000 };
    const commits = Object.entries(sizes).map(([field, size], sequence) =>
      driver.storage
        .commit(driver.id, { writer: 'w', sequence, set: new Map([[field, 'x'.repeat(size)]]) })
        .then(
          ({ ok }) => String(ok),
          (error) => error.code,
        ),
    );
    const results = await Promise.all(commits);
    const { fields } = await driver.storage.read(driver.id);
    return { results, names: [...fields.keys()], told: driver.told.map(({ fields }) => fields) };
  });
  expect(result).toEqual({
    results: ['true', 'true', 'STORAGE_QUOTA', 'true'],
    names: ['first', 'a', 'b'],
    told: [['first'], ['a'], ['b']],
  });
});

test('what somebody else has filled is told of as well, and freed it works again', async () => {
  const codes = await tab.page.evaluate(async () => {
    const codeOf = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => 'ok',
        (error) => error.code,
      );
    // As much as there is, to the last character.
    for (let size = 4_000_000, count = 0; size >= 1; ) {
      try {
        localStorage.setItem(`foreign${count++}`, 'x'.repeat(size));
      } catch {
        size /= 2;
      }
    }
    const full = await codeOf(driver.account.set('count', 1));
    localStorage.clear();
    return [full, await codeOf(driver.account.set('count', 1))];
  });
  expect(codes).toEqual(['STORAGE_QUOTA', 'ok']);
});

test('33, 50 a tab is told when another one empties the storage', async () => {
  await tab.page.evaluate(() => driver.add(1));
  const other = await tabs.open();
  await other.page.evaluate(() => driver.listen());
  await other.page.waitForFunction(async () => (await driver.count()) === 1);
  await tab.page.evaluate(() => localStorage.clear());
  await other.page.waitForFunction(() => driver.heard.length > 0);
  expect(await other.page.evaluate(() => driver.told)).toEqual([
    { revision: null, writer: '', sequence: 0, fields: 'all' },
  ]);
  expect(await other.page.evaluate(() => driver.heard)).toEqual([
    { changed: [], deleted: ['count'], origin: 'remote' },
  ]);
  expect(await other.page.evaluate(() => driver.count())).toBe(0);
  await other.page.evaluate(() => driver.add(1));
  expect(await tab.page.evaluate(() => driver.count())).toBe(1);
  await other.page.close();
});

test('50 a tab is told of a removal by hand, but not of one of what was over', async () => {
  const other = await tabs.open();
  await other.page.evaluate(() => driver.listen());
  await tab.page.evaluate(async () => {
    const set = new Map([['count', '1']]);
    const remove = (): void => localStorage.removeItem('qtasks-lite:["tabs","","account"]');
    await driver.storage.commit(driver.id, { writer: 'w', sequence: 1, set });
    await driver.storage.commit(driver.id, { writer: 'w', sequence: 2, clear: true });
    remove();
    await driver.storage.commit(driver.id, { writer: 'w', sequence: 3, set });
    remove();
    await driver.storage.commit(driver.id, { writer: 'w', sequence: 4, set });
  });
  await other.page.waitForFunction(() => driver.told.at(-1)?.sequence === 4);
  const told = await other.page.evaluate(() => driver.told.map(({ sequence }) => sequence));
  expect(told).toEqual([1, 2, 3, 0, 4]);
  await other.page.close();
});

test('38 two copies of the library on a page share data, locks and notices', async () => {
  await loadAgain('page');
  const result = await tab.page.evaluate(async () => {
    const both = [first.driver, driver];
    for (const one of both) one.listen();
    await Promise.all(both.map((one) => one.add(10)));
    await Promise.all(both.map((one) => one.addAlone(10)));
    // What is told is told a moment later.
    await new Promise((resolve) => setTimeout(resolve));
    const [told, toldToo] = both.map((one) => one.told.map(({ revision }) => revision));
    return {
      areTwo: new Set(both).size === 2,
      count: await driver.count(),
      areToldTheSame: String(told) === String(toldToo),
      told: new Set(told).size,
    };
  });
  expect(result).toMatchObject({ areTwo: true, count: 40, areToldTheSame: true, told: 40 });
});

test('38 so it is on sessionStorage, where the page’s own locks keep them apart', async () => {
  await tab.page.goto(`${tabs.url}/bare`);
  await loadAgain('bare');
  const result = await tab.page.evaluate(async () => {
    const both = [first.bare, bare];
    const [one, other] = both.map(({ localstorage }) => localstorage({ area: sessionStorage }));
    if (!one?.lock || !other?.lock) return 'no locks';
    const place = { app: 'session', session: '' };
    const release = await one.lock(place, {});
    let order = '';
    const waiting = other.lock(place, {}).then((free) => {
      order += 'other ';
      return free();
    });
    await new Promise((resolve) => setTimeout(resolve));
    order += 'one ';
    await release();
    await waiting;
    const { held = [] } = await navigator.locks.query();
    return { areTwo: new Set(both).size === 2, scope: one.scope, order, held: held.length };
  });
  expect(result).toEqual({ areTwo: true, scope: 'runtime', order: 'one other ', held: 0 });
});
