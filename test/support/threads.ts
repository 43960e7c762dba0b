/** Threads of Node that run what the tests have in TypeScript, which Node does not read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterAll } from 'vitest';
import pkg from '../../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'qtasks-threads-'));
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The library by its name is its sources, as in all tests. */
const alias = Object.fromEntries(
  Object.entries(pkg.exports).flatMap(([entry, target]) => {
    if (typeof target === 'string') return [];
    const source = target.default.replace('/dist/', '/').replace(/\.js$/, '.ts');
    return [[pkg.name + entry.slice(1), source]];
  }),
);

/**
 * Bundles a module with all that it imports; gives what `new Worker` takes.
 * @param path from the root of the repository
 */
export async function threadScript(path: string): Promise<URL> {
  const outfile = join(folder, path.replaceAll('/', '-').replace(/ts$/, 'js'));
  await build({
    absWorkingDir: root,
    entryPoints: [path],
    bundle: true,
    outfile,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    alias,
    logLevel: 'silent',
  });
  return pathToFileURL(outfile);
}

/** Starts a script of its own text. */
export function startText(text: string, options: WorkerOptions = {}): Worker {
  const path = join(folder, `text-${Math.random().toString(36).slice(2)}.js`);
  writeFileSync(path, text);
  return new Worker(pathToFileURL(path), options);
}

/** Starts a script. */
export function startThread(script: URL, options: WorkerOptions = {}): Worker {
  return new Worker(script, options);
}
