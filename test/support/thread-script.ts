/** Modules of the tests as scripts for node:worker_threads, which reads no TypeScript. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import pkg from '../../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The library by its name is its sources, as in all tests. */
const alias = Object.fromEntries(
  Object.entries(pkg.exports).flatMap(([entry, target]) => {
    if (typeof target === 'string') return [];
    const source = target.default.replace('/dist/', '/').replace(/\.js$/, '.ts');
    return [[pkg.name + entry.slice(1), source]];
  }),
);

/** Bundles a module with all that it imports; gives what `new Worker` takes. */
export async function threadScript(module: URL): Promise<URL> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [fileURLToPath(module)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    alias,
  });
  return new URL(`data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`);
}
