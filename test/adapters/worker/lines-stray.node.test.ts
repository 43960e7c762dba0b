/** How a thread of Node ends: lines 1 and 31 of the failure semantics, where its events tell more. */
import type { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { connectTo, open, startWorker } from '../../support/workers.js';

it('1 calls in flight reject within one turn of the event loop after the worker has exited', async () => {
  let worker: Worker | undefined;
  const app = connectTo(() => {
    worker = startWorker('app') as Worker;
    return worker;
  });
  await app.run('add', 1, 2);
  const states: string[] = [];
  const run = app.run('wait');
  void run.settled.then(({ status }) => states.push(status));
  const passed = new Promise<void>((resolve) => {
    worker?.once('exit', () => setImmediate(resolve));
  });
  void app.run('die').settled.then(({ status }) => states.push(status));
  await passed;
  expect(states).toEqual(['error', 'error']);
});

it('31 an error outside of runs ends the thread and is the cause of what its calls fail with', async () => {
  const app = open();
  const lost: unknown[] = [];
  app.on('worker:lost', ({ error }) => lost.push(error));
  const run = app.run('wait');
  await app.run('stray');
  const error = await rejection(run);
  expect(isQTasksError(error, 'WORKER_LOST')).toBe(true);
  expect((error as Error).cause).toBeInstanceOf(RangeError);
  expect(error).toMatchObject({ cause: { message: 'stray' }, data: { exitCode: 1 } });
  expect(lost).toEqual([error]);
  expect(await app.run('add', 1, 2)).toBe(3);
});
