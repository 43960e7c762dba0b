/** `Depends.using`: API.md §4. */
import { describe, expect, it } from 'vitest';
import { Depends, isQTasksError, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, rejection } from '../support/promises.js';
import { traced } from '../support/traced.js';

const disposable = (log: string[], name = 'resource') => ({
  name,
  [Symbol.dispose]() {
    log.push(this.name);
  },
});

describe('Depends.using', () => {
  it('disposes what the function returned at the end, as a method of it', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const resource = Depends.using(() => disposable(log));
    const task = app.task('t', { resource }, ({ resource }) => {
      expect(log).toEqual([]);
      return resource.name;
    });
    expect(await task()).toBe('resource');
    expect(log).toEqual(['resource']);
  });

  it('disposes what an async function resolves to, and after a failure too', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const resource = Depends.using(async () => disposable(log));
    const fails = app.task('t', { resource }, () => {
      throw 'no';
    });
    expect(await rejection(fails())).toBe('no');
    expect(log).toEqual(['resource']);
  });

  it('takes Symbol.asyncDispose before Symbol.dispose and waits for it', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const resource = Depends.using(() => ({
      async [Symbol.asyncDispose]() {
        await settle();
        log.push('async');
      },
      [Symbol.dispose]() {
        log.push('sync');
      },
    }));
    await app.task('t', { resource }, () => {})();
    expect(log).toEqual(['async']);
  });

  it('has nothing to do for null and undefined', async () => {
    const app = new QTasks();
    const none = Depends.using(() => null);
    const nothing = Depends.using(async () => undefined);
    const task = app.task('t', { none, nothing }, (all) => all);
    expect(await task()).toEqual({ none: null, nothing: undefined });
  });

  it('refuses what cannot be disposed, and closes what is open', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const db = Depends(() => traced(log, 'db'));
    const open = (() => ({})) as unknown as () => Disposable;
    const resource = Depends.using({ db }, open);
    const error = await rejection(app.task('t', { resource }, () => log.push('body'))());
    expect(isQTasksError(error, 'DEPENDENCY_INVALID')).toBe(true);
    expect(error).toMatchObject({ data: { dependency: 'resource' } });
    expect(log[1]?.startsWith('!db')).toBe(true);
    expect(log).toHaveLength(2);
  });

  it('takes needs and options, and keeps its place in the order of closing', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const db = Depends(() => traced(log, 'db'));
    const resource = Depends.using({ db }, ({ db }) => disposable(log, `resource of ${db}`));
    const page = Depends({ resource }, () => traced(log, 'page'));
    await app.task('t', { page }, () => {})();
    expect(log).toEqual(['+db', '+page', '-page', 'resource of db', '-db']);
  });

  it('disposes in the longer scopes at their end', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const resource = Depends.using(() => disposable(log), { scope: 'worker' });
    const task = app.task('t', { resource }, () => {});
    await task();
    await task();
    expect(log).toEqual([]);
    await app.close();
    expect(log).toEqual(['resource']);
  });

  it('fails a success by a disposer that throws, and times one out that hangs', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const throws = Depends.using(() => ({
      [Symbol.dispose]() {
        throw 'broke';
      },
    }));
    const hangs = Depends.using(() => ({ [Symbol.asyncDispose]: () => never }), {
      closeTimeout: 10,
    });
    const { settled } = app.task('t', { throws, hangs }, () => 'value')();
    await clock.advance(10);
    const { error, cleanupErrors } = await settled;
    expect(isQTasksError(error, 'CLEANUP_FAILED')).toBe(true);
    expect(isQTasksError(cleanupErrors[0], 'TASK_TIMEOUT')).toBe(true);
    expect(cleanupErrors[1]).toBe('broke');
  });

  it('disposes what comes after nobody waits for it any more', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 0 });
    const late = gate();
    const resource = Depends.using(async () => {
      await late.promise;
      return disposable(log);
    });
    const run = app.task('t', { resource }, () => {})();
    run.cancel();
    await clock.advance(0);
    expect(run.status).toBe('cancel');
    late.resolve();
    await settle();
    expect(log).toEqual(['resource']);
  });

  it('is the only way: the result of a plain function is never disposed', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const shared = Depends(() => disposable(log), { scope: 'worker' });
    const own = Depends(async () => disposable(log));
    await app.task('t', { shared, own }, () => {})();
    await app.close();
    expect(log).toEqual([]);
  });
});
