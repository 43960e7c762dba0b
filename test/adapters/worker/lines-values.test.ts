/** Values and errors on their way: the lines of failure semantics that are about them, by their numbers. */
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { read } from '../../support/read.js';
import { HttpError } from '../../support/workers/errors.js';
import { open } from '../../support/workers.js';

/** The path that an error VALUE_UNSUPPORTED names. */
function pathOf(error: unknown): readonly (string | number)[] {
  if (!isQTasksError(error, 'VALUE_UNSUPPORTED')) throw error;
  return error.data.path;
}

it('5 an uncloneable argument fails its call with task and path, and nothing is sent or retried', async () => {
  const app = open();
  // Where the call waits for its worker, and where the worker is there.
  for (let time = 0; time < 2; time++) {
    const run = app.with({ id: 'key' }).run('flaky', { cb() {} } as never);
    const { status, error, attempts } = await run.settled;
    expect({ status, attempts }).toEqual({ status: 'error', attempts: 0 });
    expect(pathOf(error)).toEqual(['args', 0, 'cb']);
    expect((error as Error).message).toContain('task "flaky": args[0].cb is a function');
    await app.run('add', 1, 2);
  }
  // The first that came was this one.
  expect(await app.with({ id: 'key' }).run('flaky', 'registered')).toBe(3);
});

it('6 an uncloneable result fails its run and the worker lives', async () => {
  const app = open();
  const before = await app.run('readInstance');
  const { status, error, attempts } = await app.run('giveFunction').settled;
  expect({ status, attempts }).toEqual({ status: 'error', attempts: 1 });
  expect(pathOf(error)).toEqual(['result', 'list', 1, 'call']);
  expect((error as Error).message).toContain('task "giveFunction": result.list[1].call');
  expect(await app.run('readInstance')).toBe(before);
});

it('6 an uncloneable yield fails its run, after what was yielded before', async () => {
  const app = open();
  const [values, error] = await read(app.run('yieldFunction'));
  expect(values).toEqual([1]);
  expect(pathOf(error)).toEqual(['yield', 'call']);
  expect(pathOf(await rejection(app.run('yieldFunction')))).toEqual(['yield', 'call']);
});

it('8 an error of a registered class is an instance with all that it had', async () => {
  const error = await rejection(open().run('fail', 'registered'));
  if (!(error instanceof HttpError)) throw error;
  expect(error.isServerError()).toBe(true);
  expect(error).toMatchObject({ name: 'HttpError', message: 'no answer', status: 503 });
  expect(error.stack).toMatch(/^HttpError: no answer\n +at .*registered/);
  expect(error.cause).toBeInstanceOf(TypeError);
  expect(error.cause).toMatchObject({ message: 'offline', cause: 'cable' });
});

it('8 an error of another class keeps name and fields; what no message carries is listed', async () => {
  const error = await rejection(open().run('fail', 'unregistered'));
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'Unregistered',
    message: 'odd',
    code: 'E_ODD',
    at: new Date(7),
    omittedFields: ['call'],
  });
  expect(error).not.toHaveProperty('call');
});

it('8 what is thrown and no error keeps its value, if a message carries it', async () => {
  const app = open();
  expect(await rejection(app.run('fail', 'value'))).toEqual({ reason: 'no error at all' });
  expect(await app.run('fail', 'nothing').settled).toMatchObject({
    status: 'error',
    error: undefined,
  });
  expect(pathOf(await rejection(app.run('fail', 'function')))).toEqual(['error']);
});

it('8 of a failing teardown the error and what went before arrive', async () => {
  const app = open();
  const unclean = await app.run('unclean').settled;
  expect(unclean.error).toMatchObject({ code: 'CLEANUP_FAILED', data: { value: 'value' } });
  expect((unclean.error as Error).cause).toBeInstanceOf(RangeError);
  const foul = await app.run('foul').settled;
  expect(foul.error).toBeInstanceOf(TypeError);
  expect(foul.cleanupErrors).toEqual([new RangeError('leak')]);
  expect(foul.cleanupErrors[0]).toBeInstanceOf(RangeError);
});

it('9 AbortError and TimeoutError are sent by field', async () => {
  const app = open();
  for (const [kind, name] of [
    ['abort', 'AbortError'],
    ['timeout', 'TimeoutError'],
  ] as const) {
    const error = await rejection(app.run('fail', kind));
    expect(error).toBeInstanceOf(DOMException);
    expect((error as DOMException).name).toBe(name);
    expect((error as DOMException).message).not.toBe('');
  }
});
