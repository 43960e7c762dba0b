/** Threads of Node that run what the tests have in TypeScript: the scripts in `workers/`, and other modules. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { build, buildSync } from 'esbuild';
import { afterAll } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = fileURLToPath(new URL('./workers/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'qtasks-threads-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Bundles scripts, so that they can be started without waiting. @public */
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

const modules = new Map<string, string>();

/**
 * Starts a module of the tests, which must not await at its top level.
 * @param path from the root of the repository
 */
export function startModule(path: string): Worker {
  const script = modules.get(path) ?? bundleModule(path);
  modules.set(path, script);
  return new Worker(script, { eval: true });
}

function bundleModule(path: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [path],
    absWorkingDir: root,
    bundle: true,
    write: false,
    // What is evaluated is no module. As a data: URL it would fill every stack.
    format: 'cjs',
    platform: 'node',
    target: 'node20',
  });
  return outputFiles[0]?.text ?? '';
}

/** Starts a script of its own text. */
export function startText(text: string, options: WorkerOptions = {}): Worker {
  const path = join(folder, `text-${Math.random().toString(36).slice(2)}.js`);
  writeFileSync(path, text);
  return new Worker(pathToFileURL(path), options);
}
