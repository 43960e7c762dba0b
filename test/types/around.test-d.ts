/** What the compiler knows of what is around a run: child runs, middleware, settings, `inspect()`. */
import { describe, expectTypeOf, test } from 'vitest';
import {
  Context,
  type DependencyInspection,
  Depends,
  type Inspection,
  type Middleware,
  type MiddlewareRun,
  QTasks,
  type RememberOptions,
  type Run,
  type RunInspection,
  type RunSettings,
  type RunStatus,
  type TaskClient,
  task,
} from '../../src/index.js';
import * as tasks from './tasks.js';
import { db } from './tasks.js';

const app = new QTasks({ tasks });

const count = task('count', async function* (to: number) {
  for (let now = 0; now < to; now++) yield now;
  return `${to}`;
});

describe('ctx.run gives', () => {
  test('the result and the values of a task', () => {
    task('parent', { ctx: Context }, async ({ ctx }) => {
      expectTypeOf(ctx.run(tasks.step1)).toEqualTypeOf<Run<'ok'>>();
      expectTypeOf(ctx.run(tasks.step2, '+351', 1)).toEqualTypeOf<Run<{ rows: number }>>();
      expectTypeOf(ctx.run(count, 3)).toEqualTypeOf<Run<string, number>>();
      expectTypeOf(await ctx.run(count, 3)).toEqualTypeOf<string>();
      for await (const now of ctx.run(count, 3)) expectTypeOf(now).toEqualTypeOf<number>();
    });
  });

  test('those of a bound task', () => {
    const bound = app.task('bound', { db }, async ({ db }, sql: string) => db.execute(sql));
    task('parent', { ctx: Context }, ({ ctx }) => {
      expectTypeOf(ctx.run(bound, 'select 1')).toEqualTypeOf<Run<number>>();
    });
  });

  test('something unknown for a name, which takes any arguments', () => {
    task('parent', { ctx: Context }, async ({ ctx }, name: string) => {
      expectTypeOf(ctx.run('step2', 1, 'anything')).toEqualTypeOf<Run<unknown, unknown>>();
      expectTypeOf(ctx.run(name)).toEqualTypeOf<Run<unknown, unknown>>();
      expectTypeOf(await ctx.run(name)).toEqualTypeOf<unknown>();
    });
  });

  test('the same in a dependency', () => {
    Depends({ ctx: Context }, async ({ ctx }) => {
      expectTypeOf(ctx.run(tasks.step1)).toEqualTypeOf<Run<'ok'>>();
      return ctx.run(count, 1);
    });
  });

  test('what a generator may pass on as its own', () => {
    const parent = task('parent', { ctx: Context }, async function* ({ ctx }, to: number) {
      const child = ctx.run(count, to);
      for await (const now of child) yield { now };
      return (await child).length;
    });
    expectTypeOf(app.run(parent, 1)).toEqualTypeOf<Run<number, { now: number }>>();
  });
});

describe('middleware', () => {
  test('knows the attempt it is around', () => {
    const middleware: Middleware = async (run, next) => {
      expectTypeOf(run).toEqualTypeOf<MiddlewareRun>();
      expectTypeOf(run.id).toEqualTypeOf<string>();
      expectTypeOf(run.task).toEqualTypeOf<string>();
      expectTypeOf(run.session).toEqualTypeOf<string>();
      expectTypeOf(run.attempt).toEqualTypeOf<number>();
      expectTypeOf(run.args).toEqualTypeOf<readonly unknown[]>();
      expectTypeOf(run.signal).toEqualTypeOf<AbortSignal>();
      expectTypeOf(next).toEqualTypeOf<() => Promise<unknown>>();
      return next();
    };
    new QTasks({ middleware });
    new QTasks({ middleware: [middleware, middleware] as const });
  });

  test('is typed where it stands: in an app, a task and `use`, which gives the app', () => {
    expectTypeOf(app.use(async ({ task }, next) => [task.length, await next()])).toEqualTypeOf<
      typeof app
    >();
    app.use([async (_run, next) => next()]).use((_run, next) => next());
    task('t', { db }, ({ db: _db }) => 1, {
      middleware: async ({ signal }, next) => (signal.aborted ? undefined : next()),
    });
  });

  test('leaves the types of a task as they are', () => {
    const plain = app.task('t', (text: string) => text, { middleware: async () => 1 });
    expectTypeOf(plain('text')).toEqualTypeOf<Run<string>>();
  });
});

describe('settings', () => {
  test('give a client of the same tasks', () => {
    const buffer = new ArrayBuffer(8);
    const { port1 } = new MessageChannel();
    const client = app.with({ id: 'order-1', transfer: [buffer, port1] as const });
    expectTypeOf(client).toEqualTypeOf<TaskClient<typeof tasks>>();
    expectTypeOf(client.session('ann').with({ id: 'order-2' }).run('step1')).toEqualTypeOf<
      Run<'ok'>
    >();
  });

  test('may be kept apart', () => {
    const settings: RunSettings = { id: 'order-1', transfer: [new ArrayBuffer(8)], priority: 1 };
    app.with({ ...settings, timeout: 1_000 });
  });

  test('of an app say how long a run with an id is remembered', () => {
    const remember: RememberOptions = { limit: 10, ttl: 60_000 };
    new QTasks({ remember });
    new QTasks({ remember: {} });
    new QTasks({ remember: { limit: 0 } });
  });
});

test('inspect gives plain data', () => {
  const now = app.inspect();
  expectTypeOf(now).toEqualTypeOf<Inspection>();
  expectTypeOf(now.concurrency).toEqualTypeOf<number | null>();
  expectTypeOf(now.isClosing).toEqualTypeOf<boolean>();
  expectTypeOf(now.runs).toEqualTypeOf<readonly RunInspection[]>();
  expectTypeOf(now.counts.retries).toEqualTypeOf<number>();
  for (const { name, timeout, retry, exclusive, tags, meta, needs, dependencies } of now.tasks) {
    expectTypeOf(name).toEqualTypeOf<string>();
    expectTypeOf(timeout).toEqualTypeOf<number | null>();
    expectTypeOf(retry?.maxDelay).toEqualTypeOf<number | undefined>();
    expectTypeOf(exclusive).toEqualTypeOf<boolean>();
    expectTypeOf(tags).toEqualTypeOf<readonly string[]>();
    expectTypeOf(meta.owner).toEqualTypeOf<unknown>();
    expectTypeOf(dependencies[needs.db ?? 0]).toEqualTypeOf<DependencyInspection | undefined>();
  }
  for (const { kind, scope } of now.tasks.flatMap(({ dependencies }) => dependencies)) {
    expectTypeOf(kind).toEqualTypeOf<'dependency' | 'state' | 'context'>();
    expectTypeOf(scope).toEqualTypeOf<'task' | 'session' | 'worker' | 'storage'>();
  }
  for (const { status, waitsFor } of now.runs) {
    expectTypeOf(status).toEqualTypeOf<RunStatus>();
    expectTypeOf(waitsFor).toEqualTypeOf<'slot' | 'hold' | 'backoff' | null>();
  }
});
