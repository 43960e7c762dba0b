import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtFiles, serveBuilt } from '../../scripts/serve-built.mjs';
import { launchChrome } from '../support/page.js';
import { PlaygroundPage, places } from '../support/playground.js';
import { root } from '../support/sources.js';

/** What a visitor loads at most, compressed: the page with its views, and a worker. */
const budgets = { page: 60_000, worker: 40_000 };

let server: Awaited<ReturnType<typeof serveBuilt>>;
let browser: Browser;

beforeAll(async () => {
  await promisify(execFile)('npm', ['run', '--silent', 'playground:build'], { cwd: root });
  [server, browser] = await Promise.all([serveBuilt(), launchChrome()]);
});

afterAll(async () => {
  await browser?.close();
  server?.close();
});

test.concurrent.each(places)('the static build runs the coffee in %s', async (run) => {
  const at = await PlaygroundPage.open(browser, server.url, { run, state: 'indexeddb' });
  await at.sees('Served. Both steps');
  await at.field('cups', '1');
  expect(at.faults).toEqual([]);
});

test('without npm start it says why there is no Redis', async () => {
  const at = await PlaygroundPage.open(browser, server.url, { state: 'redis' });
  const radio = at.page.getByRole('radio', { name: 'Redis' });
  expect(await radio.isDisabled()).toBe(true);
  await at.sees('No Redis: this is a static page; npm start serves one with a proxy.');
  expect(await at.page.getByRole('radio', { name: 'Memory' }).isChecked()).toBe(true);
});

test('it stays within its budgets', async () => {
  const at = await PlaygroundPage.open(browser, server.url, {});
  await at.sees('Served. Both steps');
  const paths = await at.page.evaluate(() =>
    performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
  );
  const files = builtFiles();
  const loaded = files.filter(({ path }) => path === '/index.html' || paths.includes(path));
  expect(loaded.reduce((sum, { body }) => sum + body.length, 0)).toBeLessThan(budgets.page);
  // What is not chosen is not loaded.
  expect(paths.filter((path) => /workers|indexeddb|localstorage|backend|plot/.test(path))).toEqual(
    [],
  );
  const workers = files.filter(
    ({ path, size }) => /host|indexeddb|redis/.test(path) && size > 50_000,
  );
  expect(workers).toHaveLength(3);
  for (const { path, body } of workers) expect(body.length, path).toBeLessThan(budgets.worker);
});
