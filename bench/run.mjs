/**
 * Runs the benchmarks against the built package, each part in a process of its own.
 *   npm run bench -- [depends] [state] [core] [redis] [browser] [worker] [--quick] [--cpu-prof]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { prepare } from '../scripts/prepare.mjs';
import { runInPage } from './browser.mjs';
import { bundle, nodeWorkers } from './bundle.mjs';

/**
 * The engine collects between the samples, and there is room for one sample: whether a collection, which
 * costs some milliseconds, falls into it would decide the figure. A parallel one waits for busy processors.
 */
const steady = [
  '--single-threaded-gc',
  '--initial-old-space-size=4096',
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
];

/** For files that run in a page of Chromium. */
const inPage = 'page';

/** Each section's files, and what each is run with. */
const sections = {
  depends: { depends: steady },
  state: { state: steady },
  core: { runs: steady, core: steady, heap: [] },
  browser: { browser: inPage },
  redis: { redis: steady },
  worker: { 'worker-page': inPage, 'worker-threads': steady },
};
const names = Object.keys(sections);
const flags = ['--quick', '--cpu-prof'];
const words = process.argv.slice(2);
const strange = words.filter((word) => !names.includes(word) && !flags.includes(word));
if (strange.length > 0) {
  const known = [...names, ...flags].join(', ');
  console.error(`bench: there is no ${strange.join(', ')}; expected some of ${known}`);
  process.exit(2);
}

process.chdir(new URL('..', import.meta.url).pathname);
// A figure of an old build would be a figure of nothing.
prepare();
const chosen = Object.entries(sections).filter(([name]) => words.includes(name));
let failed = false;
for (const [, files] of chosen.length > 0 ? chosen : Object.entries(sections)) {
  for (const [name, options] of Object.entries(files)) {
    const status =
      typeof options === 'string'
        ? await runInPage(name, words.includes('--quick'))
        : await run(name, options);
    failed ||= status !== 0;
  }
}
process.exit(failed ? 1 : 0);

/**
 * Peers and `qtasks-lite` stay imports, and the code comes by stdin: so it is resolved as from a file
 * of this directory, where the package finds itself by its name.
 * @param {string} name
 * @param {readonly string[]} nodeOptions
 */
async function run(name, nodeOptions) {
  const script = await bundle(name, { packages: 'external', platform: 'node' });
  if (name === 'worker-threads') await writeWorkers();
  const options = [...nodeOptions, '--expose-gc', '--input-type=module'];
  if (words.includes('--cpu-prof'))
    options.push('--cpu-prof', '--cpu-prof-dir=node_modules/.cache/bench');
  const rest = words.includes('--quick') ? ['--quick'] : [];
  const { status } = spawnSync(process.execPath, [...options, '-', ...rest], {
    input: script,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  return status;
}

/** The scripts of Node's workers have to be files. */
async function writeWorkers() {
  const folder = 'node_modules/.cache/bench/workers';
  mkdirSync(folder, { recursive: true });
  for (const worker of nodeWorkers) {
    const script = await bundle(`workers/${worker}`, { format: 'cjs', platform: 'node' });
    writeFileSync(`${folder}/${worker}.cjs`, script);
  }
}
