/** The scripts in `workers/`, bundled for threads of Node. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterAll } from 'vitest';

const sources = fileURLToPath(new URL('./workers/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'qtasks-threads-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Bundles scripts, so that they can be started without waiting. */
export async function bundleScripts(names: readonly string[]): Promise<void> {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  await build({
    entryPoints: names.map((name) => join(sources, `${name}.ts`)),
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'node20',
    platform: 'node',
    outdir: folder,
    logLevel: 'silent',
  });
}

/** Starts a script that was bundled. */
export function startThread(name: string, options: WorkerOptions = {}): Worker {
  return new Worker(pathToFileURL(join(folder, `${name}.js`)), options);
}

/** Starts a script of its own text. */
export function startText(text: string, options: WorkerOptions = {}): Worker {
  const path = join(folder, `text-${Math.random().toString(36).slice(2)}.js`);
  writeFileSync(path, text);
  return new Worker(pathToFileURL(path), options);
}
