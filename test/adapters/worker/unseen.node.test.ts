/** Failures of calls that nobody looks at: line 29 of the failure semantics. */
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { turn } from '../../support/promises.js';
import { collectUnhandled } from '../../support/unhandled.js';
import { HttpError } from '../../support/workers/errors.js';
import { open } from '../../support/workers.js';

const rejections = collectUnhandled();

/** Waits until a run has settled, without looking at how. */
async function pass(run: { readonly status: string }): Promise<void> {
  while (!['success', 'error', 'cancel'].includes(run.status)) await turn();
  await turn();
}

it('29 a failing run surfaces once, as an unhandled rejection where nobody listens', async () => {
  const app = open();
  await pass(app.run('fail', 'registered'));
  expect(rejections).toHaveLength(1);
  expect(rejections[0]).toBeInstanceOf(HttpError);
});

it('29 with a listener it surfaces as the event, and not as a rejection', async () => {
  const app = open();
  const heard: unknown[] = [];
  const stop = app.on('error', ({ error }) => heard.push(error));
  await pass(app.run('fail', 'registered'));
  expect(heard).toHaveLength(1);
  expect(rejections).toEqual([]);
  stop();
  await pass(app.run('fail', 'registered'));
  expect(heard).toHaveLength(1);
  expect(rejections).toHaveLength(1);
});

it('29 a run whose worker is lost surfaces once', async () => {
  const app = open();
  await pass(app.run('die'));
  expect(rejections).toHaveLength(1);
  expect(isQTasksError(rejections[0], 'WORKER_LOST')).toBe(true);
});

it('29 a call that is refused surfaces once', async () => {
  const app = open();
  app.run('echo', () => {});
  await turn();
  expect(rejections).toMatchObject([{ code: 'VALUE_UNSUPPORTED' }]);
});

it('29 a cancelled run, one that is awaited, read or asked for settled never surfaces', async () => {
  const app = open();
  const cancelled = app.run('wait');
  cancelled.cancel();
  await pass(cancelled);
  await app.run('fail', 'value').then(undefined, () => {});
  await app.run('fail', 'value').settled;
  const read = async (): Promise<void> => {
    for await (const _value of app.run('countAndFail', 2));
  };
  await read().catch(() => {});
  await app.close({ drain: 0 });
  await turn();
  expect(rejections).toEqual([]);
});
