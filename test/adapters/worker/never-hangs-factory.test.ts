/** Whatever `connect` is given, each call settles. */
import { expect, it } from 'vitest';
import { connect, serve } from '../../../adapters/worker/index.js';
import { isQTasksError, QTasks } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import * as tasks from '../../support/workers/tasks.js';
import { borrowWorker, connectTo, startWorker } from '../../support/workers.js';

it('a function that throws is the cause of what its calls fail with, after five times', async () => {
  let calls = 0;
  const cause = new RangeError('no');
  const app = connectTo(() => {
    calls++;
    throw cause;
  });
  const error = await rejection(app.run('add', 1, 2));
  expect(isQTasksError(error, 'WORKER_LOAD_FAILED')).toBe(true);
  expect((error as Error).cause).toBe(cause);
  expect(calls).toBe(5);
  await app.close();
});

it('a function that throws at first is called again', async () => {
  let calls = 0;
  const app = connectTo(() => {
    if (++calls < 3) throw new RangeError('no');
    return startWorker('app');
  });
  expect(await app.run('add', 1, 2)).toBe(3);
  expect(calls).toBe(3);
});

for (const [what, made] of [
  ['nothing', undefined],
  ['null', null],
  ['a text', 'worker.js'],
  ['a promise', Promise.resolve()],
  ['an object that is no worker', { port: 1 }],
] as const) {
  it(`a function that gives ${what} fails all calls with OPTION_INVALID`, async () => {
    const app = connectTo((() => made) as unknown as () => Worker);
    const error = await rejection(app.run('add', 1, 2));
    expect(isQTasksError(error, 'OPTION_INVALID')).toBe(true);
    expect((error as Error).message).toContain('expected a Worker or a MessagePort');
    await app.close();
  });
}

it.each([undefined, null, 'worker.js', {}, 1])(
  '%s instead of a worker is refused at once',
  (source) => {
    expect(() => connect(source as unknown as Worker)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  },
);

it('a worker that was passed is let go of by close, and goes on', async () => {
  const worker = borrowWorker('app');
  const first = connectTo(worker);
  const instance = await first.run('readInstance');
  await first.close();
  const second = connectTo(worker);
  expect(await second.run('readInstance')).toBe(instance);
});

it('a port is served by an app in the same thread, which close leaves open', async () => {
  const { port1, port2 } = new MessageChannel();
  const app = new QTasks({ tasks });
  const serving = serve(app, { port: port1 });
  const client = connectTo(port2);
  expect(await client.run('add', 1, 2)).toBe(3);
  const run = client.run('wait');
  await client.close({ drain: 0 });
  expect(await run.settled).toMatchObject({ status: 'cancel', error: { code: 'APP_CLOSED' } });
  expect(await app.run(tasks.add, 1, 2)).toBe(3);
  await serving.close();
  port1.close();
});

it('a port whose other side is not served fails all calls after readyTimeout', async () => {
  const { port1, port2 } = new MessageChannel();
  const app = connectTo(port2, { readyTimeout: 100 });
  expect(isQTasksError(await rejection(app.run('add', 1, 2)), 'WORKER_LOAD_FAILED')).toBe(true);
  port1.close();
});

it('an app that is served under another name fails all calls after readyTimeout', async () => {
  const app = connectTo(() => startWorker('app'), { app: 'other', readyTimeout: 1_000 });
  expect(isQTasksError(await rejection(app.run('add', 1, 2)), 'WORKER_LOAD_FAILED')).toBe(true);
});
