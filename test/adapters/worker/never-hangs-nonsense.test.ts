/** Whatever a worker answers, each call settles. */
import { describe, expect, it } from 'vitest';
import {
  DONE,
  END,
  EVENT,
  READY,
  STATUS,
  TAG,
  VALUE,
  YIELD,
} from '../../../adapters/worker/protocol.js';
import { isQTasksError } from '../../../src/index.js';
import { rejection, turn } from '../../support/promises.js';
import { borrowWorker, connectTo } from '../../support/workers.js';

const HELLO = 0;
const CALL = 1;

const task = { name: 'add', timeout: null, isPinned: false, retries: false };
const ready = { app: 'odd', lock: undefined, hasStorage: false, tasks: [task] };
const opens = [TAG, '$connection', READY, ready];
const ended = { status: 'success', attempts: 1, cleanupErrors: [] };

/** A client of a worker that gives these answers. */
function puppet(answers: Readonly<Record<number, readonly unknown[]>>, readyTimeout = 10_000) {
  const worker = borrowWorker('puppet');
  worker.postMessage(answers, []);
  return connectTo(worker, { readyTimeout, grace: 50 });
}

describe('before it is ready', () => {
  it.each<[string, ...unknown[]]>([
    ['nothing', []],
    ['what is no message', 'text', null, 1, {}, { 0: TAG }, []],
    ['half a message', [TAG], [TAG, '$connection'], [TAG, '$connection', READY]],
    ['an unknown kind', [TAG, '$connection', 999]],
    ['a kind that is none', [TAG, '$connection', '__proto__'], [TAG, '$connection', {}]],
    ['that it is ready, but not for whom', [TAG, 'other', READY, ready], [TAG, '', READY, ready]],
    ['that it is ready in another version', ['qtasks-lite/0', '$connection', READY, ready]],
    ['that it is ready, with null', [TAG, '$connection', READY, null]],
    ['that it is ready, without tasks', [TAG, '$connection', READY, {}]],
    [
      'that it is ready, with wrong tasks',
      [TAG, '$connection', READY, { ...ready, tasks: [null] }],
    ],
    ['that a run has ended', [TAG, '$connection', DONE, 1, 'value']],
    ['that it serves again and again', ...Array(20).fill([TAG, '', 8])],
  ])('it answers %s', async (_what, ...answers) => {
    const app = puppet({ [HELLO]: answers }, 500);
    const error = await rejection(app.run('add', 1, 2));
    expect(isQTasksError(error, 'WORKER_LOAD_FAILED')).toBe(true);
    await app.close();
  });
});

describe('once it is ready', () => {
  it.each<[string, unknown]>([
    ['an unknown kind', [TAG, '$connection', 999]],
    ['an end that is none', [TAG, '$connection', END, '$call', null]],
    ['an end without anything', [TAG, '$connection', END, '$call', {}]],
    [
      'an error that is none',
      [TAG, '$connection', END, '$call', { ...ended, status: 'error', error: {} }],
    ],
    ['an event that is none', [TAG, '$connection', EVENT, null, 'error']],
    ['an event with an error that is none', [TAG, '$connection', EVENT, {}, 'error']],
  ])('%s fails the calls', async (_what, answer) => {
    const app = puppet({ [HELLO]: [opens], [CALL]: [answer] });
    const { status, error } = await app.run('add', 1, 2).settled;
    expect(status).toBe('error');
    expect(isQTasksError(error, 'WORKER_LOST')).toBe(true);
    await app.close();
  });

  it.each<[string, ...unknown[]]>([
    ['an end of a call that was never made', [TAG, '$connection', DONE, 77, 'value']],
    ['half a message', [TAG, '$connection', DONE]],
    ['a kind that is none', [TAG, '$connection', 'toString']],
    ['a status that is none', [TAG, '$connection', STATUS, '$call', 'odd', 'many']],
    ['that it is ready once more', opens],
    ['a value before the end, and no end', [TAG, '$connection', VALUE, '$call', 'value']],
    ['what is no message', 'text', null, {}],
  ])('%s leaves its call as it was, to be cancelled', async (_what, ...answers) => {
    const app = puppet({ [HELLO]: [opens], [CALL]: answers });
    const run = app.run('add', 1, 2);
    await turn();
    expect(['new', 'process']).toContain(run.status);
    run.cancel('reason');
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'reason' });
    await app.close();
  });

  it.each(['odd', 'process', undefined])(
    'an end with the status %s settles its call',
    async (status) => {
      const end = [TAG, '$connection', END, '$call', { ...ended, status }];
      const app = puppet({ [HELLO]: [opens], [CALL]: [end] });
      const run = app.run('add', 1, 2);
      await run.settled;
      await expect(run).rejects.toBeUndefined();
    },
  );

  it('an end that comes twice is one', async () => {
    const done = (value: string): unknown => [TAG, '$connection', DONE, '$call', value];
    const app = puppet({ [HELLO]: [opens], [CALL]: [done('first'), done('second')] });
    expect(await app.run('add', 1, 2)).toBe('first');
    await turn();
    expect(await app.run('add', 1, 2)).toBe('first');
  });

  it('values that nobody has asked for are there for who reads', async () => {
    const yielded = [TAG, '$connection', YIELD, '$call', 1];
    const done = [TAG, '$connection', DONE, '$call', 'value'];
    const app = puppet({ [HELLO]: [opens], [CALL]: [yielded, done] });
    const run = app.run('add', 1, 2);
    expect(await run).toBe('value');
    const values: unknown[] = [];
    for await (const value of run) values.push(value);
    expect(values).toEqual([1]);
  });

  it('no answer to close ends the connection', async () => {
    const app = puppet({ [HELLO]: [opens] });
    const run = app.run('add', 1, 2);
    await turn();
    await app.close({ drain: 0 });
    expect(await run.settled).toMatchObject({ status: 'cancel', error: { code: 'APP_CLOSED' } });
  });
});
