/** Which runs there are and in what order: the lines of failure semantics that are about it, by their numbers. */
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { open, started } from '../../support/workers.js';

it('15 a stream that nobody reads keeps its newest 16 values and lets its producer go on', async () => {
  const app = open();
  const run = app.run('count', 10_000);
  expect(await run).toBe('done');
  expect(await app.run('readMade')).toBe(10_000);
});

it('21 a call with the id of one that goes on or has succeeded gets the same run', async () => {
  const app = open();
  const client = app.with({ id: 'key' });
  const first = client.run('note', 'once');
  expect(client.run('note', 'twice')).toBe(first);
  await first;
  expect(client.run('note', 'later')).toBe(first);
  expect(first.id).toBe('key');
  expect(await app.run('readNotes')).toEqual(['once']);
});

it('21 sessions have ids of their own, and the id of another task is refused', async () => {
  const app = open();
  const client = app.with({ id: 'key' });
  await client.run('note', 'default');
  await client.session('ann').run('note', 'ann');
  expect(await app.run('readNotes')).toEqual(['default', 'ann']);
  const error = await rejection(client.run('add', 1, 2));
  expect(isQTasksError(error, 'OPTION_INVALID')).toBe(true);
});

it('21 the id of a run that has failed or was cancelled is free again', async () => {
  const app = open();
  const failing = app.with({ id: 'failing' });
  const failed = failing.run('fail', 'value');
  await failed.settled;
  const again = failing.run('fail', 'value');
  expect(again).not.toBe(failed);
  await again.settled;
  const waiting = app.with({ id: 'waiting' });
  const run = waiting.run('wait');
  run.cancel();
  await run.settled;
  const next = waiting.run('wait');
  expect(next).not.toBe(run);
  next.cancel();
});

it('23 an unknown task fails at once with TASK_UNKNOWN, and is not retried', async () => {
  const app = open();
  for (const name of ['no such task', '__proto__', 'constructor', 'toString', '']) {
    const { status, error, attempts } = await app.run(name as 'add', 1, 2).settled;
    expect({ status, attempts }).toEqual({ status: 'error', attempts: 0 });
    expect(isQTasksError(error, 'TASK_UNKNOWN')).toBe(true);
  }
  expect(await rejection(app.run(undefined as unknown as 'readNotes'))).toMatchObject({
    code: 'TASK_UNKNOWN',
  });
  expect(await app.run('add', 1, 2)).toBe(3);
});

it('26 exclusive runs of a session keep their order and never overlap, in a pool too', async () => {
  const app = open('app', { size: 2 });
  await started(app, 2);
  const ann = app.session('ann');
  const names = ['a', 'b', 'c', 'd'];
  const results = await Promise.all(names.map((name) => ann.run('alone', name, 20)));
  expect(results.map(({ others }) => others)).toEqual([1, 1, 1, 1]);
  expect(new Set(results.map(({ instance }) => instance)).size).toBe(1);
  // One from each worker.
  const notes = (await Promise.all([app.run('readNotes'), app.run('readNotes')])).flat();
  expect(notes).toEqual(names.flatMap((name) => [`+ann ${name}`, `-ann ${name}`]));
});

it('26 exclusive runs of different sessions never wait for each other', async () => {
  const app = open();
  const sessions = ['ann', 'ben', 'cem'];
  const results = await Promise.all(
    sessions.map((session) => app.session(session).run('alone', 'a', 200)),
  );
  expect(Math.max(...results.map(({ others }) => others))).toBe(3);
});

it('30 a listener that throws changes no result and stops no other listener', async () => {
  const app = open();
  const heard: string[] = [];
  const { error } = console;
  console.error = () => {};
  try {
    app.on('run:success', () => {
      throw new Error('no');
    });
    app.on('run:success', ({ task }) => heard.push(task));
    expect(await app.run('add', 1, 2)).toBe(3);
    expect(await app.run('add', 1, 2)).toBe(3);
  } finally {
    console.error = error;
  }
  expect(heard).toEqual(['add', 'add']);
});
