/** What the compiler knows of streams: the values that `for await` gets, and `Run<Result, Yield>`. */
import { describe, expectTypeOf, test } from 'vitest';
import {
  type BoundTask,
  Context,
  QTasks,
  type Run,
  type RunYieldEvent,
  type Task,
  type TaskClient,
  task,
} from '../../src/index.js';
import * as tasks from './tasks.js';
import { db } from './tasks.js';

interface Progress {
  readonly done: number;
}

const resize = task('resize', { db }, async function* ({ db }, file: string) {
  yield { done: await db.execute(file) } satisfies Progress;
  return new URL(file);
});
const count = task('count', function* (to: number) {
  for (let now = 0; now < to; now++) yield now;
  return 'done';
});
const app = new QTasks({ tasks: { ...tasks, resize, count } });

describe('a task yields', () => {
  test('what an async generator yields', () => {
    expectTypeOf(resize).toEqualTypeOf<Task<'resize', [file: string], URL, { done: number }>>();
  });

  test('what a sync generator yields, and what its promise resolves to', () => {
    expectTypeOf(count).toEqualTypeOf<Task<'count', [to: number], string, number>>();
    const promised = task('t', function* () {
      yield Promise.resolve(new Date());
      return Promise.resolve('done');
    });
    expectTypeOf(promised).toEqualTypeOf<Task<'t', [], string, Date>>();
  });

  test('one of what different branches yield', () => {
    const either = task('t', async function* (flag: boolean) {
      if (flag) yield { done: 1 };
      else yield null;
    });
    expectTypeOf(either).toEqualTypeOf<Task<'t', [flag: boolean], void, { done: number } | null>>();
  });

  test('what another generator yields that it passes on', () => {
    const inner = async function* (): AsyncGenerator<Progress, string, undefined> {
      yield { done: 1 };
      return 'inner';
    };
    const outer = task('t', async function* () {
      const result = yield* inner();
      expectTypeOf(result).toEqualTypeOf<string>();
      return result.length;
    });
    expectTypeOf(outer).toEqualTypeOf<Task<'t', [], number, Progress>>();
  });

  test('what a function streams that only returns a generator', () => {
    const passed = task('t', (): AsyncGenerator<Progress, boolean, undefined> => null as never);
    expectTypeOf(passed).toEqualTypeOf<Task<'t', [], boolean, Progress>>();
    const iterator = task('t', (): AsyncIterable<number> => null as never);
    expectTypeOf(iterator).toEqualTypeOf<Task<'t', [], AsyncIterable<number>>>();
  });

  test('nothing, where it is no generator', () => {
    expectTypeOf(task('t', () => 1)).toEqualTypeOf<Task<'t', [], number, never>>();
    expectTypeOf(task('t', async () => [1])).toEqualTypeOf<Task<'t', [], number[], never>>();
    expectTypeOf(task('t', () => [1].values())).toExtend<Task<'t', [], unknown>>();
  });

  test('needs nothing of who runs it: a yield gives undefined', () => {
    task('t', { ctx: Context }, async function* (): AsyncGenerator<number, void, undefined> {
      const got = yield 1;
      expectTypeOf(got).toEqualTypeOf<undefined>();
    });
  });
});

describe('a run is iterated', () => {
  test('by the task and by its name, from wherever it is started', async () => {
    const bound = app.task('bound', async function* () {
      yield 'text';
    });
    expectTypeOf(bound).toEqualTypeOf<BoundTask<'bound', [], void, string>>();
    expectTypeOf(bound()).toEqualTypeOf<Run<void, string>>();
    expectTypeOf(app.run(resize, 'a.png')).toEqualTypeOf<Run<URL, { done: number }>>();
    expectTypeOf(app.run('resize', 'a.png')).toEqualTypeOf<Run<URL, { done: number }>>();
    expectTypeOf(app.session('ann').with({}).run('count', 3)).toEqualTypeOf<Run<string, number>>();
    for await (const { done } of app.run('resize', 'a.png')) {
      expectTypeOf(done).toEqualTypeOf<number>();
    }
    for await (const now of app.run(count, 3)) expectTypeOf(now).toEqualTypeOf<number>();
  });

  test('and gives never, where the task is no generator', async () => {
    expectTypeOf(app.run('step1')).toEqualTypeOf<Run<'ok'>>();
    expectTypeOf(app.run('step1')).toEqualTypeOf<Run<'ok', never>>();
    for await (const value of app.run('step1')) expectTypeOf(value).toEqualTypeOf<never>();
  });

  test('and has its result beside', async () => {
    const run = app.run('resize', 'a.png');
    for await (const value of run) expectTypeOf(value).toEqualTypeOf<{ done: number }>();
    expectTypeOf(await run).toEqualTypeOf<URL>();
    const { value } = await run.settled;
    expectTypeOf(value).toEqualTypeOf<URL | undefined>();
  });

  test('by hand', async () => {
    const reader = app.run(count, 3)[Symbol.asyncIterator]();
    expectTypeOf(reader).toEqualTypeOf<AsyncIterator<number, undefined, undefined>>();
    const { value } = await reader.next();
    expectTypeOf(value).toEqualTypeOf<number | undefined>();
  });

  test('as any stream of such values', () => {
    const show = (bar: AsyncIterable<Progress>): unknown => bar;
    show(app.run(resize, 'a.png'));
    expectTypeOf(app.run(resize, 'a.png')).toExtend<Run<URL, Progress>>();
    expectTypeOf(app.run('step1')).toExtend<Run<string, Progress>>();
    expectTypeOf(app.run('step1')).toExtend<Run<unknown, unknown>>();
  });

  test('as one of two tasks', () => {
    const either = Math.random() > 0.5 ? resize : count;
    expectTypeOf(app.run(either, 'a.png' as never)).toEqualTypeOf<
      Run<URL | string, { done: number } | number>
    >();
  });
});

test('a client of streams is one of fewer of them', () => {
  expectTypeOf(app).toExtend<TaskClient<{ resize: typeof resize }>>();
  const loose = task(
    'count',
    (_to: number): Generator<unknown, unknown, undefined> => null as never,
  );
  expectTypeOf(app).toExtend<TaskClient<{ count: typeof loose }>>();
});

test('a listener gets what was yielded, whatever it is', () => {
  app.on('run:yield', (event) => {
    expectTypeOf(event).toEqualTypeOf<RunYieldEvent>();
    expectTypeOf(event.value).toEqualTypeOf<unknown>();
    expectTypeOf(event.attempt).toEqualTypeOf<number>();
  });
});
