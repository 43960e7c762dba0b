/**
 * Runs the benchmarks against the built package, each part in a process of its own.
 *   npm run bench -- [depends] [state] [core] [redis] [browser] [worker] [--quick] [--cpu-prof] [--report]
 *   --report   also writes docs/benchmarks.md, of all sections
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { prepare } from '../scripts/prepare.mjs';
import { runInPage } from './browser.mjs';
import { bundle, nodeWorkers } from './bundle.mjs';
import { writeReport } from './report.mjs';

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
const flags = ['--quick', '--cpu-prof', '--report'];
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
const isReported = words.includes('--report');
const asked = names.filter((name) => words.includes(name));
const chosen = asked.length > 0 && !isReported ? asked : names;
let failed = false;
const reports = [];
for (const [section, files] of Object.entries(sections)) {
  if (!chosen.includes(section)) continue;
  let text = '';
  const print = (/** @type {string} */ piece) => {
    text += piece;
    process.stdout.write(piece);
  };
  for (const [name, options] of Object.entries(files)) {
    const status =
      typeof options === 'string'
        ? await runInPage(name, words.includes('--quick'), print)
        : await run(name, options, print);
    failed ||= status !== 0;
  }
  reports.push({ name: section, text });
}
if (isReported && !failed) writeReport(reports);
process.exit(failed ? 1 : 0);

/**
 * Peers and `qtasks-lite` stay imports, and the code comes by stdin: so it is resolved as from a file
 * of this directory, where the package finds itself by its name.
 * @param {string} name
 * @param {readonly string[]} nodeOptions
 * @param {(piece: string) => void} print
 */
async function run(name, nodeOptions, print) {
  const script = await bundle(name, { packages: 'external', platform: 'node' });
  if (name === 'worker-threads') await writeWorkers();
  const options = [...nodeOptions, '--expose-gc', '--input-type=module'];
  if (words.includes('--cpu-prof'))
    options.push('--cpu-prof', '--cpu-prof-dir=node_modules/.cache/bench');
  const rest = words.includes('--quick') ? ['--quick'] : [];
  const child = spawn(process.execPath, [...options, '-', ...rest], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(script);
  child.stdout.setEncoding('utf8').on('data', print);
  const [status] = await once(child, 'close');
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
