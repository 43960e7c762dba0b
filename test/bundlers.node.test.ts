/** A user's page and worker with the packed library, by each way into the browser. */
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build as bundle } from 'esbuild';
import type { Browser } from 'playwright';
import {
  build,
  createServer,
  type InlineConfig,
  type PreviewServer,
  preview,
  type ViteDevServer,
} from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import webpack from 'webpack';
import { Consumer } from './support/consumer.js';
import { launchChrome, watchPage } from './support/page.js';

const fixture = fileURLToPath(new URL('bundlers', import.meta.url));

/** What the page prints. */
const printed = [
  'nobody but the worker can greet Ann, visit 1',
  'nobody but the worker can greet Bob, visit 2',
  '1',
  '2',
  '3',
  'RangeError: as it has to, true',
  'isolated false, SharedArrayBuffer undefined',
  'closed',
];

/** No inline code, no `eval`, nothing from elsewhere; and no headers that isolate the page. */
const strict = { 'Content-Security-Policy': "default-src 'self'; script-src 'self'" };

const host = '127.0.0.1';
let consumer: Consumer;
let browser: Browser;
let settings: InlineConfig;

beforeAll(async () => {
  [consumer, browser] = await Promise.all([Consumer.create(), launchChrome()]);
  await cp(fixture, consumer.dir, { recursive: true });
  settings = { root: consumer.dir, configFile: false, logLevel: 'error', appType: 'mpa' };
});

afterAll(async () => {
  await Promise.all([consumer?.remove(), browser?.close()]);
});

/** Opens a page, and compares what it prints. */
async function expectToWork(server: PreviewServer | ViteDevServer, path = ''): Promise<void> {
  try {
    const { lines, faults, page } = await watchPage(browser, server.resolvedUrls?.local[0] + path);
    const isOver = (): boolean => lines.includes('closed') || faults.length > 0;
    await expect.poll(isOver, { timeout: 20_000 }).toBe(true);
    await page.close();
    expect({ lines, faults }).toEqual({ lines: printed, faults: [] });
  } finally {
    await server.close();
  }
}

/** Serves a folder, as any server of files does. */
function serveFiles(outDir: string, headers: Record<string, string> = {}): Promise<PreviewServer> {
  return preview({ ...settings, build: { outDir }, preview: { port: 0, host, headers } });
}

/** The scripts in a folder: those that have tasks, and the others. */
async function scriptsIn(folder: string): Promise<{ tasks: string[]; others: string[] }> {
  const scripts = { tasks: [] as string[], others: [] as string[] };
  for (const path of await readdir(join(consumer.dir, folder), { recursive: true })) {
    if (!path.endsWith('.js')) continue;
    const text = await readFile(join(consumer.dir, folder, path), 'utf8');
    scripts[text.includes('nobody but the worker') ? 'tasks' : 'others'].push(path);
  }
  return scripts;
}

test('vite serves it from its sources', async () => {
  const server = await createServer({
    ...settings,
    server: { port: 0, host },
    // Else it learns what the worker imports as that is loaded, and loads the page once more.
    optimizeDeps: { entries: ['index.html', 'worker.ts'] },
  });
  await server.listen();
  await expectToWork(server);
});

test('vite builds it, with no task for the page and nothing that a strict policy refuses', async () => {
  const outDir = 'built-by-vite';
  await build({ ...settings, build: { outDir } });
  expect(await scriptsIn(outDir)).toEqual({
    tasks: [expect.stringMatching(/^assets\/worker-/)],
    others: [expect.stringMatching(/^assets\/index-/)],
  });
  await expectToWork(await serveFiles(outDir, strict));
});

test('webpack builds it, with no task for the page and nothing that a strict policy refuses', async () => {
  const outDir = 'built-by-webpack';
  const html = await readFile(join(fixture, 'index.html'), 'utf8');
  await consumer.write(`${outDir}/index.html`, html.replace('/page.ts', '/main.js'));
  await cp(join(fixture, 'public'), join(consumer.dir, outDir), { recursive: true });
  const complaints = await runWebpack({
    mode: 'production',
    // It takes four times as long as all the rest, and what vite builds is minified.
    optimization: { minimize: false },
    // Its limits are for what is minified, too.
    performance: { hints: false },
    context: consumer.dir,
    entry: './page.ts',
    output: { path: join(consumer.dir, outDir) },
    module: { rules: [{ test: /\.ts$/, use: join(fixture, 'strip-types.cjs') }] },
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  });
  expect(complaints).toEqual({ errors: [], warnings: [] });
  const { tasks, others } = await scriptsIn(outDir);
  expect(tasks).toHaveLength(1);
  expect(others).toContain('main.js');
  await expectToWork(await serveFiles(outDir, strict));
});

test('a page needs no bundler, only an import map', async () => {
  const stripped: BuildOptions = { outdir: join(consumer.dir, 'plain'), target: 'es2022' };
  await bundle({ ...stripped, entryPoints: [join(consumer.dir, 'page.ts')] });
  // In workers there are no import maps.
  await bundle({
    ...stripped,
    entryPoints: [join(consumer.dir, 'worker.ts')],
    bundle: true,
    format: 'esm',
  });
  const page = await readFile(join(consumer.dir, 'plain/page.js'), 'utf8');
  await consumer.write('plain/page.js', page.replace('./worker.ts', './worker.js'));
  await expectToWork(await serveFiles('.'), 'plain.html');
});

function runWebpack(configuration: webpack.Configuration): Promise<object | undefined> {
  return new Promise((resolve, reject) => {
    webpack(configuration, (error, stats) => {
      if (error) reject(error);
      else resolve(stats?.toJson({ all: false, errors: true, warnings: true }));
    });
  });
}
