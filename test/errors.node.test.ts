/** Errors of another realm and of another, minified copy, which no `instanceof` would know. */
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { isQTasksError, QTasks, QTasksError } from '../src/index.js';

const foreign = (code: string): unknown =>
  runInNewContext(
    `class QTasksError extends Error {
       name = 'QTasksError';
       code = code;
       data = { path: ['step'] };
     }
     new QTasksError('from afar')`,
    { code },
  );

test('isQTasksError knows an error of another realm', () => {
  const error = foreign('VALUE_UNSUPPORTED');
  expect(error).not.toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(QTasksError);
  expect(isQTasksError(error)).toBe(true);
  expect(isQTasksError(error, 'VALUE_UNSUPPORTED') && error.data.path).toEqual(['step']);
  expect(isQTasksError(error, 'TASK_TIMEOUT')).toBe(false);
});

test('isQTasksError does not take another error of another realm for one', () => {
  expect(isQTasksError(runInNewContext('new TypeError("no")'))).toBe(false);
});

test('a run rejects with an error of another realm as it is', async () => {
  const error = foreign('TASK_TIMEOUT');
  const fail = new QTasks().task('fail', () => {
    throw error;
  });
  expect((await fail().settled).error).toBe(error);
});

test('isQTasksError knows an error of a minified copy, and the other way round', async () => {
  const entry = fileURLToPath(new URL('../src/errors.ts', import.meta.url));
  const options = { bundle: true, format: 'esm', minify: true, write: false } as const;
  const { outputFiles } = await build({ ...options, entryPoints: [entry] });
  const code = outputFiles[0]?.text ?? '';
  expect(code).not.toContain('class QTasksError');
  const copy = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  const error = new copy.QTasksError('TASK_TIMEOUT', 'too late');
  expect(error).not.toBeInstanceOf(QTasksError);
  expect(error.name).toBe('QTasksError');
  expect(isQTasksError(error, 'TASK_TIMEOUT')).toBe(true);
  expect(copy.isQTasksError(new QTasksError('TASK_TIMEOUT', 'too late'), 'TASK_TIMEOUT')).toBe(
    true,
  );
});
