/** Whatever a thread of Node does, each call settles. */
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { BYE, READY } from '../../../adapters/worker/protocol.js';
import { isQTasksError } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { startText, startThread, threadScript } from '../../support/threads.js';
import { Counter } from '../../support/workers/tasks.js';
import { connectTo, open } from '../../support/workers.js';

/** What a call fails with where its thread does not start. */
async function loadError(start: () => Worker): Promise<Error & { cause?: unknown }> {
  const error = await rejection(connectTo(start).run('add', 1, 2));
  if (!isQTasksError(error, 'WORKER_LOAD_FAILED')) throw error;
  return error;
}

it('a script that is not there fails the calls, and the error names it', async () => {
  const error = await loadError(() => new Worker(new URL('file:///no/such/script.js')));
  expect(error.message).toContain('/no/such/script.js');
  expect(error.cause).toMatchObject({ code: 'MODULE_NOT_FOUND' });
});

it('a script that is no JavaScript fails the calls', async () => {
  const error = await loadError(() => startText('this is no JavaScript'));
  expect(error.cause).toBeInstanceOf(SyntaxError);
});

it('a script whose import is not there fails the calls', async () => {
  const error = await loadError(() => startText("import './no-such-module.js';"));
  expect(error.cause).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
});

const script = await threadScript('test/support/workers/app.ts');

it('a script that exits as it loads fails the calls, with its code', async () => {
  const error = await loadError(() => startText('process.exit(7);'));
  expect(error).toMatchObject({ data: { exitCode: 7 } });
});

it('a script that has nothing to do fails the calls at its end', async () => {
  expect(await loadError(() => startText(''))).toMatchObject({ data: { exitCode: 0 } });
});

it('a script whose promise rejects fails the calls', async () => {
  const error = await loadError(() => startText("await Promise.reject(new RangeError('no'));"));
  expect(error.cause).toMatchObject({ name: 'RangeError', message: 'no' });
});

it.each([0, 3])('a run that exits with code %s fails with WORKER_LOST', async (code) => {
  const app = open();
  const error = await rejection(app.run('die', code));
  expect(error).toMatchObject({ code: 'WORKER_LOST', data: { exitCode: code } });
  expect(await app.run('add', 1, 2)).toBe(3);
});

it('a run that needs more memory than there is fails with WORKER_LOST', async () => {
  const app = connectTo(() =>
    startThread(script, { resourceLimits: { maxOldGenerationSizeMb: 24 } }),
  );
  const other = app.run('wait');
  const lost = rejection(other);
  const error = await rejection(app.run('hoard'));
  expect(error).toMatchObject({
    code: 'WORKER_LOST',
    cause: { code: 'ERR_WORKER_OUT_OF_MEMORY' },
  });
  expect(await lost).toBe(error);
  expect(await app.run('add', 1, 2)).toBe(3);
});

it('what a thread throws as it is ended does not end the process', async () => {
  // It serves, says goodbye and throws, all in one turn.
  const text = `import { parentPort } from 'node:worker_threads';
    parentPort.once('message', ([tag, id]) => {
      const ready = { app: 'app', lock: undefined, hasStorage: false, tasks: [] };
      parentPort.postMessage([tag, id, ${READY}, ready, ${BYE}, 'it has ended']);
      throw new RangeError('late');
    });`;
  const uncaught: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => uncaught.push(error));
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
  });
  let starts = 0;
  const app = connectTo(() =>
    startText(starts++ === 0 ? text : "process.stdin.on('data', () => {})"),
  );
  // As long as this takes, all that the thread has to say arrives.
  app.on('worker:start', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500));
  await new Promise((resolve) => app.on('worker:lost', resolve));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(uncaught).toEqual([]);
});

it('a state of an app whose worker exits over and over fails after readyTimeout', async () => {
  const app = connectTo(() => startText('process.exit(1);'), { readyTimeout: 300 });
  const error = await rejection(app.state(Counter).get('count'));
  expect(error).toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    cause: { code: 'WORKER_LOAD_FAILED', message: expect.stringContaining('within 300 ms') },
  });
});
