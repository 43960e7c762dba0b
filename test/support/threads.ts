/** Threads of Node that run a module of the tests, which is TypeScript: it is bundled first. */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

const bundled = new Map<string, string>();

/** Starts a module, which must not await at its top level, in a thread. @param path from the root of the repository */
export function startThread(path: string): Worker {
  const script = bundled.get(path) ?? bundle(path);
  bundled.set(path, script);
  return new Worker(script, { eval: true });
}

function bundle(path: string): string {
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
