/** Where bundles of tests find the library: by its name it is its sources, as in all tests. */
import { fileURLToPath } from 'node:url';
import pkg from '../../package.json' with { type: 'json' };

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** What esbuild takes, from the root on. */
export const alias = Object.fromEntries(
  Object.entries(pkg.exports).flatMap(([entry, target]) => {
    if (typeof target === 'string') return [];
    const source = target.default.replace('/dist/', '/').replace(/\.js$/, '.ts');
    return [[pkg.name + entry.slice(1), source]];
  }),
);
