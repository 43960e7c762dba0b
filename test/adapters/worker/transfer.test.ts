/** What is moved to a worker and back instead of being copied. */
import { expect, it } from 'vitest';
import { transfer } from '../../../adapters/worker/index.js';
import { isQTasksError, QTasks } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { moveBack } from '../../support/workers/moves.js';
import { open } from '../../support/workers.js';

const bytes = (...values: number[]): ArrayBuffer => new Uint8Array(values).buffer;
const valuesOf = (buffer: ArrayBuffer): number[] => [...new Uint8Array(buffer)];

it('a buffer moves there and back, whether the worker is there already or not', async () => {
  const app = open();
  for (let time = 0; time < 2; time++) {
    const buffer = bytes(1, 2, 3);
    const run = app.with({ transfer: [buffer] }).run('moveBack', buffer);
    expect(buffer.byteLength).toBe(0);
    expect(valuesOf((await run).buffer)).toEqual([2, 3, 4]);
  }
});

it('without transfer an argument is copied', async () => {
  const buffer = bytes(1);
  expect(valuesOf((await open().run('moveBack', buffer)).buffer)).toEqual([2]);
  expect(valuesOf(buffer)).toEqual([1]);
});

it('what is yielded moves, read at once or late, and in order', async () => {
  const app = open();
  const run = app.run('moveMany', 40);
  const values: number[][] = [];
  for await (const [buffer] of run) values.push(buffer ? valuesOf(buffer) : []);
  expect(values).toEqual(Array.from({ length: 40 }, (_, byte) => [byte, byte, byte, byte]));
  expect(new Set(await app.run('readLeft'))).toEqual(new Set([0]));
  const late = app.run('moveMany', 10);
  await late;
  const kept: number[] = [];
  for await (const [buffer] of late) kept.push(buffer?.byteLength ?? 0);
  expect(kept).toEqual(Array(10).fill(4));
});

it('a port moves, and works from then on', async () => {
  const port = await open().run('openPort');
  const answer = new Promise((resolve) => {
    port.onmessage = ({ data }) => resolve(data);
  });
  port.postMessage('hello');
  expect(await answer).toBe('got hello');
  port.close();
});

it.each<[string, readonly object[]]>([
  ['what cannot be moved', [{}]],
  ['the same twice', [bytes(1), bytes(2)].flatMap((buffer) => [buffer, buffer])],
])('a list with %s fails its call alone, and moves nothing', async (_what, list) => {
  const app = open();
  for (let time = 0; time < 2; time++) {
    const buffer = bytes(1, 2);
    const error = await rejection(
      app.with({ transfer: [buffer, ...list] }).run('moveBack', buffer),
    );
    expect(isQTasksError(error, 'VALUE_UNSUPPORTED')).toBe(true);
    expect(error).toMatchObject({ data: { path: ['transfer'] } });
    expect(buffer.byteLength).toBe(2);
    expect(await app.run('add', 1, 2)).toBe(3);
  }
});

it('a result whose list cannot be moved fails its run', async () => {
  const app = open();
  const error = await rejection(app.run('moveWrong'));
  expect(isQTasksError(error, 'VALUE_UNSUPPORTED')).toBe(true);
  expect(await app.run('add', 1, 2)).toBe(3);
});

it('in an app of one thread nothing moves', async () => {
  const buffer = bytes(1);
  const app = new QTasks({ tasks: { moveBack } });
  const result = await app.with({ transfer: [buffer] }).run(moveBack, buffer);
  expect(result.buffer).toBe(buffer);
  expect(valuesOf(buffer)).toEqual([2]);
});

it('a value that is marked for moving has to be an object, and the list a list', () => {
  expect(() => transfer(1 as unknown as object, [])).toThrow(/must be an object/);
  expect(() => transfer({}, {} as unknown as object[])).toThrow(/list/);
});
