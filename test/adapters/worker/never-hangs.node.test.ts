/** Whatever a thread of Node does, each call settles. */
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { startText, startThread } from '../../support/threads.js';
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
    startThread('app', { resourceLimits: { maxOldGenerationSizeMb: 24 } }),
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
