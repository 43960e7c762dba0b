/** Runs a section in a page: serves it to a real Chromium and takes its tables. */
import { createServer } from 'node:http';
import { chromium } from 'playwright';
import { chromeArgs, findChrome } from '../../scripts/find-tools.mjs';
import { bundle, workers } from './bundle.mjs';

/**
 * @param {string} name of the file in bench/
 * @param {import('./sections.mjs').Settings} settings
 * @returns {Promise<boolean>} whether all went well
 */
export async function runInPage(name, { quick, take }) {
  const server = await serve(await scriptsOf(name));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const executablePath = findChrome();
  if (!executablePath)
    throw new Error('no Chrome or Chromium: run `node scripts/setup.mjs chrome`');
  const browser = await chromium.launch({ executablePath, args: chromeArgs });
  try {
    const page = await browser.newPage();
    page.on('console', (message) => console.error(message.text()));
    await page.exposeFunction('deliver', take);
    const failed = new Promise((resolve) => page.on('pageerror', resolve));
    await page.goto(`http://127.0.0.1:${port}/?${quick ? 'quick' : ''}`);
    const done = page.waitForFunction(() => document.title === 'done', undefined, { timeout: 0 });
    const error = await Promise.race([done.then(() => undefined), failed]);
    if (error) console.error(error);
    return !error;
  } finally {
    await browser.close();
    server.close();
  }
}

/**
 * @param {string} name
 * @returns {Promise<ReadonlyMap<string | undefined, string>>} by path
 */
async function scriptsOf(name) {
  const scripts = new Map([['/script.js', await bundle(name, { platform: 'browser' })]]);
  for (const worker of workers) {
    const script = await bundle(`calls/workers/${worker}`, { platform: 'browser' });
    scripts.set(`/workers/${worker}.js`, script);
  }
  return scripts;
}

/** @param {ReadonlyMap<string | undefined, string>} scripts */
async function serve(scripts) {
  const server = createServer((request, response) => {
    const script = scripts.get(request.url);
    response.setHeader('Content-Type', script === undefined ? 'text/html' : 'text/javascript');
    // Else the clock of the page has steps of 100 µs.
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.end(script ?? '<script type="module" src="/script.js"></script>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  return server;
}
