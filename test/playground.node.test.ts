import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isBuilt } from '../scripts/prepare.mjs';
import { launchChrome, type Watched, watchPage } from './support/page.js';

const cwd = fileURLToPath(new URL('..', import.meta.url));
const started = (task: string) => expect.stringMatching(`^\\[example\\] ${task} started$`);
const completed = (task: string) => expect.stringMatching(`^\\[example\\] ${task} completed$`);

/** What `npm start -- --once` prints. */
let lines: string[];

beforeAll(async () => {
  if (!isBuilt()) throw new Error('dist is older than its sources: run `npm run build`');
  const command = ['--silent', 'start', '--', '--once'];
  const { stdout, stderr } = await promisify(execFile)('npm', command, { cwd });
  expect(stderr).toBe('');
  lines = stdout.split('\n').slice(0, -1);
});

test('npm start prints both examples in the order that the original has', () => {
  expect(lines).toEqual([
    'Example 1: Depends',
    started('test_depends'),
    'Call completed',
    completed('test_depends'),
    'close...',
    'Example 2: AsyncState',
    started('step1'),
    completed('step1'),
    started('step2'),
    '{"state":"await_phone","step":1,"prompt":"Enter phone number"}',
    completed('step2'),
  ]);
});

test.each([
  ['--port=http', 'received http'],
  ['--port=65536', 'from 0 to 65535'],
  ['--prot=1', 'Unknown option'],
])('npm start %s says what is wrong and starts nothing: %s', async (argument, wrong) => {
  const child = spawn(process.execPath, ['scripts/start.mjs', argument], { cwd });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, 'close');
  expect({ code, said }).toEqual({ code: 2, said: expect.stringContaining(wrong) });
});

describe('the page that npm start serves', () => {
  let server: ChildProcess;
  let printed = '';
  let url: string;
  let browser: Browser;
  let watched: Watched;
  let page: Page;

  beforeAll(async () => {
    // As on a server in the night: no terminal, nothing to read.
    server = spawn(process.execPath, ['scripts/start.mjs'], {
      cwd,
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    server.stdout?.on('data', (chunk) => {
      printed += stripVTControlCharacters(String(chunk));
    });
    await vi.waitFor(() => expect(printed).toMatch(/Redis: redis:/), { timeout: 20_000 });
    url = /http:\S+/.exec(printed)?.[0] ?? '';
    browser = await launchChrome();
    watched = await watchPage(browser, `${url}#originals`);
    page = watched.page;
    await page.waitForSelector('#output[aria-busy=false]');
  });

  afterAll(async () => {
    server?.kill();
    await browser?.close();
  });

  test('begins after the examples have run in Node', () => {
    expect(printed.split('\n').slice(0, lines.length)).toEqual(lines);
  });

  test('prints the same lines as Node, on its console and where they can be read', async () => {
    expect(watched.lines).toEqual(lines);
    expect((await page.textContent('#output'))?.split('\n').slice(0, -1)).toEqual(lines);
  });

  test('prints them once more on demand', async () => {
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.waitForSelector('#output[aria-busy=false]');
    expect((await page.textContent('#output'))?.split('\n').slice(0, -1)).toEqual(lines);
  });

  test('shows the module of tasks that ran', async () => {
    const source = readFileSync(new URL('../playground/tasks.ts', import.meta.url), 'utf8');
    expect(await page.textContent('#source')).toBe(source);
  });

  test('fits a phone, in the light and in the dark', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    const backgrounds: string[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      backgrounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
    }
    expect(new Set(backgrounds).size).toBe(2);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });

  test('has no error and no warning on its console', () => {
    expect(watched.faults).toEqual([]);
  });

  test('ends cleanly on SIGTERM', async () => {
    server.kill('SIGTERM');
    expect(await once(server, 'exit')).toEqual([0, null]);
  });

  test('does not outlive npm', async () => {
    const npm = spawn('npm', ['start', '--', '--port', '0'], {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    npm.stdout.on('data', (chunk) => {
      said += stripVTControlCharacters(String(chunk));
    });
    await vi.waitFor(() => expect(said).toMatch(/http:\S+\s/), { timeout: 20_000 });
    const served = /http:\S+/.exec(said)?.[0] ?? '';
    expect((await fetch(served)).status).toBe(200);
    npm.kill('SIGTERM');
    await vi.waitFor(() => expect(fetch(served)).rejects.toThrow(), { timeout: 10_000 });
  });
});
