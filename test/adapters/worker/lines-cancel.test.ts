/** Cancel and timeout: the lines of failure semantics that are about them, by their numbers. */
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { rejection, turn } from '../../support/promises.js';
import { countedSignal } from '../../support/signals.js';
import { open } from '../../support/workers.js';

it('10 a call whose signal has aborted rejects with its reason and never runs', async () => {
  const app = open();
  const signal = AbortSignal.abort('reason');
  const run = app.with({ signal }).run('note', 'aborted');
  expect(await run.settled).toMatchObject({ status: 'cancel', error: 'reason', attempts: 0 });
  expect(await app.run('readNotes')).toEqual([]);
});

it('10 a call that waits for a worker rejects with the reason and never runs', async () => {
  const app = open('late');
  const controller = new AbortController();
  const run = app.with({ signal: controller.signal }).run('note', 'aborted');
  const reason = new Error('reason');
  controller.abort(reason);
  expect(await rejection(run)).toBe(reason);
  expect(await app.run('readNotes')).toEqual([]);
});

it('10 a call that waits for a message to go rejects with the reason and never runs', async () => {
  const app = open();
  await app.run('add', 1, 2);
  const run = app.run('note', 'cancelled');
  const other = app.run('note', 'other');
  run.cancel('reason');
  expect(run.status).toBe('cancel');
  expect(await rejection(run)).toBe('reason');
  await other;
  expect(await app.run('readNotes')).toEqual(['other']);
});

it('10 a call that waits for a slot in its worker rejects with the reason and never runs', async () => {
  const app = open('narrow');
  await app.run('add', 1, 2);
  const first = app.run('wait');
  const run = app.run('note', 'cancelled');
  // Until it has gone.
  await turn();
  const reason = new Error('reason');
  run.cancel(reason);
  expect(await rejection(run)).toBe(reason);
  first.cancel();
  expect(await app.run('readNotes')).not.toContain('cancelled');
});

it('11 the signal in the worker aborts with the reason, dependencies close, then the call rejects', async () => {
  const app = open();
  const controller = new AbortController();
  const run = app.with({ signal: controller.signal }).run('wait');
  await app.run('add', 1, 2);
  const reason = new RangeError('reason');
  controller.abort(reason);
  expect(await rejection(run)).toBe(reason);
  expect(run.status).toBe('cancel');
  expect(await app.run('readNotes')).toEqual(['+resource', '!resource reason']);
});

it('11 a run that does not look at its signal loses its grace, and nothing else is lost', async () => {
  const app = open();
  const before = await app.run('readInstance');
  const neighbour = app.run('pause', 300);
  const run = app.run('deaf', 200);
  await app.run('add', 1, 2);
  run.cancel('reason');
  expect(await run.settled).toMatchObject({ status: 'cancel', error: 'reason' });
  expect(await neighbour).toBe('done');
  expect(await app.run('readInstance')).toBe(before);
});

it('11 a run that lets nothing happen in its thread ends with it, and so do its neighbours', async () => {
  const app = open('app', { grace: 100 });
  await app.run('add', 1, 2);
  const neighbour = app.run('wait');
  const run = app.run('spin');
  await turn();
  const error = rejection(neighbour);
  run.cancel('reason');
  expect(await run.settled).toMatchObject({ status: 'cancel', error: 'reason' });
  expect(isQTasksError(await error, 'WORKER_LOST')).toBe(true);
  expect(await app.run('add', 1, 2)).toBe(3);
});

it('12 an abort after the end changes nothing, and no listener is left', async () => {
  const { controller, signal, listeners } = countedSignal();
  const app = open();
  const client = app.with({ signal });
  expect(await client.run('add', 1, 2)).toBe(3);
  const failed = client.run('fail', 'value');
  await failed.settled;
  expect(listeners.size).toBe(0);
  controller.abort('reason');
  expect(failed.status).toBe('error');
});

it('12 100,000 calls on one signal leave no listener', async () => {
  const { signal, listeners } = countedSignal();
  const client = open().with({ signal });
  for (let done = 0; done < 100_000; done += 1_000) {
    const runs = Array.from({ length: 1_000 }, (_, index) => client.run('add', index, done));
    expect(listeners.size).toBeLessThanOrEqual(1);
    await Promise.all(runs);
  }
  expect(listeners.size).toBe(0);
}, 120_000);

it('13 a timeout counts from the start of the run, not from its call', async () => {
  const app = open('narrow');
  const first = app.run('pause', 600);
  const second = app.with({ timeout: 300 }).run('add', 1, 2);
  expect(await first).toBe('done');
  expect(await second).toBe(3);
});

it('13 a timeout fails the run with TASK_TIMEOUT, by throw() into what is open', async () => {
  const app = open();
  const { status, error } = await app.with({ timeout: 20 }).run('wait').settled;
  expect(status).toBe('error');
  expect(isQTasksError(error, 'TASK_TIMEOUT')).toBe(true);
  const [opened, closed] = await app.run('readNotes');
  expect(opened).toBe('+resource');
  expect(closed).toContain('!resource task "wait"');
});

it('14 a cancelled generator gets the reason by throw(), and its finally blocks run', async () => {
  const app = open();
  const run = app.run('count', Infinity);
  const reader = run[Symbol.asyncIterator]();
  await reader.next();
  run.cancel(new RangeError('reason'));
  await run.settled;
  expect(await app.run('readNotes')).toEqual(['thrown in: RangeError: reason', 'finally']);
});

it('14 who breaks out of the loop cancels the run', async () => {
  const app = open();
  const run = app.run('count', Infinity);
  for await (const value of run) if (value === 3) break;
  const { status, error } = await run.settled;
  expect(status).toBe('cancel');
  expect(isQTasksError(error, 'TASK_CANCELLED')).toBe(true);
  const notes = await app.run('readNotes');
  expect(notes[0]).toMatch(/^thrown in: QTasksError/);
  expect(notes[1]).toBe('finally');
});
