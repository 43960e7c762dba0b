/** How workers end: the lines of failure semantics that are about it, by their numbers. */
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import {
  connectTo,
  isNode,
  open,
  started,
  startWorker,
  type TestWorker,
} from '../../support/workers.js';

it('1 every call in flight rejects with WORKER_LOST, and the next one finds a new worker', async () => {
  const app = open();
  const before = await app.run('readInstance');
  const runs = [app.run('wait'), app.run('wait'), app.run('die')];
  const ends = await Promise.all(runs.map(({ settled }) => settled));
  for (const { status, error } of ends) {
    expect(status).toBe('error');
    expect(isQTasksError(error, 'WORKER_LOST')).toBe(true);
    expect((error as Error).message).toContain('app "app"');
    if (isNode) expect(error).toMatchObject({ data: { exitCode: 3 } });
  }
  const after = await app.run('readInstance');
  expect(after).not.toBe(before);
});

it('1 calls that are made as the worker dies wait for the next one', async () => {
  const app = open();
  let calls: Promise<number>[] = [];
  app.on('worker:lost', () => {
    calls = Array.from({ length: 5 }, (_, index) => Promise.resolve(app.run('add', index, 1)));
  });
  await app.run('die').settled;
  expect(await Promise.all(calls)).toEqual([1, 2, 3, 4, 5]);
});

it('1 what terminates a worker from outside is told of as what ends it from inside', async () => {
  const workers: TestWorker[] = [];
  const app = connectTo(() => {
    const worker = startWorker('app');
    workers.push(worker);
    return worker;
  });
  const run = app.run('wait');
  await app.run('add', 1, 2);
  await workers[0]?.terminate();
  expect(isQTasksError(await rejection(run), 'WORKER_LOST')).toBe(true);
  expect(await app.run('add', 1, 2)).toBe(3);
  expect(workers).toHaveLength(2);
});

it('1 a pool goes on with the workers that it still has', async () => {
  const app = open('app', { size: 2 });
  await started(app, 2);
  const dying = app.run('die');
  const other = app.run('pause', 300);
  expect(isQTasksError(await rejection(dying), 'WORKER_LOST')).toBe(true);
  expect(await other).toBe('done');
});

it('22 a run that ends its worker again and again fails after its retries, and the next one starts', async () => {
  const app = open();
  const before = await app.run('readInstance');
  const poison = app.with({ id: 'poison' }).run('mortal', Infinity);
  const { status, error, attempts } = await poison.settled;
  expect({ status, attempts }).toEqual({ status: 'error', attempts: 3 });
  expect(isQTasksError(error, 'WORKER_LOST')).toBe(true);
  expect(await app.run('add', 1, 2)).toBe(3);
  expect(await app.run('readInstance')).not.toBe(before);
});
