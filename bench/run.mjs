/**
 * Runs the benchmarks against the built package, each part in a process or a page of its own.
 *   npm run bench -- [section…] [--quick] [--cpu-prof] [--report]
 *   --quick      fewer rounds, rough figures
 *   --cpu-prof   writes profiles of what runs in Node into bench/node_modules/.cache
 *   --report     runs all sections three times, `growth` once, and writes docs/benchmarks.md
 * The section `growth` also writes its plots, into docs/growth, unless it is quick.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chosen, start } from './harness/start.mjs';

/** @typedef {import('./harness/figures.js').Table} Table */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    'cpu-prof': { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
  },
});
const { names, runSection } = await start();
const sections = chosen(values.report ? [] : positionals, names);
const options = { quick: values.quick, profile: values['cpu-prof'] };
let failed = false;

/** @type {Map<string, Table[]>[]} */
const runs = [];
for (let left = values.report ? 2 : 0; left >= 0; left--) {
  // A curve of many points needs no other one beside it.
  runs.push(await runAll(left > 0 ? sections.filter((section) => section !== 'growth') : sections));
}
const tables = runs.at(-1) ?? new Map();
if (!failed && (values.report || !values.quick)) {
  const { draw } = await import('./harness/plot.mjs');
  for (const table of tables.get('growth') ?? []) draw(table);
}
if (!failed && values.report) {
  const { pageOf } = await import('./harness/report.mjs');
  const { machine } = await import('./harness/machine.mjs');
  writeFileSync('docs/benchmarks.md', pageOf(runs, machine()));
}
process.exit(failed ? 1 : 0);

/** @param {readonly string[]} sections */
async function runAll(sections) {
  /** @type {Map<string, Table[]>} */
  const found = new Map();
  for (const section of sections) {
    const began = performance.now();
    try {
      found.set(section, await runSection(section, options));
    } catch (error) {
      failed = true;
      console.error(error);
    }
    console.error(`\n${section}: ${Math.round((performance.now() - began) / 1000)} s`);
  }
  return found;
}
