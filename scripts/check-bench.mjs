/**
 * `npm run check:bench`: the benchmarks compile, against the built package and the peers, which have a
 * package.json of their own: what is missing is installed.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { install, prepare } from './prepare.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
prepare();
install('bench');
const { status, error } = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'bench'],
  { stdio: ['ignore', 'inherit', 'inherit'] },
);
if (error) throw error;
process.exitCode = status ?? 1;
