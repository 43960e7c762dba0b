/** The part of `npm run bench` that runs in a page: serves it to a real Chromium and prints its lines. */
import { createServer } from 'node:http';
import { chromium } from 'playwright';
import { chromeArgs, findChrome } from '../scripts/find-tools.mjs';
import { bundle, workers } from './bundle.mjs';

/**
 * @param {string} name of the file in this directory
 * @param {boolean} quick
 * @param {(line: string) => void} print
 * @returns {Promise<number>} 0 where all went well
 */
export async function runInPage(name, quick, print) {
  /** @type {Map<string | undefined, string>} */
  const scripts = new Map([['/script.js', await bundle(name, { platform: 'browser' })]]);
  for (const worker of workers) {
    const script = await bundle(`workers/${worker}`, { platform: 'browser' });
    scripts.set(`/workers/${worker}.js`, script);
  }
  const server = createServer((request, response) => {
    const script = scripts.get(request.url);
    response.setHeader('Content-Type', script === undefined ? 'text/html' : 'text/javascript');
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.end(script ?? '<script type="module" src="/script.js"></script>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const executablePath = findChrome();
  if (!executablePath)
    throw new Error('no Chrome or Chromium: run `node scripts/setup.mjs chrome`');
  const browser = await chromium.launch({ executablePath, args: chromeArgs });
  try {
    const page = await browser.newPage();
    page.on('console', (message) => print(`${message.text()}\n`));
    const failed = new Promise((resolve) => page.on('pageerror', resolve));
    await page.goto(`http://127.0.0.1:${port}/?${quick ? 'quick' : ''}`);
    const done = page.waitForFunction(() => document.title === 'done', undefined, { timeout: 0 });
    const error = await Promise.race([done.then(() => undefined), failed]);
    if (error) console.error(error);
    return error ? 1 : 0;
  } finally {
    await browser.close();
    server.close();
  }
}
