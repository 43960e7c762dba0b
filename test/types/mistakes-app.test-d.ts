/** What must not compile: apps, storages, events and errors. Each directive stands for one mistake. */
import { describe, test } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { isQTasksError, QTasks, QTasksError } from '../../src/index.js';

const app = new QTasks();

describe('new QTasks refuses', () => {
  test('an option that does not exist', () => {
    // @ts-expect-error
    new QTasks({ names: 'signup' });
    // @ts-expect-error
    new QTasks('signup');
  });

  test('an option of the wrong type', () => {
    // @ts-expect-error
    new QTasks({ name: 1 });
    // @ts-expect-error
    new QTasks({ concurrency: '4' });
    // @ts-expect-error
    new QTasks({ grace: null });
    // @ts-expect-error
    new QTasks({ clock: Date });
  });

  test('a plain object or a Map as storage', () => {
    // @ts-expect-error
    new QTasks({ storage: {} });
    // @ts-expect-error
    new QTasks({ storage: new Map() });
    // @ts-expect-error
    new QTasks({ storage: memory });
  });

  test('tasks that are no object', () => {
    // @ts-expect-error
    new QTasks({ tasks: null });
    // @ts-expect-error
    new QTasks({ tasks: 'step1' });
  });

  test('a logger that lacks a level', () => {
    // @ts-expect-error
    new QTasks({ logger: { info() {}, warn() {} } });
    // @ts-expect-error
    new QTasks({ logger: console.log });
  });
});

describe('memory refuses', () => {
  test('an option that does not exist', () => {
    // @ts-expect-error
    memory({ maxSession: 1 });
  });

  test('an option of the wrong type', () => {
    // @ts-expect-error
    memory({ ttl: '1h' });
    // @ts-expect-error
    memory({ onEvict: ({ state }: { state: string }) => state });
  });
});

describe('on refuses', () => {
  test('an event that does not exist', () => {
    // @ts-expect-error
    app.on('run:done', () => {});
    // @ts-expect-error
    app.on('start', () => {});
  });

  test('a listener that is no function', () => {
    // @ts-expect-error
    app.on('run:start', {});
    // @ts-expect-error
    app.on('run:start');
  });

  test('a listener that reads a field of another event', () => {
    // @ts-expect-error
    app.on('run:start', ({ error }) => error);
    // @ts-expect-error
    app.on('run:success', ({ reason }) => reason);
    // @ts-expect-error
    app.on('dependency:open', ({ error }) => error);
    // @ts-expect-error
    app.on('state:change', ({ run }) => run);
  });

  test('a listener that writes to its event', () => {
    app.on('run:error', (event) => {
      // @ts-expect-error
      event.error = undefined;
      // @ts-expect-error
      event.type = 'run:error';
    });
  });
});

describe('an error refuses', () => {
  const error: unknown = undefined;

  test('a code that does not exist', () => {
    // @ts-expect-error
    isQTasksError(error, 'TIMEOUT');
    // @ts-expect-error
    new QTasksError('TIMEOUT', 'too late');
  });

  test('to be made without a message', () => {
    // @ts-expect-error
    new QTasksError('TASK_TIMEOUT');
  });

  test('data that does not belong to its code', () => {
    // @ts-expect-error
    new QTasksError('VALUE_UNSUPPORTED', 'no', { data: { path: 'step' } });
    // @ts-expect-error
    new QTasksError('CLEANUP_FAILED', 'no', { data: { errors: [] } });
    // @ts-expect-error
    new QTasksError('CLEANUP_FAILED', 'no', { reason: 1 });
  });

  test('to be compared with another code than the one it was narrowed to', () => {
    // @ts-expect-error
    return isQTasksError(error, 'TASK_TIMEOUT') && error.code === 'TASK_CANCELLED';
  });

  test('to give data of another code', () => {
    // @ts-expect-error
    if (isQTasksError(error, 'CLEANUP_FAILED')) return error.data.path;
    // @ts-expect-error
    if (isQTasksError(error, 'VALUE_UNSUPPORTED')) return error.data.errors;
    return undefined;
  });

  test('to be read before it is guarded', () => {
    // @ts-expect-error
    return error.code;
  });

  test('to change', () => {
    const own = new QTasksError('VALUE_UNSUPPORTED', 'no', { data: { path: ['step'] } });
    // @ts-expect-error
    own.code = 'VALUE_UNSUPPORTED';
    // @ts-expect-error
    own.data = { path: [] };
    // @ts-expect-error
    own.data.path.push('more');
  });
});
