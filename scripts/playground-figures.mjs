/**
 * What the built playground costs a visitor: `npm run playground:figures`. Bytes by resource, compressed;
 * first paint, largest paint, shifts, and when the first task has run, on a fast machine and on a phone
 * (a processor four times slower, 1.6 Mbit/s, 150 ms), medians of five cold loads.
 */
import { chromium } from 'playwright';
import { chromeArgs, findChrome } from './find-tools.mjs';
import { builtFiles, serveBuilt } from './serve-built.mjs';

const runs = 5;
const kilobytes = (/** @type {number} */ bytes) => `${(bytes / 1_000).toFixed(1)} kB`;

for (const { path, size, body } of builtFiles().sort((a, b) => b.body.length - a.body.length)) {
  console.log(`${kilobytes(size).padStart(10)} ${kilobytes(body.length).padStart(9)} br  ${path}`);
}

const executablePath = findChrome();
if (!executablePath) throw new Error('no Chrome or Chromium: run `node scripts/setup.mjs chrome`');
const server = await serveBuilt();
const browser = await chromium.launch({ executablePath, args: chromeArgs });
for (const [name, isPhone] of /** @type {const} */ ([
  ['desktop', false],
  ['phone', true],
])) {
  /** @type {Record<string, number>[]} */
  const loads = [];
  for (let run = 0; run < runs; run++) loads.push(await load(isPhone));
  const medians = Object.keys(loads[0] ?? {}).map((figure) => {
    const values = loads.map((each) => each[figure] ?? 0).sort((a, b) => a - b);
    return `${figure} ${values[Math.floor(runs / 2)]}`;
  });
  console.log(`${name}: ${medians.join(', ')}`);
}
await browser.close();
server.close();

/** @param {boolean} isPhone */
async function load(isPhone) {
  const viewport = isPhone ? { width: 390, height: 844 } : { width: 1_440, height: 900 };
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  let [bytes, requests] = [0, 0];
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests++;
  });
  if (isPhone) {
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    const rate = 1_600_000 / 8;
    await devtools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 150,
      downloadThroughput: rate,
      uploadThroughput: rate,
    });
  }
  await page.addInitScript(observe);
  await page.goto(server.url);
  await page.locator('.run .body').first().waitFor({ state: 'attached' });
  const firstTask = await page.evaluate(() => Math.round(performance.now()));
  await page.getByText('Served. Both steps').waitFor();
  const paints = await page.evaluate(() => ({ ...Object(Reflect.get(globalThis, 'figures')) }));
  await context.close();
  return { ...paints, 'first task seen (ms)': firstTask, requests, bytes };
}

/** Runs in the page, before anything of it. */
function observe() {
  /** @type {Record<string, number>} */
  const figures = {};
  Reflect.set(globalThis, 'figures', figures);
  const names = /** @type {const} */ ({
    paint: 'first contentful paint (ms)',
    'largest-contentful-paint': 'largest contentful paint (ms)',
    'layout-shift': 'layout shift',
  });
  figures[names['layout-shift']] = 0;
  for (const [type, name] of Object.entries(names)) {
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.name === 'first-paint') continue;
        const shift = Reflect.get(entry, 'value');
        if (typeof shift === 'number') figures[name] = (figures[name] ?? 0) + shift;
        else figures[name] = Math.round(entry.startTime);
      }
    }).observe({ type, buffered: true });
  }
}
