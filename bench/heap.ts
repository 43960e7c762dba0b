/** What many runs leave on the heap; a part of `npm run bench -- core`. */
import { AsyncState, Depends, QTasks } from 'qtasks-lite';
import { memory } from 'qtasks-lite/memory';
import { quick, table } from './measure.js';

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

const runs = quick ? 100_000 : 1_000_000;
console.log(`\nHeap after ${runs.toLocaleString('en')} runs, at most ${limit} MiB up`);
const rows = [];
for (const [name, run] of kinds) {
  await repeat(run, 20_000);
  const before = used();
  await repeat(run, runs);
  const grown = (used() - before) / 2 ** 20;
  rows.push([grown <= limit ? 'ok  ' : 'MISS', name, `${grown.toFixed(2)} MiB up`]);
}
table(rows);
await app.close();

async function repeat(run: (n: number) => PromiseLike<unknown>, times: number): Promise<void> {
  for (let n = 0; n < times; n++) await run(n);
}

function used(): number {
  for (let pass = 0; pass < 3; pass++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
