/** What is inferred of a worker's tasks, and what must not compile. Each directive stands for one mistake. */
import type { Worker as Thread, MessagePort as ThreadPort } from 'node:worker_threads';
import { describe, expectTypeOf, test } from 'vitest';
import { memory } from '../../adapters/memory.js';
import {
  connect,
  hostStorage,
  serve,
  transfer,
  type WorkerClient,
} from '../../adapters/worker/index.js';
import { QTasks, type Run, type StorageAdapter, type TaskClient } from '../../src/index.js';
import * as tasks from './tasks.js';

declare const worker: Worker;
declare const app: WorkerClient<typeof tasks>;

describe('connect', () => {
  test('is typed by the module of tasks alone, as an app is', () => {
    const client = connect<typeof import('./tasks.js')>(() => worker);
    expectTypeOf(client.run('step1')).toEqualTypeOf<Run<'ok', never>>();
    expectTypeOf(client.run('step2', '+351')).toEqualTypeOf<Run<{ rows: number }, never>>();
    expectTypeOf(client.run(tasks.sumAll, 1, 2)).toEqualTypeOf<Run<number, never>>();
    expectTypeOf(client.session('ann')).toEqualTypeOf<TaskClient<typeof tasks>>();
    expectTypeOf(client.state(tasks.Registration)).toEqualTypeOf<tasks.Registration>();
  });

  test('takes workers, ports and functions that make them, of browsers and of Node', () => {
    expectTypeOf(connect).toBeCallableWith(worker);
    expectTypeOf(connect).toBeCallableWith({} as MessagePort);
    expectTypeOf(connect).toBeCallableWith({} as SharedWorker);
    expectTypeOf(connect).toBeCallableWith(({} as SharedWorker).port);
    expectTypeOf(connect).toBeCallableWith({} as Thread);
    expectTypeOf(connect).toBeCallableWith({} as ThreadPort);
    expectTypeOf(connect).toBeCallableWith(() => ({}) as SharedWorker);
    expectTypeOf(connect).toBeCallableWith(() => ({}) as Thread, { size: 2, storage: memory() });
  });

  test('is an app to whoever takes a TaskClient', () => {
    expectTypeOf(app).toExtend<TaskClient<typeof tasks>>();
    expectTypeOf(new QTasks({ tasks })).toExtend<TaskClient<typeof tasks>>();
  });

  test('hears events', () => {
    app.on('worker:lost', ({ worker: place, error }) => {
      expectTypeOf(place).toEqualTypeOf<number>();
      expectTypeOf(error).toEqualTypeOf<unknown>();
    });
  });
});

describe('connect refuses', () => {
  test('what is no worker', () => {
    // @ts-expect-error
    connect(42);
    // @ts-expect-error
    connect({});
    // @ts-expect-error
    connect('./worker.ts');
    // @ts-expect-error
    connect(() => new URL('./worker.ts', 'https://app.example'));
  });

  test('an option that does not exist, or of the wrong type', () => {
    // @ts-expect-error
    connect(worker, { sizes: 2 });
    // @ts-expect-error
    connect(worker, { size: '2' });
    // @ts-expect-error
    connect(worker, { storage: {} });
    // @ts-expect-error
    connect(worker, { errors: { MyError: 'MyError' } });
    // @ts-expect-error
    connect(worker, { readyTimeout: null });
  });

  test('a name that no task has, the name of another export, wrong arguments', () => {
    // @ts-expect-error
    app.run('step3');
    // @ts-expect-error
    app.run('sumAll');
    // @ts-expect-error
    app.run('step2');
    // @ts-expect-error
    app.run('step2', 351);
    // @ts-expect-error
    app.run('step1', 'more');
  });

  test('any name where the tasks are not known', () => {
    // @ts-expect-error
    void connect(worker).run('step1');
  });

  test('an event that does not exist', () => {
    // @ts-expect-error
    app.on('worker:error', () => {});
  });
});

describe('serve', () => {
  test('takes any app', () => {
    expectTypeOf(serve).toBeCallableWith(new QTasks({ tasks }));
    expectTypeOf(serve).toBeCallableWith(new QTasks(), { port: {} as MessagePort });
    expectTypeOf(serve).toBeCallableWith(new QTasks(), { port: {} as ThreadPort });
  });

  test('refuses what is no app, and options that do not exist', () => {
    // @ts-expect-error
    serve(tasks);
    // @ts-expect-error
    serve({});
    // @ts-expect-error
    serve(new QTasks(), { ports: {} as MessagePort });
    // @ts-expect-error
    serve(new QTasks(), { errors: [TypeError] });
  });
});

describe('hostStorage and transfer', () => {
  test('give a storage, and the value that they were given', () => {
    expectTypeOf(hostStorage()).toEqualTypeOf<StorageAdapter>();
    expectTypeOf(hostStorage({} as MessagePort)).toEqualTypeOf<StorageAdapter>();
    const buffer = new ArrayBuffer(8);
    expectTypeOf(transfer(buffer, [buffer])).toEqualTypeOf<ArrayBuffer>();
  });

  test('refuse what is no port, and what cannot be moved', () => {
    // @ts-expect-error
    hostStorage('page');
    // @ts-expect-error
    transfer(42, []);
    // @ts-expect-error
    transfer({}, {});
  });
});
