/**
 * Makes the pictures of the README from the real page: docs/playground.png and docs/playground-dark.png, the
 * pipeline in a pool of workers on Redis, in mid-run. `node scripts/playground-picture.mjs`
 */
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { chromium } from 'playwright';
import { chromeArgs, findChrome } from './find-tools.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const most = 200_000;

const executablePath = findChrome();
if (!executablePath) throw new Error('no Chrome or Chromium: run `node scripts/setup.mjs chrome`');
const served = spawn(process.execPath, ['scripts/start.mjs', '--port', '0'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const url = await new Promise((resolve) => {
  let printed = '';
  served.stdout.on('data', (chunk) => {
    printed += stripVTControlCharacters(String(chunk));
    const found = /(http:\S+)[\s\S]*Redis: redis/.exec(printed);
    if (found) resolve(found[1]);
  });
});
process.on('exit', () => served.kill());
const browser = await chromium.launch({ executablePath, args: chromeArgs });

for (const [colorScheme, name] of /** @type {const} */ ([
  ['light', 'playground.png'],
  ['dark', 'playground-dark.png'],
])) {
  const page = await browser.newPage({
    viewport: { width: 1_180, height: 912 },
    deviceScaleFactor: 1,
    colorScheme,
  });
  await page.goto(`${url}?run=pool&state=redis#pipeline`);
  await page.getByText('worker 1 ready').waitFor();
  await page.getByRole('button', { name: 'Import' }).click();
  await page.getByText('356 rows are in.').waitFor();
  // Once more, so that the timeline is full.
  await page.getByRole('button', { name: 'Import again' }).click();
  await page.waitForFunction(() =>
    /^[67]$/.test(`${document.querySelector('.figure')?.textContent}`),
  );
  const path = `docs/${name}`;
  await page.screenshot({ path: `${root}${path}` });
  const { size } = statSync(`${root}${path}`);
  console.log(`${path}: ${size} bytes`);
  if (size > most) throw new Error(`${path} is larger than ${most} bytes`);
}
await browser.close();
served.kill();
