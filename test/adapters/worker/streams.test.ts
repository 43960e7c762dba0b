/** What a run in a worker streams. */
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { collect, read } from '../../support/read.js';
import { open } from '../../support/workers.js';

const upTo = (end: number): number[] => Array.from({ length: end }, (_, index) => index);

it('10,000 values come in order, and the result behind them', async () => {
  const app = open();
  const run = app.run('count', 10_000);
  expect(await collect(run)).toEqual(upTo(10_000));
  expect(await run).toBe('done');
});

it('a producer is at most a window of 16 values ahead of its reader', async () => {
  const app = open();
  const run = app.run('count', 1_000);
  const reader = run[Symbol.asyncIterator]();
  for (let read = 1; read <= 50; read++) {
    expect(await reader.next()).toEqual({ done: false, value: read - 1 });
    if (read % 10 !== 0) continue;
    await app.run('pause', 20);
    const made = await app.run('readMade');
    expect(made).toBeGreaterThan(read);
    // One more is kept in the worker, until the window is open again.
    expect(made).toBeLessThanOrEqual(read + 17);
  }
  await reader.return?.();
});

it('values that wait longer than the window come as their reader goes on', async () => {
  const app = open();
  const run = app.run('count', 100);
  const values: number[] = [];
  for await (const value of run) {
    values.push(value);
    if (value % 25 === 0) await app.run('pause', 20);
  }
  expect(values).toEqual(upTo(100));
});

it('who comes late gets the newest 16 values, and misses none from then on', async () => {
  const app = open();
  const run = app.run('countSlowly', 40, 30);
  while ((await app.run('readMade')) < 30) await app.run('pause', 10);
  expect(await collect(run)).toEqual(upTo(40).slice(14));
  expect(await run).toBe('done');
});

it('who comes after the end gets the newest 16 values, and then how it ended', async () => {
  const app = open();
  const run = app.run('count', 40);
  expect(await run).toBe('done');
  expect(await collect(run)).toEqual(upTo(40).slice(24));
  const failing = app.run('countAndFail', 40);
  const { error } = await failing.settled;
  expect(await read(failing)).toEqual([upTo(40).slice(24), error]);
});

it('an error comes behind all values', async () => {
  const [values, error] = await read(open().run('countAndFail', 100));
  expect(values).toEqual(upTo(100));
  expect(error).toBeInstanceOf(RangeError);
  expect((error as Error).message).toBe('counted');
});

it('a second reader is refused, and the first one goes on', async () => {
  const run = open().run('count', 100);
  const values = collect(run);
  const error = await rejection(collect(run));
  expect(isQTasksError(error, 'OPTION_INVALID')).toBe(true);
  expect(await values).toEqual(upTo(100));
});

it('a signal of the caller ends the stream with its reason', async () => {
  const app = open();
  const controller = new AbortController();
  const reason = new RangeError('reason');
  const run = app.with({ signal: controller.signal }).run('count', Infinity);
  const values: number[] = [];
  const reading = rejection(
    (async () => {
      for await (const value of run) if (values.push(value) === 20) controller.abort(reason);
    })(),
  );
  expect(await reading).toBe(reason);
  expect(values).toEqual(upTo(values.length));
  expect(await run.settled).toMatchObject({ status: 'cancel', error: reason });
  expect(await app.run('readNotes')).toEqual(['thrown in: RangeError: reason', 'finally']);
});

it('a task that cancels itself ends the stream with its reason', async () => {
  const run = open().run('countAndCancel', 3);
  const [values, error] = await read(run);
  expect(values).toEqual([0, 1, 2]);
  expect(error).toMatchObject({ name: 'RangeError', message: 'from within' });
  expect(error).toBeInstanceOf(RangeError);
  expect(run.status).toBe('cancel');
});

it('who leaves the loop waits until the finally blocks in the worker have run', async () => {
  const app = open();
  const run = app.run('count', Infinity);
  for await (const value of run) if (value === 20) break;
  expect(run.status).toBe('cancel');
  expect((await app.run('readNotes')).at(-1)).toBe('finally');
});

it('many streams at once do not disturb each other', async () => {
  const app = open();
  const ends = [0, 1, 15, 16, 17, 300];
  const all = await Promise.all(ends.map((end) => read(app.run('countAndFail', end))));
  expect(all.map(([values]) => values)).toEqual(ends.map(upTo));
});
