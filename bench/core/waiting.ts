/** Runs that wait for one slot: of the sections `core` and `growth`. */
import { QTasks } from 'qtasks-lite';
import type { Case, Contestant } from '../harness/measure.js';

/** So many runs at least, however few of them wait at once. */
const least = 20_000;

/** What they are told apart by. */
export const slotColumns = ['one priority', 'any priorities'];

/** Runs go through one slot, so many at a time. */
export function throughOneSlot(waiting: number): Contestant {
  const app = new QTasks({ name: 'bench', concurrency: 1 });
  const work = app.task('work', async (n: number) => n);
  const many = Math.max(least, waiting);
  let sum = 0;
  const through = async (priorityOf: (n: number) => number): Promise<void> => {
    for (let left = many; left > 0; left -= waiting) {
      const runs = Array.from({ length: waiting }, (_, n) =>
        app.with({ priority: priorityOf(n) }).run(work, n),
      );
      for (const run of runs) sum += await run;
    }
  };
  const column = (priorityOf: (n: number) => number): Case => ({
    things: many,
    call: () => through(priorityOf),
    check(calls) {
      const right = sum === (calls * many * (waiting - 1)) / 2;
      sum = 0;
      return right ? undefined : 'not every run gave its own number';
    },
  });
  // Without an order, but the same ones each time.
  const cases = [column(() => 0), column((n) => (n * 7_919) % 10_007)];
  return { name: `${waiting.toLocaleString('en')} waiting`, isOurs: true, cases };
}
