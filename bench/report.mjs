/** Writes docs/benchmarks.md: what the benchmarks have printed, and on what they ran. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { findChrome, findRedis } from '../scripts/find-tools.mjs';

const intro = `# Benchmarks

Nobody types these figures: \`npm run bench -- --report\` measures and writes them.

All contestants of a table take turns in one process, round by round, and each sample is checked for what it has done. The
first row is the baseline, with its time on this machine; in all others a figure is a ratio to the baseline of the same
round: the median, then the lowest and the highest. 0.50 takes half the time. What a contestant does not do stands beside
it. Below a table are our goals: \`ok\` holds, \`MISS\` does not, with the figure of this run.
`;

/** @param {readonly { readonly name: string, readonly text: string }[]} sections what each has printed */
export function writeReport(sections) {
  const parts = sections.map(({ name, text }) => `## ${name}\n\n${blocksOf(text).join('\n\n')}\n`);
  writeFileSync('docs/benchmarks.md', [intro, machine(), ...parts].join('\n'));
}

/**
 * The tables of a section: a title, and the indented lines below it.
 * @param {string} text
 */
function blocksOf(text) {
  return text
    .trim()
    .split(/\n+(?=\S)/)
    .map((block) => {
      const [title = '', ...lines] = block.split('\n');
      return `### ${title}\n\n\`\`\`text\n${lines.map((line) => line.slice(2)).join('\n')}\n\`\`\``;
    });
}

function machine() {
  const [processor] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0]?.toFixed(1);
  return `## What it ran on

- ${processor?.model.trim()}, ${availableParallelism()} processors, ${memory} GB; load ${load} at the end
- Node ${process.versions.node}, Chromium ${versionOf(findChrome())}, Redis ${versionOf(findRedis())}
- ${peers().join(', ')}
`;
}

/** @param {string | undefined} program */
function versionOf(program) {
  if (!program) return 'none';
  const said = execFileSync(program, ['--version'], { encoding: 'utf8' });
  return /\d+(\.\d+)+/.exec(said)?.[0] ?? 'of an unknown version';
}

/** The other packages that the benchmarks import, with their versions. */
function peers() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const files = readdirSync('bench', { encoding: 'utf8', recursive: true });
  const code = files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(`bench/${file}`, 'utf8'));
  const isUsed = (/** @type {string} */ name) =>
    code.some((text) => text.includes(`from '${name}`));
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([name]) => isUsed(name))
    .map(([name, version]) => `${name} ${version.replace('^', '')}`);
}
