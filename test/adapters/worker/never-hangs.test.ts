/** Whatever a worker does, each call settles: what can happen in browsers and in Node. */
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { rejection, turn } from '../../support/promises.js';
import { connectTo, isNode, open, startWorker, type TestWorker } from '../../support/workers.js';

const isLost = (error: unknown): boolean => isQTasksError(error, 'WORKER_LOST');

it('a worker that serves nothing fails all calls after readyTimeout, and says what is missing', async () => {
  const begun = performance.now();
  const app = open('silent', { readyTimeout: 500 });
  const runs = [app.run('add', 1, 2), app.run('wait')];
  for (const run of runs) {
    const error = await rejection(run);
    expect(isQTasksError(error, 'WORKER_LOAD_FAILED')).toBe(true);
    expect((error as Error).message).toContain('within 500 ms; does its script call serve(app)?');
  }
  expect(performance.now() - begun).toBeGreaterThan(490);
  expect(isQTasksError(await rejection(app.run('add', 1, 2)), 'WORKER_LOAD_FAILED')).toBe(true);
});

it('a worker that was passed and serves nothing fails all calls after readyTimeout', async () => {
  const worker = startWorker('silent');
  const app = connectTo(worker, { readyTimeout: 200 });
  expect(isQTasksError(await rejection(app.run('wait')), 'WORKER_LOAD_FAILED')).toBe(true);
  await worker.terminate();
});

it('a script that waits before it serves is waited for', async () => {
  expect(await open('late').run('add', 1, 2)).toBe(3);
});

it('a script that throws as it loads is the cause of what its calls fail with', async () => {
  const worker = startWorker('broken');
  if (!isNode) quiet(worker);
  const error = await rejection(connectTo(worker).run('add', 1, 2));
  expect(isQTasksError(error, 'WORKER_LOAD_FAILED')).toBe(true);
  expect((error as Error).message).toContain('did not start: its script failed');
  expect((error as { cause?: Error }).cause?.message).toContain('broken');
});

it('an endless loop ends with its worker where its timeout passes', async () => {
  const app = open('app', { grace: 100 });
  await app.run('add', 1, 2);
  const { status, error } = await app.with({ timeout: 50 }).run('spin').settled;
  expect(status).toBe('error');
  expect(isQTasksError(error, 'TASK_TIMEOUT')).toBe(true);
  expect(await app.run('add', 1, 2)).toBe(3);
});

it('an endless loop ends with its worker where its signal aborts', async () => {
  const app = open('app', { grace: 100 });
  await app.run('add', 1, 2);
  const controller = new AbortController();
  const run = app.with({ signal: controller.signal }).run('spin');
  await turn();
  const reason = new Error('reason');
  controller.abort(reason);
  expect(await run.settled).toMatchObject({ status: 'cancel', error: reason });
});

it('an endless loop in a worker that was passed ends for the page, which it does not belong to', async () => {
  const worker = startWorker('app');
  const app = connectTo(worker, { grace: 100 });
  await app.run('add', 1, 2);
  const other = app.run('wait');
  const run = app.run('spin');
  await turn();
  const lost = rejection(other);
  run.cancel('reason');
  expect(await run.settled).toMatchObject({ status: 'cancel', error: 'reason' });
  expect(isLost(await lost)).toBe(true);
  expect(isLost(await rejection(app.run('add', 1, 2)))).toBe(true);
  await worker.terminate();
});

it('a worker that was passed and ends fails all calls that it had, and those that come', async () => {
  const app = connectTo(startWorker('app'));
  await app.run('add', 1, 2);
  expect(isLost(await rejection(app.run('die')))).toBe(true);
  expect(isLost(await rejection(app.run('add', 1, 2)))).toBe(true);
  await app.close();
});

it('a stream ends with its worker, behind the values that have come', async () => {
  const app = open();
  const run = app.run('count', Infinity);
  const values: number[] = [];
  const reading = rejection(
    (async () => {
      for await (const value of run) if (values.push(value) === 40) void app.run('die').settled;
    })(),
  );
  expect(isLost(await reading)).toBe(true);
  expect(values.length).toBeGreaterThanOrEqual(40);
  expect(values).toEqual(values.map((_, index) => index));
});

it('a call after close is refused', async () => {
  const app = open();
  await app.close();
  for (const client of [app, app.session('ann'), app.with({ id: 'key' })]) {
    const { status, error } = await client.run('add', 1, 2).settled;
    expect(status).toBe('error');
    expect(isQTasksError(error, 'APP_CLOSED')).toBe(true);
  }
});

it('a worker that closes its app refuses what comes', async () => {
  const app = open('closing');
  const waiting = app.run('wait');
  await app.run('closeApp' as 'readNotes');
  expect(await waiting.settled).toMatchObject({ status: 'cancel', error: { code: 'APP_CLOSED' } });
  expect(isQTasksError(await rejection(app.run('add', 1, 2)), 'APP_CLOSED')).toBe(true);
});

it('a worker that serves no more is followed by another one', async () => {
  const app = open('closing');
  const before = await app.run('readInstance');
  const waiting = app.run('wait');
  await app.run('closeServing' as 'readNotes');
  expect(await waiting.settled).toMatchObject({ status: 'cancel', error: { code: 'APP_CLOSED' } });
  await turn();
  expect(await app.run('readInstance')).not.toBe(before);
});

for (const [how, name] of [
  ['closes its app', 'closeApp'],
  ['serves no more', 'closeServing'],
  ['ends', 'die'],
] as const) {
  it(`a close meets a worker that ${how} at the same time`, async () => {
    const app = open('closing');
    await app.run('add', 1, 2);
    const runs = [app.run('wait'), app.run(name as 'die'), app.run('pause', 10)];
    await Promise.all([app.close({ drain: 0 }), ...runs.map(({ settled }) => settled)]);
    for (const run of runs) expect(['success', 'error', 'cancel']).toContain(run.status);
  });
}

/** Else the browser tells of its error, too. */
function quiet(worker: TestWorker): void {
  (worker as Worker).addEventListener('error', (event) => event.preventDefault());
}
