/** On what the benchmarks have run. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { findChrome, findRedis } from '../../scripts/find-tools.mjs';

/** @returns {readonly string[]} a line each: of the processor, of the runtimes, of the peers */
export function machine() {
  const memory = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0]?.toFixed(1);
  return [
    `${processor()}, ${memory} GB; load ${load} at the end`,
    `Node ${process.versions.node}, Chromium ${versionOf(findChrome())}, Redis ${versionOf(findRedis())}`,
    peers().join(', '),
  ];
}

/** The processor and how many there are. */
export function processor() {
  const [first] = cpus();
  return `${first?.model.trim()}, ${availableParallelism()} processors`;
}

/** @param {string | undefined} program */
function versionOf(program) {
  if (!program) return 'none';
  const said = execFileSync(program, ['--version'], { encoding: 'utf8' });
  return /\d+(\.\d+)+/.exec(said)?.[0] ?? 'of an unknown version';
}

/** The packages that the benchmarks import, with their versions: their own, and what the library has as well. */
function peers() {
  const own = JSON.parse(readFileSync('bench/package.json', 'utf8')).dependencies;
  const root = JSON.parse(readFileSync('package.json', 'utf8'));
  const all = { ...root.dependencies, ...root.devDependencies, ...own };
  const files = readdirSync('bench', { encoding: 'utf8', recursive: true })
    .filter((file) => /\.(ts|mjs)$/.test(file) && !/^(node_modules|harness)\b/.test(file))
    .map((file) => readFileSync(`bench/${file}`, 'utf8'));
  const isUsed = (/** @type {string} */ name) =>
    files.some((text) => text.includes(`from '${name}`));
  return Object.keys(all)
    .filter((name) => name !== 'qtasks-lite' && (name in own || isUsed(name)))
    .sort()
    .map((name) => `${name} ${all[name].replace('^', '')}`);
}
