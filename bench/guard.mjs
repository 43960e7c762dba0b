/**
 * Compares the library's ratios with those in bench/baseline.json, in quick rounds; exits 1 where one is worse.
 *   npm run bench:guard -- [section…] [--write]
 *   --write   renews the baseline instead, from three runs
 * A ratio is worse if the best of up to five runs is above the baseline by more than the tolerance. A
 * section runs again only as long as something in it looks worse.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bestOf, figuresOf, middle, tolerance, unknown, worse } from './harness/baseline.mjs';
import { chosen, start } from './harness/start.mjs';

/** @typedef {{ machine: string, figures: Record<string, number> }} Baseline */

const file = 'bench/baseline.json';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean', default: false } },
});
const { names, runSection } = await start();
const { aligned } = await import('./harness/text.mjs');
const { processor } = await import('./harness/machine.mjs');
// Sizes have a check of their own, and how costs grow is said by the report.
const watched = names.filter((name) => name !== 'size' && name !== 'growth');
const sections = chosen(positionals, watched);
/** @type {Baseline} */
const baseline = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { machine: '', figures: {} };
process.exitCode = values.write ? await renew() : await guard();

/** @param {string} section */
async function measure(section) {
  const tables = await runSection(section, { quick: true, profile: false });
  return figuresOf(section, tables);
}

async function renew() {
  const kept = Object.entries(baseline.figures).filter(
    ([name]) => !sections.some((section) => name.startsWith(`${section}: `)),
  );
  const figures = Object.fromEntries(kept);
  for (const section of sections) {
    const runs = [await measure(section), await measure(section), await measure(section)];
    Object.assign(figures, middle(runs));
  }
  const content = { machine: `${processor()}, Node ${process.versions.node}`, figures };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  return 0;
}

async function guard() {
  const rows = [];
  for (const section of sections) rows.push(...(await guardSection(section)));
  console.log(
    `\nThe baseline is of ${baseline.machine || 'no machine'}; up to ${tolerance * 100} % more is noise.`,
  );
  if (rows.length === 0) {
    console.log('Nothing is worse.');
    return 0;
  }
  const table = aligned([['worse', 'baseline', 'best now', 'times'], ...rows]);
  for (const line of table) console.log(`  ${line}`);
  return 1;
}

/** @param {string} section */
async function guardSection(section) {
  const was = Object.fromEntries(
    Object.entries(baseline.figures).filter(([name]) => name.startsWith(`${section}: `)),
  );
  const found = await bestOf(was, (looksWorse) => {
    if (looksWorse > 0) console.error(`\n${section}: ${looksWorse} look worse, so once more`);
    return measure(section);
  });
  for (const name of unknown(was, found)) console.error(`not in the baseline: ${name}`);
  return worse(was, found).map(({ name, was, is }) => [
    name,
    String(was),
    is === undefined ? 'no figure' : String(is),
    is === undefined ? '' : (is / was).toFixed(2),
  ]);
}
