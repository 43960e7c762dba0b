/** Threads of Node that run what the tests have in TypeScript, which Node does not read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterAll } from 'vitest';
import { alias, root } from './sources.js';

const folder = mkdtempSync(join(tmpdir(), 'qtasks-threads-'));
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
