/** Runs that stream, and who reads them to their end. */
import { QTasks, type Run } from '../../src/index.js';
import { ManualClock } from './clock.js';
import { gate } from './promises.js';

/** All that a run streams. */
export async function collect<Yield>(run: Run<unknown, Yield>): Promise<Yield[]> {
  const values: Yield[] = [];
  for await (const value of run) values.push(value);
  return values;
}

/** What a reader gets: the values, and the error that ended the loop. */
export async function read<Yield>(
  run: Run<unknown, Yield>,
): Promise<[values: Yield[], error: unknown]> {
  const values: Yield[] = [];
  try {
    for await (const value of run) values.push(value);
    return [values, undefined];
  } catch (error) {
    return [values, error];
  }
}

/** An app of one slot with a task that yields once a gate opens, whatever its signal says. */
export function waiting() {
  const clock = new ManualClock();
  const app = new QTasks({ clock, concurrency: 1 });
  const { promise, resolve } = gate();
  const work = app.task('work', async function* () {
    await promise;
    yield 1;
  });
  return { app, clock, work, resolve };
}
