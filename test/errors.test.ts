/** The one error class and its guard. */
import { describe, expect, test } from 'vitest';
import { type AnyTask, type ErrorCode, isQTasksError, QTasks, QTasksError } from '../src/index.js';

/** Every code once; the compiler refuses a missing and an unknown one. */
const codes = Object.keys({
  TASK_UNKNOWN: true,
  TASK_DUPLICATE: true,
  TASK_TIMEOUT: true,
  TASK_CANCELLED: true,
  INPUT_INVALID: true,
  OUTPUT_INVALID: true,
  DEPENDENCY_INVALID: true,
  DEPENDENCY_CYCLE: true,
  DEPENDENCY_SCOPE: true,
  CLEANUP_FAILED: true,
  STATE_INVALID: true,
  STATE_DUPLICATE: true,
  STORAGE_MISSING: true,
  STORAGE_UNAVAILABLE: true,
  STORAGE_QUOTA: true,
  STORAGE_CORRUPT: true,
  STORAGE_CONFLICT: true,
  STORAGE_UNKNOWN_OUTCOME: true,
  STORAGE_UNAUTHORIZED: true,
  VALUE_UNSUPPORTED: true,
  WORKER_LOAD_FAILED: true,
  WORKER_LOST: true,
  APP_CLOSED: true,
  OPTION_INVALID: true,
} satisfies Record<ErrorCode, true>) as ErrorCode[];

describe('QTasksError', () => {
  test('is an Error with a code, a message and a stack', () => {
    const error = new QTasksError('TASK_TIMEOUT', 'too late');
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(QTasksError);
    expect(error).toMatchObject({ code: 'TASK_TIMEOUT', message: 'too late' });
    expect(error.stack).toContain('too late');
  });

  test('is named alike whatever a minifier calls the class', () => {
    const minified = { a: class extends QTasksError {} }.a;
    expect(new minified('TASK_TIMEOUT', 'too late').name).toBe('QTasksError');
    expect(String(new QTasksError('TASK_TIMEOUT', 'too late'))).toBe('QTasksError: too late');
    expect(Object.keys(new QTasksError('TASK_TIMEOUT', 'too late'))).not.toContain('name');
  });

  test('lets a subclass have a name of its own', () => {
    class OwnError extends QTasksError {
      override readonly name = 'OwnError';
    }
    expect(new OwnError('TASK_TIMEOUT', 'too late').name).toBe('OwnError');
  });

  test('keeps its cause as it is, an undefined one too', () => {
    const cause = new TypeError('why');
    expect(new QTasksError('STORAGE_UNAVAILABLE', 'gone', { cause }).cause).toBe(cause);
    expect(new QTasksError('STORAGE_UNAVAILABLE', 'gone', { cause: 0 }).cause).toBe(0);
    expect('cause' in new QTasksError('STORAGE_UNAVAILABLE', 'gone', { cause: undefined })).toBe(
      true,
    );
    expect('cause' in new QTasksError('STORAGE_UNAVAILABLE', 'gone')).toBe(false);
  });

  test('has data, which is empty where none is given', () => {
    const data = { path: ['step', 0] };
    expect(new QTasksError('VALUE_UNSUPPORTED', 'no', { data }).data).toBe(data);
    expect(new QTasksError('TASK_TIMEOUT', 'too late').data).toEqual({});
    expect(new QTasksError('TASK_TIMEOUT', 'too late', { cause: 1 }).data).toEqual({});
  });

  test('shows code and data where it is turned into JSON', () => {
    const error = new QTasksError('VALUE_UNSUPPORTED', 'no', { data: { path: ['step'] } });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: 'VALUE_UNSUPPORTED',
      data: { path: ['step'] },
    });
  });
});

describe('isQTasksError', () => {
  test.each(codes)('knows %s with and without being told', (code) => {
    const error = new QTasksError(code, 'message');
    expect(isQTasksError(error)).toBe(true);
    expect(isQTasksError(error, code)).toBe(true);
    expect(codes.filter((other) => isQTasksError(error, other))).toEqual([code]);
  });

  test('knows what the library throws and rejects with', async () => {
    const app = new QTasks();
    const { error } = await app.run('nope' as never as AnyTask).settled;
    expect(isQTasksError(error, 'TASK_UNKNOWN')).toBe(true);
  });

  test('knows an error of another copy of the library', () => {
    class QTasksError extends Error {
      override readonly name = 'QTasksError';
      readonly code = 'TASK_TIMEOUT';
    }
    expect(isQTasksError(new QTasksError())).toBe(true);
    expect(isQTasksError(new QTasksError(), 'TASK_TIMEOUT')).toBe(true);
    expect(isQTasksError(new QTasksError(), 'TASK_UNKNOWN')).toBe(false);
  });

  test('knows an error that came as data and was revived', () => {
    const sent = { name: 'QTasksError', code: 'TASK_TIMEOUT', message: 'too late' };
    const revived = Object.assign(new Error(), structuredClone(sent));
    expect(isQTasksError(revived, 'TASK_TIMEOUT')).toBe(true);
  });

  test.each([
    undefined,
    null,
    0,
    'QTasksError',
    Symbol('QTasksError'),
    [],
    {},
    () => 1,
    new Error('TASK_TIMEOUT'),
    new TypeError(),
    QTasksError,
    { code: 'TASK_TIMEOUT' },
    { name: 'QTasksError' },
    { name: 'QTasksError', code: 1 },
    { name: 'Error', code: 'TASK_TIMEOUT' },
    Object.assign(new Error(), { code: 'TASK_TIMEOUT' }),
    Object.create(null),
  ])('does not take something else for one: %o', (value: unknown) => {
    expect(isQTasksError(value)).toBe(false);
    expect(isQTasksError(value, 'TASK_TIMEOUT')).toBe(false);
  });

  test('is not fooled by undefined as the code of something that has none', () => {
    expect(isQTasksError({ name: 'QTasksError' }, undefined)).toBe(false);
  });
});
