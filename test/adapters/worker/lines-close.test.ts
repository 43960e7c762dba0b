/** Closing: line 28 of the failure semantics. */
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { rejection, turn } from '../../support/promises.js';
import { collect } from '../../support/read.js';
import { borrowWorker, connectTo, open } from '../../support/workers.js';

const isClosed = (error: unknown): boolean => isQTasksError(error, 'APP_CLOSED');

it('28 lets those running and waiting end, and refuses new calls', async () => {
  const app = open();
  const running = app.run('pause', 200);
  const waiting = app.run('add', 1, 2);
  const closing = app.close();
  const refused = app.run('add', 1, 2);
  expect(isClosed(await rejection(refused))).toBe(true);
  expect(refused.status).toBe('error');
  await closing;
  expect(running.status).toBe('success');
  expect(waiting.status).toBe('success');
  expect(isClosed(await rejection(app.run('add', 1, 2)))).toBe(true);
});

it('28 aborts those that do not end in time with APP_CLOSED, and waits for their teardown', async () => {
  const app = open();
  await app.run('add', 1, 2);
  const closed: string[] = [];
  app.on('dependency:close', ({ dependency }) => closed.push(dependency));
  const run = app.run('wait');
  await turn();
  await app.close({ drain: 20 });
  const { status, error } = await run.settled;
  expect(status).toBe('cancel');
  expect(isClosed(error)).toBe(true);
  expect(closed).toEqual(['resource']);
});

it('28 with drain 0 settles those that run, stream and wait in their worker', async () => {
  const app = open('narrow');
  await app.run('add', 1, 2);
  const streaming = app.run('count', Infinity);
  const reader = streaming[Symbol.asyncIterator]();
  await reader.next();
  const queued = [app.run('add', 1, 2), app.run('wait')];
  await turn();
  await app.close({ drain: 0 });
  for (const run of [streaming, ...queued]) {
    const { status, error } = await run.settled;
    expect(status).toBe('cancel');
    expect(isClosed(error)).toBe(true);
  }
});

it('28 with drain 0 settles those that wait for their worker', async () => {
  const app = open('late');
  const runs = [app.run('add', 1, 2), app.run('wait')];
  await app.close({ drain: 0 });
  for (const run of runs) {
    expect(await run.settled).toMatchObject({ status: 'cancel', error: { code: 'APP_CLOSED' } });
  }
});

it('28 with drain 0 settles those that wait for a worker that was passed', async () => {
  const worker = borrowWorker('late');
  const app = connectTo(worker);
  const run = app.run('add', 1, 2);
  await app.close({ drain: 0 });
  expect(await run.settled).toMatchObject({ status: 'cancel', error: { code: 'APP_CLOSED' } });
});

it('28 while it starts lets calls that were made run', async () => {
  const app = open('late');
  const run = app.run('add', 1, 2);
  await app.close();
  expect(await run).toBe(3);
});

it('28 lets who reads a stream read it to its end', async () => {
  const app = open();
  const run = app.run('count', 100);
  const values = collect(run);
  await app.close();
  expect(await values).toHaveLength(100);
  expect(await run).toBe('done');
});

it('28 twice is one close', async () => {
  const app = open();
  const run = app.run('pause', 100);
  await Promise.all([app.close(), app.close({ drain: 0 }), app[Symbol.asyncDispose]()]);
  expect(await run).toBe('done');
  await app.close();
});

it('28 of what was never called ends too', async () => {
  await open().close();
  await open('silent').close();
});

it('28 rejects with CLEANUP_FAILED where a longer-lived dependency does not close', async () => {
  const app = open();
  await app.run('useStubborn');
  const error = await rejection(app.close());
  expect(isQTasksError(error, 'CLEANUP_FAILED')).toBe(true);
  expect((error as Error).cause).toBeInstanceOf(RangeError);
});

it('28 ends a worker that lets nothing happen in its thread', async () => {
  const app = open('app', { grace: 100 });
  await app.run('add', 1, 2);
  const run = app.run('spin');
  await turn();
  await app.close({ drain: 100 });
  expect(await run.settled).toMatchObject({ status: 'cancel', error: { code: 'APP_CLOSED' } });
});
