/** What must not compile: running tasks. Each directive stands for one mistake. */
import { describe, test } from 'vitest';
import { QTasks, type Run, type TaskClient, task } from '../../src/index.js';
import * as tasks from './tasks.js';

const app = new QTasks({ tasks: { ...tasks, renamed: task('own-name', () => 1) } });
const session = app.session('ann');
const bound = app.task('bound', { db: tasks.db }, async (_needs, phone: string) => phone.length);
const local = task('local', (phone: string, times?: number) => phone.repeat(times ?? 1));

describe('a bound task refuses', () => {
  test('an argument of the wrong type', () => {
    // @ts-expect-error
    void bound(1);
  });

  test('a missing argument', () => {
    // @ts-expect-error
    void bound();
  });

  test('an argument too many', () => {
    // @ts-expect-error
    void bound('+351', 1);
  });

  test('what its handler needs as an argument', () => {
    // @ts-expect-error
    void bound({ db: tasks.db }, '+351');
  });
});

describe('run(task, …) refuses', () => {
  test('an argument of the wrong type', () => {
    // @ts-expect-error
    void app.run(local, 1);
    // @ts-expect-error
    void session.run(local, '+351', '2');
    // @ts-expect-error
    void app.run(tasks.sumAll, 1, '2');
  });

  test('a missing argument', () => {
    // @ts-expect-error
    void app.run(local);
    // @ts-expect-error
    void app.with({}).run(bound);
  });

  test('an argument too many', () => {
    // @ts-expect-error
    void app.run(local, '+351', 1, true);
    // @ts-expect-error
    void app.run(tasks.step1, 'extra');
  });

  test('what is no task', () => {
    // @ts-expect-error
    void app.run();
    // @ts-expect-error
    void app.run(null);
    // @ts-expect-error
    void app.run(() => 1);
    // @ts-expect-error
    void app.run(tasks.db);
    // @ts-expect-error
    void app.run({ name: 'step1' });
  });
});

describe('run("name", …) refuses', () => {
  test('an argument of the wrong type', () => {
    // @ts-expect-error
    void app.run('step2', 1);
    // @ts-expect-error
    void session.run('sum', 1, '2');
  });

  test('a missing argument', () => {
    // @ts-expect-error
    void app.run('step2');
  });

  test('an argument too many', () => {
    // @ts-expect-error
    void app.run('step1', 'extra');
  });

  test('a name that no task has', () => {
    // @ts-expect-error
    void app.run('step3');
    // @ts-expect-error
    void new QTasks().run('step1');
  });

  test('the name of an export instead of the name of its task', () => {
    // @ts-expect-error
    void app.run('sumAll', 1);
    // @ts-expect-error
    void app.run('renamed');
    // @ts-expect-error
    void app.run('default');
  });

  test('the name of an export that is no task', () => {
    // @ts-expect-error
    void app.run('limit');
    // @ts-expect-error
    void app.run('helper', 'text');
    // @ts-expect-error
    void app.run('db');
  });

  test('any string, whose task nobody knows', () => {
    const name: string = 'step1';
    // @ts-expect-error
    void app.run(name);
  });
});

describe('a run does not give', () => {
  test('a result of another type', async () => {
    // @ts-expect-error
    const byTask: Run<number> = app.run(local, '+351');
    // @ts-expect-error
    const byName: Run<'error'> = app.run('step1');
    // @ts-expect-error
    const awaited: number = await app.run('step1');
    // @ts-expect-error
    (await bound('+351')).trim();
    return [byTask, byName, awaited];
  });

  test('its value before its status is known', async () => {
    const settled = await app.run('step2', '+351').settled;
    // @ts-expect-error
    const value: { rows: number } = settled.value;
    return value;
  });

  test('a value of another type', async () => {
    const settled = await app.run('step2', '+351').settled;
    if (settled.status !== 'success') return undefined;
    // @ts-expect-error
    const value: string = settled.value;
    return value;
  });

  test('a value where it failed', async () => {
    const settled = await app.run('step2', '+351').settled;
    // @ts-expect-error
    return settled.status === 'error' ? settled.value.rows : undefined;
  });

  test('a status that does not exist', () => {
    // @ts-expect-error
    return app.run('step1').status === 'done';
  });

  test('an argument to whoever cancels with two reasons', () => {
    // @ts-expect-error
    app.run('step1').cancel('reason', 'another');
  });
});

test('a run does not change', async () => {
  const run = app.run('step1');
  // @ts-expect-error
  run.id = 'mine';
  // @ts-expect-error
  run.status = 'error';
  // @ts-expect-error
  run.settled = app.run('step1').settled;
  const settled = await run.settled;
  // @ts-expect-error
  settled.attempts = 2;
  // @ts-expect-error
  settled.cleanupErrors.push(1);
});

describe('a client refuses', () => {
  test('a session id that is no string', () => {
    // @ts-expect-error
    app.session(1);
    // @ts-expect-error
    app.session();
  });

  test('a setting that does not exist', () => {
    // @ts-expect-error
    app.with({ signals: new AbortController().signal });
    // @ts-expect-error
    session.with({ retry: 1 });
  });

  test('a setting of the wrong type', () => {
    // @ts-expect-error
    app.with({ signal: new AbortController() });
    // @ts-expect-error
    app.with({ timeout: '1s' });
    // @ts-expect-error
    app.with({ priority: null });
    // @ts-expect-error
    app.with();
  });

  test('an option of close that does not exist or has the wrong type', () => {
    // @ts-expect-error
    void app.close({ drained: 1 });
    // @ts-expect-error
    void session.close({ drain: '1s' });
    // @ts-expect-error
    void app.close(1_000);
  });

  test('what only an app can do, where it is a session', () => {
    // @ts-expect-error
    session.on('run:start', () => {});
    // @ts-expect-error
    session.task('t', () => 1);
    // @ts-expect-error
    session.override(tasks.db, tasks.db);
  });

  test('to stand for a client of other tasks', () => {
    const other = task('other', () => 1);
    // @ts-expect-error
    const unknown: TaskClient<{ other: typeof other }> = app;
    const step1 = task('step1', () => 404);
    // @ts-expect-error
    const different: TaskClient<{ step1: typeof step1 }> = app.session('ann');
    const bare = new QTasks();
    // @ts-expect-error
    const empty: TaskClient<typeof tasks> = bare;
    return [unknown, different, empty];
  });
});
