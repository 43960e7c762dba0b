/** What fails in a worker, but in no run: line 31 of the failure semantics. In Node it ends the thread. */
import { expect, it } from 'vitest';
import { connectTo, startWorker } from '../../support/workers.js';

it('31 an error outside of runs is told of once by the worker itself, and disturbs no call', async () => {
  const told: string[] = [];
  const app = connectTo(() => {
    const worker = startWorker('app') as Worker;
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      told.push(event.message);
    });
    return worker;
  });
  const lost: unknown[] = [];
  app.on('worker:lost', (event) => lost.push(event));
  const before = await app.run('readInstance');
  const run = app.run('pause', 200);
  await app.run('stray');
  expect(await run).toBe('done');
  expect(await app.run('readInstance')).toBe(before);
  expect(told).toEqual(['Uncaught RangeError: stray']);
  expect(lost).toEqual([]);
});
