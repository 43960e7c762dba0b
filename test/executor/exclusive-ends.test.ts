/** What an exclusive run gives back, and when: cancelled as it waits, failed, retried, closed. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { Context, isQTasksError, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { answerAfter, FaultyStorage, passAfter } from '../support/faulty.js';
import { isFree } from '../support/holds.js';
import { gate } from '../support/promises.js';
import { countedSignal } from '../support/signals.js';

const no = new Error('no');
const exclusive = { exclusive: true };

describe('a cancel', () => {
  it('while it waits for the lock settles at once, and a lock that is granted late is freed', async () => {
    const storage = new FaultyStorage();
    const { promise, resolve } = gate();
    storage.nextLocks.push(answerAfter(() => promise));
    const { controller, signal, listeners } = countedSignal();
    const app = new QTasks({ storage });
    const work = app.task('work', () => 'value', exclusive);
    const run = app.with({ signal }).run(work);
    await settle();
    controller.abort('stop');
    expect(run.status).toBe('cancel');
    expect(await run.settled).toMatchObject({ error: 'stop', attempts: 0 });
    expect(listeners.size).toBe(0);
    expect(await isFree(storage)).toBe(false);
    resolve();
    await settle();
    expect(await isFree(storage)).toBe(true);
  });

  it('while it waits behind others frees none of theirs, and the next in line goes', async () => {
    const storage = memory();
    const app = new QTasks({ storage });
    const order: string[] = [];
    const { promise, resolve } = gate();
    const asked: unknown[] = [];
    const when = (error: unknown): boolean => asked.push(error) > 0;
    const work = app.task(
      'work',
      (name: string) => {
        order.push(name);
        return promise;
      },
      { exclusive: true, retry: { limit: 3, when } },
    );
    const [first, second, third] = [work('first'), work('second'), work('third')];
    await settle();
    second.cancel();
    await settle();
    expect(order).toEqual(['first']);
    // That the lock was refused then is no failure.
    expect(asked).toEqual([]);
    expect((await second.settled).attempts).toBe(0);
    resolve();
    await Promise.all([first, third]);
    expect(second.status).toBe('cancel');
    expect(order).toEqual(['first', 'third']);
  });

  it('while it has the hold and waits for a slot gives the hold back', async () => {
    const storage = memory();
    const app = new QTasks({ storage, concurrency: 1 });
    const { promise, resolve } = gate();
    const busy = app.task('busy', () => promise)();
    const run = app.task('work', () => 'value', exclusive)();
    await settle();
    expect(await isFree(storage)).toBe(false);
    run.cancel('stop');
    expect(run.status).toBe('cancel');
    expect(await isFree(storage)).toBe(true);
    resolve();
    await busy;
  });

  it('in the tick in which the lock is granted ends "cancel" and frees it', async () => {
    for (let ticks = 0; ticks < 12; ticks++) {
      const storage = memory();
      let calls = 0;
      const run = new QTasks({ storage }).task('work', () => ++calls, exclusive)();
      for (let tick = 0; tick < ticks; tick++) await null;
      run.cancel('stop');
      const { status } = await run.settled;
      expect(status).toBe(calls === 0 ? 'cancel' : 'success');
      expect(await isFree(storage)).toBe(true);
    }
  });

  it('by the close of the app reaches who waits for the lock', async () => {
    const clock = new ManualClock();
    const storage = memory();
    const app = new QTasks({ clock, storage });
    const other = new QTasks({ storage });
    const { promise, resolve } = gate();
    const holder = other.task('holder', () => promise, exclusive)();
    const run = app.task('work', () => 'value', exclusive)();
    const { settled } = run;
    await settle();
    const closing = app.close({ drain: 0 });
    await clock.advance(0);
    await closing;
    expect(isQTasksError((await settled).error, 'APP_CLOSED')).toBe(true);
    resolve();
    await holder;
    expect(await isFree(storage)).toBe(true);
  });
});

describe('a hold', () => {
  it('that fails to be given back changes no run, and is told to the logger', async () => {
    for (const release of [
      () => Promise.reject(no),
      () => {
        throw no;
      },
    ]) {
      const storage = new FaultyStorage();
      storage.nextLocks.push(async () => release);
      const told: unknown[] = [];
      const logger = {
        info() {},
        warn() {},
        error: (_line: string, error: unknown) => told.push(error),
      };
      const run = new QTasks({ storage, logger }).task('work', () => 'value', exclusive)();
      expect(await run).toBe('value');
      expect(told).toEqual([no]);
    }
  });

  it('is given back once, after teardown and before the run has settled', async () => {
    const log: string[] = [];
    const storage = new FaultyStorage();
    storage.nextLocks.push(async () => async () => {
      await settle();
      log.push('freed');
    });
    const app = new QTasks({ storage, concurrency: 1 });
    app.on('run:success', ({ task }) => log.push(task));
    const work = app.task(
      'work',
      { ctx: Context },
      ({ ctx }) => {
        ctx.defer(() => log.push('teardown'));
      },
      exclusive,
    );
    await work();
    expect(log).toEqual(['teardown', 'freed', 'work']);
  });

  it('that is slow to be given back is not undone by a cancel, and leaves no timer', async () => {
    for (const middleware of [[], (_run: unknown, next: () => Promise<unknown>) => next()]) {
      const clock = new ManualClock();
      const storage = new FaultyStorage();
      const { promise, resolve } = gate();
      storage.nextLocks.push(async () => () => promise);
      const app = new QTasks({ clock, storage, middleware });
      const run = app.task('work', () => 'value', exclusive)();
      await settle();
      expect(run.status).toBe('process');
      run.cancel('late');
      resolve();
      expect(await run).toBe('value');
      expect(clock.pending).toBe(0);
    }
  });

  it('is not kept during the backoff, and is not counted in the timeout', async () => {
    const clock = new ManualClock();
    const storage = new FaultyStorage(memory());
    storage.nextLocks.push(passAfter(() => slow.promise));
    const slow = gate();
    const app = new QTasks({ clock, storage });
    const work = app.task(
      'work',
      { ctx: Context },
      async ({ ctx }) => {
        await ctx.sleep(9);
        if (ctx.attempt === 1) throw no;
        return 'value';
      },
      { exclusive: true, timeout: 10, retry: { limit: 1, delay: 1_000 } },
    );
    const run = work();
    run.then(() => {});
    await clock.advance(1_000);
    slow.resolve();
    await clock.advance(500);
    expect(run.status).toBe('retry');
    expect(await isFree(storage)).toBe(true);
    await clock.advance(1_000);
    expect(await run).toBe('value');
    expect(clock.pending).toBe(0);
  });

  it('of a remembered run is taken once for all that join it', async () => {
    const storage = new FaultyStorage();
    const app = new QTasks({ storage });
    const work = app.task('work', () => settle().then(() => 'value'), exclusive);
    const client = app.with({ id: 'one' });
    expect(await Promise.all([client.run(work), client.run(work)])).toEqual(['value', 'value']);
    expect(storage.locks).toHaveLength(1);
  });

  it('is nothing that the lock of a state waits for', async () => {
    const storage = new FaultyStorage();
    const app = new QTasks({ storage });
    const { promise, resolve } = gate();
    const run = app.task('work', () => promise, exclusive)();
    await settle();
    const release = await storage.inner.lock?.({ app: 'qtasks', session: '', state: 's' }, {});
    await release?.();
    resolve();
    await run;
    expect(release).toBeTypeOf('function');
  });
});
