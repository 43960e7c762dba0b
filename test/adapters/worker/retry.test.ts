/** Which runs go on in another worker when theirs is lost. */
import { expect, it } from 'vitest';
import { serve } from '../../../adapters/worker/index.js';
import { BYE } from '../../../adapters/worker/protocol.js';
import { Context, isQTasksError, QTasks, task } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { collect } from '../../support/read.js';
import { borrowWorker, connectTo, open } from '../../support/workers.js';

const isLost = (error: unknown): boolean => isQTasksError(error, 'WORKER_LOST');

it('a run with an id whose task has retry goes on as its next attempt, under its id', async () => {
  const app = open();
  const client = app.session('ann').with({ id: 'key' });
  const run = client.run('mortal', 2);
  expect(await run.settled).toMatchObject({
    status: 'success',
    value: { id: 'key', attempt: 2 },
    attempts: 2,
  });
  expect(run.id).toBe('key');
  expect(client.run('mortal', 2)).toBe(run);
});

it('its status goes from new by process to retry, by process again to success', async () => {
  const app = open();
  await app.run('add', 1, 2);
  const statuses: string[] = [];
  const run = app.with({ id: 'key' }).run('mortalStream', 0);
  const note = (): void => {
    if (statuses.at(-1) !== run.status) statuses.push(run.status);
  };
  note();
  app.on('worker:lost', note);
  const timer = setInterval(note, 5);
  expect(await run).toBe(2);
  clearInterval(timer);
  note();
  expect(statuses).toEqual(['new', 'process', 'retry', 'process', 'success']);
});

it('the next attempt gets the arguments as they were at the call', async () => {
  const app = open();
  await app.run('add', 1, 2);
  const list = [1, 2];
  const run = app.with({ id: 'key' }).run('mortalEcho', list);
  list.push(3);
  expect(await run).toEqual([1, 2]);
});

it('a run without an id is not retried', async () => {
  const run = open().run('mortal', 2);
  expect(isLost(await rejection(run))).toBe(true);
  expect(run.status).toBe('error');
});

it('a run with an id whose task has no retry is not retried', async () => {
  expect(isLost(await rejection(open().with({ id: 'key' }).run('die')))).toBe(true);
});

it('a run whose retry does not want this error is not retried', async () => {
  const { status, error, attempts } = await open().with({ id: 'key' }).run('picky').settled;
  expect({ status, attempts }).toEqual({ status: 'error', attempts: 1 });
  expect(isLost(error)).toBe(true);
});

it('a run of which a value was delivered is not retried', async () => {
  const run = open().with({ id: 'key' }).run('mortalStream', 3);
  const values: number[] = [];
  const reading = (async () => {
    for await (const value of run) values.push(value);
  })();
  expect(isLost(await rejection(reading))).toBe(true);
  expect(values).toEqual([1, 1, 1]);
});

it('a run of which no value was delivered is, and its reader gets those of the last attempt', async () => {
  const run = open().with({ id: 'key' }).run('mortalStream', 3);
  expect(await run).toBe(2);
  expect(await collect(run)).toEqual([2, 2, 2]);
  const early = open().with({ id: 'key' }).run('mortalStream', 3);
  const reader = early[Symbol.asyncIterator]();
  expect(await early).toBe(2);
  for (let value = 0; value < 3; value++) {
    expect(await reader.next()).toEqual({ done: false, value: 2 });
  }
  expect((await reader.next()).done).toBe(true);
});

it('a run whose arguments have moved is not retried', async () => {
  const buffer = new ArrayBuffer(4);
  const client = open().with({ id: 'key', transfer: [buffer] });
  expect(isLost(await rejection(client.run('mortalEcho', buffer)))).toBe(true);
});

it('a run that is cancelled as its worker is lost is cancelled, not retried', async () => {
  const app = open('app', { grace: 100 });
  await app.run('add', 1, 2);
  const run = app.with({ id: 'key' }).run('mortal', Infinity);
  app.on('worker:lost', () => run.cancel('reason'));
  expect(await run.settled).toMatchObject({ status: 'cancel', error: 'reason' });
  expect(await app.run('add', 1, 2)).toBe(3);
});

it('a result that a lost attempt has sent is not that of the next one', async () => {
  const needs = { ctx: Context };
  const give = ({ ctx }: { ctx: Context }) => (ctx.attempt === 1 ? new Date(0) : undefined);
  const echo = task('echo', needs, give, { retry: { limit: 1, delay: 1 } });
  let starts = 0;
  const client = connectTo(() => {
    const { port1, port2 } = new MessageChannel();
    const app = new QTasks({ tasks: { echo } });
    serve(app, { port: port1 });
    const post = port1.postMessage.bind(port1);
    const leave = ([tag, connection]: readonly unknown[]): void =>
      post([tag, connection, BYE, 'it has gone']);
    // The result is on its way by then, but not that the run has ended.
    if (starts++ === 0) app.on('run:success', () => Object.assign(port1, { postMessage: leave }));
    return port2;
  });
  const run = client.with({ id: 'key' }).run('echo', 1);
  expect(await run.settled).toMatchObject({ status: 'success', attempts: 2, value: undefined });
});

it('two connections to one worker get one run for one id', async () => {
  const worker = borrowWorker('app');
  const [one, other] = [connectTo(worker), connectTo(worker)];
  await other.run('add', 1, 2);
  const runs = [one, other].map((app) => app.with({ id: 'key' }).run('note', 'once'));
  await Promise.all(runs);
  expect(await one.run('readNotes')).toEqual(['once']);
});

for (const [leaver, stayer] of [
  ['first', 'second'],
  ['second', 'first'],
] as const) {
  it(`a run that two connections share by its id goes on for the ${stayer} as the ${leaver} closes`, async () => {
    const worker = borrowWorker('app');
    const clients = { first: connectTo(worker), second: connectTo(worker) };
    const start = (name: 'first' | 'second') => clients[name].with({ id: 'key' }).run('pause', 300);
    const first = start('first');
    await clients.first.run('add', 1, 2);
    const runs = { first, second: start('second') };
    await clients.second.run('add', 1, 2);
    await clients[leaver].close({ drain: 0 });
    expect(await runs[leaver].settled).toMatchObject({
      status: 'cancel',
      error: { code: 'APP_CLOSED' },
    });
    expect(await runs[stayer]).toBe('done');
  });
}
