/** How workers start: the lines of failure semantics that are about it, by their numbers. */
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { connectTo, open, startWorker } from '../../support/workers.js';

it('3 calls that are made before the worker is ready run once, in order', async () => {
  const app = open('late');
  const names = Array.from({ length: 20 }, (_, index) => `call ${index}`);
  await Promise.all(names.map((name) => app.run('note', name)));
  expect(await app.run('readNotes')).toEqual(names);
});

it('3 arguments are taken as they are at the call, also where they wait for a worker', async () => {
  const app = open('late');
  const list = [1, 2];
  const run = app.run('echo', list);
  list.push(3);
  expect(await run).toEqual([1, 2]);
});

it('4 workers that do not start are given up after five in a row, with the last cause', async () => {
  let starts = 0;
  const app = connectTo(() => {
    starts++;
    return startWorker('broken');
  });
  const lost: unknown[] = [];
  app.on('worker:lost', ({ error }) => lost.push(error));
  const error = await rejection(app.run('add', 1, 2));
  expect(isQTasksError(error, 'WORKER_LOAD_FAILED')).toBe(true);
  expect((error as Error).message).toContain('broken');
  expect(starts).toBe(5);
  expect(lost).toHaveLength(5);
  expect(lost.at(-1)).toBe(error);
  expect(await rejection(app.run('add', 1, 2))).toBe(error);
  expect(starts).toBe(5);
});
