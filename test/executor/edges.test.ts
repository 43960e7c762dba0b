/** Narrow places between what a run does and what others do with it at the same moment. */
import { expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { testApp } from '../../adapters/testing/index.js';
import {
  Context,
  isQTasksError,
  type Middleware,
  QTasks,
  type Run,
  task,
} from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { FaultyStorage } from '../support/faulty.js';
import { gate, never, rejection } from '../support/promises.js';

it('waits for a child that is started as the last one ends', async () => {
  const app = new QTasks({ concurrency: 1 });
  const end = gate();
  let late: Run<unknown, unknown> | undefined;
  const child = app.task('child', async (promise: Promise<unknown>) => promise);
  const parent = app.task('parent', { ctx: Context }, ({ ctx }) => {
    const first = ctx.run(child, Promise.resolve());
    void first.settled.then(() => {
      late = ctx.run(child, end.promise);
    });
  });
  const run = parent();
  await settle();
  expect([run.status, late?.status]).toEqual(['process', 'process']);
  end.resolve();
  await run;
  expect(late?.status).toBe('success');
});

it('waits for a lock that is not given back no longer than grace', async () => {
  const clock = new ManualClock();
  const storage = new FaultyStorage(memory());
  storage.nextLocks.push(async () => () => never);
  const app = new QTasks({ clock, storage, grace: 50 });
  const run = app.task('work', () => 1, { exclusive: true })();
  await clock.advance(49);
  expect(run.status).toBe('process');
  await clock.advance(1);
  expect(await run).toBe(1);
  await app.close();
  expect(clock.pending).toBe(0);
});

it('waits as it closes until the hold of a cancelled run is back', async () => {
  const clock = new ManualClock();
  const storage = new FaultyStorage(memory());
  const back = gate();
  storage.nextLocks.push(async () => () => back.promise);
  const app = new QTasks({ clock, storage, concurrency: 1 });
  const blocker = gate();
  const first = app.task('first', () => blocker.promise)();
  const second = app.task('second', () => 1, { exclusive: true })();
  await settle();
  second.cancel('stop');
  expect(await rejection(second)).toBe('stop');
  blocker.resolve();
  await first;
  let isClosed = false;
  const closing = app.close().then(() => {
    isClosed = true;
  });
  await settle();
  expect(isClosed).toBe(false);
  back.resolve();
  await closing;
});

it('gives a generator that delegates to a child run its own reason', async () => {
  const app = new QTasks();
  const log: unknown[] = [];
  const child = app.task('child', async function* () {
    yield 1;
    yield never;
  });
  const parent = app.task('parent', { ctx: Context }, async function* ({ ctx }) {
    try {
      yield* ctx.run(child);
    } catch (error) {
      log.push(error);
      throw error;
    }
  });
  const run = parent();
  for await (const value of run) {
    log.push(value);
    break;
  }
  expect(log[0]).toBe(1);
  expect(isQTasksError(log[1], 'TASK_CANCELLED')).toBe(true);
  expect(run.status).toBe('cancel');
});

it('calls the handler also where outer middleware does not wait for an inner one', async () => {
  const log: string[] = [];
  const outer: Middleware = async (_run, next) => {
    void next();
    return 'outer';
  };
  const inner: Middleware = async (_run, next) => {
    await settle();
    return next();
  };
  const app = new QTasks({ middleware: [outer, inner] });
  const work = app.task('work', () => log.push('body'));
  expect(await work()).toBe('outer');
  expect(log).toEqual(['body']);
});

it('logs the completion of a run that middleware has answered', async () => {
  const lines: string[] = [];
  const log = (line: string): number => lines.push(line);
  const logger = { info: log, warn: log, error: log };
  const app = new QTasks({ name: 'app', logger, middleware: async () => 'cached' });
  expect(await app.task('work', () => 'fresh')()).toBe('cached');
  expect(lines).toEqual(['[app] work started', '[app] work completed']);
});

it('ends once where a getter of the result cancels the run', async () => {
  const app = testApp();
  const work: Run<unknown> = app.task('work', async () => ({
    get trap() {
      work.cancel('trap');
      return 1;
    },
  }))();
  expect(await rejection(work)).toBe('trap');
  const ends = app.events.filter(({ type }) => /^run:(success|error|cancel)$/.test(type));
  expect(ends.map(({ type }) => type)).toEqual(['run:cancel']);
});

it('waits nothing before a retry with a delay of nothing, however often', async () => {
  const clock = new ManualClock();
  const app = new QTasks({ clock });
  const retry = { limit: 1_200, delay: 0, jitter: false };
  const work = app.task('work', () => Promise.reject('no'), { retry });
  const { settled } = work();
  for (let turn = 0; turn < 1_201; turn++) await clock.advance(0);
  expect((await settled).attempts).toBe(1_201);
});

it('does not join a run of another task of that name', async () => {
  const app = new QTasks();
  const client = app.with({ id: 'one' });
  await client.run(app.task('work', () => 1));
  const stranger = task('work', () => 2);
  expect(isQTasksError(await rejection(client.run(stranger)), 'TASK_UNKNOWN')).toBe(true);
});

it('moves nothing of a run that is refused', async () => {
  const work = task('work', (buffer: ArrayBuffer) => buffer.byteLength);
  const app = testApp({ tasks: { work } });
  const buffer = new ArrayBuffer(8);
  const client = app.with({ signal: AbortSignal.abort('no'), transfer: [buffer] });
  expect(await rejection(client.run('work', buffer))).toBe('no');
  expect(buffer.byteLength).toBe(8);
});

it('logs the start of a run whose first lock has failed', async () => {
  const lines: string[] = [];
  const log = (line: string): number => lines.push(line);
  const clock = new ManualClock();
  const storage = new FaultyStorage(memory());
  storage.nextLocks.push(() => Promise.reject(new Error('no')));
  const app = new QTasks({
    name: 'app',
    clock,
    storage,
    logger: { info: log, warn: log, error: log },
  });
  const retry = { limit: 1, delay: 10, jitter: false };
  const run = app.task('work', () => 1, { exclusive: true, retry })();
  await clock.advance(10);
  expect(await run).toBe(1);
  expect(lines).toEqual([
    '[app] work failed, next attempt in 10 ms',
    '[app] work started',
    '[app] work completed',
  ]);
});

it('keeps what the outermost middleware has answered where a cancel ends the wait for the others', async () => {
  const clock = new ManualClock();
  const early: Middleware = async (_run, next) => {
    void next();
    return 'early';
  };
  const stuck: Middleware = async (_run, next) => {
    await next();
    return never;
  };
  const app = new QTasks({ clock, middleware: [early, stuck] });
  const run = app.task('work', () => 'value', { grace: 10 })();
  await clock.advance(1);
  run.cancel('late');
  await clock.advance(10);
  expect(await run).toBe('early');
});
