/** Those lines of the survey of task runtimes (runtime.test.ts) that need Node to be seen. */
import { expect, it } from 'vitest';
import { QTasks } from '../../src/index.js';
import { settle } from '../support/clock.js';
import { heapUsed, runMany } from '../support/heap.js';
import { turn } from '../support/promises.js';
import { collectUnhandled } from '../support/unhandled.js';

const rejections = collectUnhandled();

it('29 a failure that nobody looks at surfaces exactly once: by an event, or as an unhandled rejection', async () => {
  const no = new Error('no');
  const app = new QTasks();
  const events: unknown[] = [];
  const inner = app.task('inner', () => Promise.reject(no));
  const stop = app.on('error', ({ error }) => events.push(error));
  void inner();
  await settle();
  await turn();
  expect([events, rejections]).toEqual([[no], []]);
  stop();
  void inner();
  await settle();
  await turn();
  expect([events, rejections]).toEqual([[no], [no]]);
});

it('32 100,000 runs with nothing to do leave the heap where it was', async () => {
  const app = new QTasks();
  const work = app.task('work', () => undefined);
  await runMany(work, 10_000);
  const before = await heapUsed();
  await runMany(work, 100_000);
  expect((await heapUsed()) - before).toBeLessThan(2);
  expect(app.inspect().runs).toEqual([]);
});
