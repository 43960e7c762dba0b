import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { launchChrome } from '../support/page.js';
import { PlaygroundPage, PlaygroundServer } from '../support/playground.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qtasks-start-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('npm start ends its Redis with itself and leaves nothing behind', async () => {
  const server = await PlaygroundServer.start({ TMPDIR: folder, REDIS_URL: '' });
  const port = Number(/redis:\/\/127\.0\.0\.1:(\d+)/.exec(server.printed)?.[1]);
  expect(await answers(port)).toBe(true);
  expect(await readdir(folder)).toHaveLength(1);
  expect(await server.stop()).toEqual([0, null]);
  expect(await answers(port)).toBe(false);
  expect(await readdir(folder)).toEqual([]);
});

test('without a redis-server the page says so, and has all the rest', async () => {
  const [server, browser] = await Promise.all([
    PlaygroundServer.start({ PATH: '', REDIS_SERVER_PATH: '', REDIS_URL: '' }),
    launchChrome(),
  ]);
  const at = await PlaygroundPage.open(browser, server.url, { run: 'worker', state: 'redis' });
  await at.sees('No Redis: npm start has found no redis-server on this machine.');
  expect(await at.page.getByRole('radio', { name: 'Redis' }).isDisabled()).toBe(true);
  await at.sees('Served. Both steps');
  expect(at.faults).toEqual([]);
  await browser.close();
  await server.stop();
});

/** Whether somebody listens there. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
