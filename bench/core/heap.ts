/** What many runs leave on the heap; a part of `npm run bench -- core`. */
import { AsyncState, Depends, QTasks } from 'qtasks-lite';
import { memory } from 'qtasks-lite/memory';
import type { Row, Verdict } from '../harness/figures.js';
import { deliver, quick } from '../harness/runtime.js';

class Counter extends AsyncState<{ n: number }> {
  static readonly id = 'counter';
}

/** At most so many MiB more than before. */
const limit = 5;

const app = new QTasks({ name: 'bench', storage: memory() });
const resource = Depends(async function* () {
  yield 1;
});
const trivial = app.task('trivial', async () => 1);
const dependent = app.task('dependent', { resource }, ({ resource }) => resource);
const stateful = app.task('stateful', { state: Counter }, async ({ state }, n: number) => {
  await state.set('n', n);
  await state.clear();
});

const kinds: readonly (readonly [string, (n: number) => PromiseLike<unknown>])[] = [
  ['trivial', () => app.run(trivial)],
  ['one dependency', () => app.run(dependent)],
  ['set and clear a state', (n) => app.run(stateful, n)],
  ['the same, a session each', (n) => app.session(`s${n}`).run(stateful, n)],
];

const runs = quick ? 200_000 : 1_000_000;
const rows: Row[] = [];
const verdicts: Verdict[] = [];
for (const [name, run] of kinds) {
  const grown = await growth(run);
  const found = `${grown.toFixed(2)} MiB`;
  rows.push({ name, isOurs: true, without: '', figures: [{ text: found }] });
  verdicts.push({
    ...{ what: name, of: 'qtasks-lite', against: '', allowed: `≤ ${limit} MiB` },
    ...{ found, value: grown, isCost: true, holds: grown <= limit },
  });
}
await deliver({
  title: `Heap after ${runs.toLocaleString('en')} runs`,
  detail: 'once, collected before and after',
  columns: ['more than before'],
  against: '',
  ...{ rows, verdicts, notes: [] },
});
await app.close();

/** @returns by how many MiB the heap has grown */
async function growth(run: (n: number) => PromiseLike<unknown>): Promise<number> {
  await repeat(run, 20_000);
  const before = used();
  await repeat(run, runs);
  return (used() - before) / 2 ** 20;
}

async function repeat(run: (n: number) => PromiseLike<unknown>, times: number): Promise<void> {
  for (let n = 0; n < times; n++) await run(n);
}

function used(): number {
  for (let pass = 0; pass < 3; pass++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
