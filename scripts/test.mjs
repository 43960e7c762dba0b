/**
 * `npm test`: installs, builds, sees to the programs that the tests need, and runs every test.
 *   npm test [-- vitest arguments]
 */
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { onEnd } from './end.mjs';
import { prepare } from './prepare.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
prepare();

const setup = spawnSync(process.execPath, ['scripts/setup.mjs'], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (setup.status !== 0) process.exit(setup.status ?? 1);

const vitest = spawn(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)],
  { stdio: ['ignore', 'inherit', 'inherit'] },
);
onEnd((signal) => vitest.kill(signal));
vitest.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0);
});
