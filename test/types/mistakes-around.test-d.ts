/** What must not compile: streams, child runs, middleware, settings. Each directive stands for one mistake. */
import { describe, test } from 'vitest';
import { Context, type Middleware, QTasks, type Run, task } from '../../src/index.js';
import * as tasks from './tasks.js';
import { db } from './tasks.js';

const count = task('count', async function* (to: number) {
  for (let now = 0; now < to; now++) yield now;
  return 'done';
});
const app = new QTasks({ tasks: { ...tasks, count } });

describe('a stream does not give', () => {
  test('values of another type', async () => {
    for await (const now of app.run(count, 3)) {
      // @ts-expect-error
      now.trim();
    }
    for await (const now of app.run('count', 3)) {
      // @ts-expect-error
      const text: string = now;
      void text;
    }
  });

  test('values at all, where the task is no generator', async () => {
    for await (const value of app.run('step2', '+351')) {
      // @ts-expect-error
      value.rows;
    }
  });

  test('its result among the values, nor its values as the result', async () => {
    // @ts-expect-error
    const streamed: AsyncIterable<string> = app.run(count, 3);
    // @ts-expect-error
    const result: number = await app.run(count, 3);
    return [streamed, result];
  });

  test('values without waiting for them', () => {
    // @ts-expect-error
    for (const now of app.run(count, 3)) return now;
    // @ts-expect-error
    return Array.from(app.run(count, 3));
  });

  test('a run of other values', () => {
    // @ts-expect-error
    const texts: Run<string, string> = app.run(count, 3);
    // @ts-expect-error
    const nothing: Run<string> = app.run(count, 3);
    return [texts, nothing];
  });

  test('anything back to who yields', () => {
    const run = app.run(count, 3);
    // @ts-expect-error
    void run[Symbol.asyncIterator]().next('more');
    // @ts-expect-error
    void run.next();
    // @ts-expect-error
    run.return();
  });
});

describe('ctx.run refuses', () => {
  test('wrong, missing and additional arguments of a task', () => {
    task('t', { ctx: Context }, async ({ ctx }) => {
      // @ts-expect-error
      await ctx.run(count, '3');
      // @ts-expect-error
      await ctx.run(tasks.step2);
      // @ts-expect-error
      await ctx.run(tasks.step1, 'extra');
    });
  });

  test('what is no task', () => {
    task('t', { ctx: Context }, async ({ ctx }) => {
      // @ts-expect-error
      await ctx.run(() => 1);
      // @ts-expect-error
      await ctx.run(db);
      // @ts-expect-error
      await ctx.run(undefined);
    });
  });

  test('to tell more of a name than that it is one', () => {
    task('t', { ctx: Context }, async ({ ctx }) => {
      // @ts-expect-error
      const rows: number = await ctx.run('step2', '+351');
      // @ts-expect-error
      for await (const now of ctx.run('count', 3)) now.toFixed();
      return rows;
    });
  });

  test('settings: they are those of its parent', () => {
    task('t', { ctx: Context }, async ({ ctx }) => {
      // @ts-expect-error
      await ctx.with({ timeout: 1 }).run(count, 3);
      // @ts-expect-error
      await ctx.run(count, 3, { timeout: 1 });
    });
  });
});

describe('middleware is refused', () => {
  test('that is no function, or one of several that is none', () => {
    // @ts-expect-error
    app.use({ run() {} });
    // @ts-expect-error
    app.use([async () => 1, 'log']);
    // @ts-expect-error
    app.use();
    // @ts-expect-error
    new QTasks({ middleware: 'log' });
    // @ts-expect-error
    task('t', { db }, () => 1, { middleware: {} });
  });

  test('that is not asynchronous', () => {
    // @ts-expect-error
    app.use(() => 1);
    // @ts-expect-error
    app.use((_run, next) => void next());
  });

  test('that hands something on, or wants more than there is', () => {
    // @ts-expect-error
    app.use((run, next) => next(run));
    // @ts-expect-error
    app.use(async (_run, next, more: string) => [await next(), more]);
    // @ts-expect-error
    app.use(async ({ handler }, next) => [handler, await next()]);
  });

  test('that changes the run it is around', () => {
    const middleware: Middleware = async (run, next) => {
      // @ts-expect-error
      run.args = [];
      // @ts-expect-error
      run.args.push(1);
      // @ts-expect-error
      run.session = 'bob';
      return next();
    };
    return middleware;
  });

  test('that takes its answer for the result of a task', () => {
    // @ts-expect-error
    app.use(async (_run, next): Promise<string> => next());
  });
});

describe('an option is refused', () => {
  test('of a task, that has the wrong type', () => {
    // @ts-expect-error
    task('t', { db }, () => 1, { exclusive: 'session' });
    // @ts-expect-error
    task('t', { db }, () => 1, { exclusive: 1 });
  });

  test('of an app, that has the wrong type or does not exist', () => {
    // @ts-expect-error
    new QTasks({ remember: 1_000 });
    // @ts-expect-error
    new QTasks({ remember: { limit: '1000' } });
    // @ts-expect-error
    new QTasks({ remember: { max: 1_000 } });
    // @ts-expect-error
    new QTasks({ exclusive: true });
  });

  test('of a run, that has the wrong type', () => {
    // @ts-expect-error
    app.with({ id: 1 });
    // @ts-expect-error
    app.with({ id: null });
    // @ts-expect-error
    app.with({ transfer: new ArrayBuffer(8) });
    // @ts-expect-error
    app.with({ transfer: ['buffer'] });
    // @ts-expect-error
    app.with({ exclusive: true });
  });
});

describe('inspect refuses', () => {
  test('an argument, and to be what a session has', () => {
    // @ts-expect-error
    app.inspect('step1');
    // @ts-expect-error
    app.session('ann').inspect();
    // @ts-expect-error
    app.session('ann').use(async () => 1);
  });

  test('to be changed', () => {
    const now = app.inspect();
    // @ts-expect-error
    now.counts.success = 0;
    // @ts-expect-error
    now.tasks.pop();
    // @ts-expect-error
    now.runs[0].cancel();
  });
});
