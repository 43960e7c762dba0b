/** Runs a section in a process of its own and takes its tables. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { bundle, nodeWorkers } from './bundle.mjs';

const cache = 'bench/node_modules/.cache';

/**
 * Peers and `qtasks-lite` stay imports, and the code comes by stdin: so it is resolved as from a file
 * of bench/, where the package is linked.
 * @param {string} name of the file in bench/
 * @param {readonly string[]} nodeOptions
 * @param {import('./sections.mjs').Settings} settings
 * @returns {Promise<boolean>} whether all went well
 */
export async function runInChild(name, nodeOptions, { quick, profile, take }) {
  const script = await bundle(name, { packages: 'external', platform: 'node' });
  if (name === 'calls/threads') await writeWorkers();
  const options = [...nodeOptions, '--expose-gc', '--input-type=module'];
  if (profile) options.push('--cpu-prof', '--cpu-prof-dir=node_modules/.cache');
  const child = spawn(process.execPath, [...options, '-', ...(quick ? ['--quick'] : [])], {
    cwd: 'bench',
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (table) => take(/** @type {import('./figures.js').Table} */ (table)));
  child.stdin?.end(script);
  const [status] = await once(child, 'close');
  return status === 0;
}

/** The scripts of Node's workers have to be files. */
async function writeWorkers() {
  mkdirSync(`${cache}/workers`, { recursive: true });
  for (const worker of nodeWorkers) {
    const script = await bundle(`calls/workers/${worker}`, { format: 'cjs', platform: 'node' });
    writeFileSync(`${cache}/workers/${worker}.cjs`, script);
  }
}
