/** What the compiler finds out by itself: nobody writes a type argument but the shape of a state. */
import { describe, expectTypeOf, test } from 'vitest';
import { memory } from '../../adapters/memory.js';
import {
  AsyncState,
  type BoundTask,
  Context,
  type Dependency,
  Depends,
  isQTasksError,
  type Override,
  QTasks,
  type QTasksError,
  type Run,
  type RunErrorEvent,
  type RunStatus,
  type StateFields,
  type StateInitial,
  type StorageAdapter,
  type Task,
  type TaskClient,
  task,
} from '../../src/index.js';
import * as tasks from './tasks.js';
import { type Connection, db, Registration } from './tasks.js';

const app = new QTasks({ tasks, storage: memory() });

/** The type of the value that a dependency injects. */
function injected<Value>(dependency: Dependency<Value>): Value {
  return dependency as never;
}

describe('Depends injects', () => {
  test('what a plain function returns', () => {
    const dependency = Depends(() => ({ url: 'postgres://' }));
    expectTypeOf(dependency).toEqualTypeOf<Dependency<{ url: string }, 'task'>>();
  });

  test('what an async function resolves to', () => {
    expectTypeOf(injected(Depends(async () => new Map<string, number>()))).toEqualTypeOf<
      Map<string, number>
    >();
  });

  test('what a function returns that gives a promise only sometimes', () => {
    const sometimes = Depends((): string | Promise<string> => 'now');
    expectTypeOf(injected(sometimes)).toEqualTypeOf<string>();
  });

  test('what a sync generator yields', () => {
    const dependency = Depends(function* () {
      yield new Date();
    });
    expectTypeOf(injected(dependency)).toEqualTypeOf<Date>();
  });

  test('what the promise resolves to that a sync generator yields', () => {
    const dependency = Depends(function* () {
      yield Promise.resolve(new Date());
    });
    expectTypeOf(injected(dependency)).toEqualTypeOf<Date>();
  });

  test('what an async generator yields, a promise of it too', () => {
    expectTypeOf(injected(db)).toEqualTypeOf<Connection>();
    const ofPromise = Depends(async function* () {
      yield Promise.resolve(new Date());
    });
    expectTypeOf(injected(ofPromise)).toEqualTypeOf<Date>();
  });

  test('what is yielded, whatever the generator returns', () => {
    const dependency = Depends(async function* () {
      yield 'value';
      return 1;
    });
    expectTypeOf(injected(dependency)).toEqualTypeOf<string>();
  });

  test('one of the values that different branches yield', () => {
    const dependency = Depends(async function* () {
      if (Math.random() > 0.5) yield new Date();
      else yield null;
    });
    expectTypeOf(injected(dependency)).toEqualTypeOf<Date | null>();
  });

  test('undefined, a function, a class instance', () => {
    class Service {
      readonly #secret = 1;
      read(): number {
        return this.#secret;
      }
    }
    expectTypeOf(injected(Depends(() => undefined))).toEqualTypeOf<undefined>();
    expectTypeOf(injected(Depends(() => (text: string) => text.length))).toEqualTypeOf<
      (text: string) => number
    >();
    expectTypeOf(injected(Depends(() => new Service()))).toEqualTypeOf<Service>();
  });

  test('what Depends.using will dispose, also asynchronously or not at all', () => {
    class Lease {
      readonly seats = 2;
      [Symbol.dispose](): void {}
    }
    class Socket {
      async [Symbol.asyncDispose](): Promise<void> {}
    }
    expectTypeOf(injected(Depends.using(() => new Lease()))).toEqualTypeOf<Lease>();
    expectTypeOf(injected(Depends.using(async () => new Socket()))).toEqualTypeOf<Socket>();
    const maybe = Depends.using({ db }, () => (Math.random() > 0.5 ? new Lease() : undefined));
    expectTypeOf(injected(maybe)).toEqualTypeOf<Lease | undefined>();
  });
});

describe('Depends knows', () => {
  test('the types of its needs', () => {
    const config = Depends(() => ({ url: 'postgres://' }), { scope: 'worker' });
    Depends({ config, state: Registration, ctx: Context }, (needs) => {
      expectTypeOf(needs).toEqualTypeOf<{
        readonly config: { url: string };
        readonly state: Registration;
        readonly ctx: Context;
      }>();
    });
  });

  test('the types of its needs in a generator and in Depends.using', () => {
    Depends({ db }, async function* ({ db }) {
      expectTypeOf(db).toEqualTypeOf<Connection>();
      yield db;
    });
    Depends.using({ db }, ({ db }) => {
      expectTypeOf(db).toEqualTypeOf<Connection>();
      return null;
    });
  });

  test('its scope, which is "task" by default', () => {
    expectTypeOf(Depends(() => 1).scope).toEqualTypeOf<'task'>();
    expectTypeOf(Depends(() => 1, {}).scope).toEqualTypeOf<'task'>();
    expectTypeOf(Depends(() => 1, { cache: false }).scope).toEqualTypeOf<'task'>();
    expectTypeOf(Depends(() => 1, { scope: 'session' }).scope).toEqualTypeOf<'session'>();
    const inner = Depends(() => 1, { scope: 'storage' });
    const outer = Depends({ inner }, () => 1, { scope: 'worker' });
    expectTypeOf(outer.scope).toEqualTypeOf<'worker'>();
  });

  test('that each scope may need the longer ones', () => {
    const ofStorage = Depends(() => 1, { scope: 'storage' });
    const ofWorker = Depends({ ofStorage }, () => 1, { scope: 'worker' });
    const needs = { ofStorage, ofWorker, state: Registration };
    const ofSession = Depends(needs, ({ ofWorker }) => ofWorker, { scope: 'session' });
    const ofTask = Depends({ ...needs, ofSession, ctx: Context }, ({ ofSession }) => ofSession);
    expectTypeOf(injected(ofTask)).toEqualTypeOf<number>();
  });

  test('the types of needs that are written down apart', () => {
    const needs = { db, state: Registration } as const;
    Depends(needs, ({ db, state }) => {
      expectTypeOf(db).toEqualTypeOf<Connection>();
      expectTypeOf(state).toEqualTypeOf<Registration>();
    });
  });
});

describe('task knows', () => {
  test('its name, its arguments and its result', () => {
    const add = task('add', (left: number, right?: number) => left + (right ?? 0));
    expectTypeOf(add).toEqualTypeOf<
      Task<'add', [left: number, right?: number | undefined], number>
    >();
  });

  test('what an async handler resolves to', () => {
    const read = task('read', { db }, async ({ db }, sql: string) => db.execute(sql));
    expectTypeOf(read).toEqualTypeOf<Task<'read', [sql: string], number>>();
  });

  test('a result that is nothing, a union, or never comes', () => {
    expectTypeOf(task('t', () => {})).toEqualTypeOf<Task<'t', [], void>>();
    const either = task('t', async (flag: boolean) => (flag ? 'yes' : 404));
    expectTypeOf(either).toEqualTypeOf<Task<'t', [flag: boolean], 'yes' | 404>>();
    const thrower = task('t', async (): Promise<never> => {
      throw new Error();
    });
    expectTypeOf(thrower).toEqualTypeOf<Task<'t', [], never>>();
  });

  test('the types of its needs', () => {
    task('t', { db, state: Registration, ctx: Context }, (needs, phone: string) => {
      expectTypeOf(needs).toEqualTypeOf<{
        readonly db: Connection;
        readonly state: Registration;
        readonly ctx: Context;
      }>();
      expectTypeOf(phone).toEqualTypeOf<string>();
    });
  });

  test('rest arguments, destructured ones and none behind its needs', () => {
    expectTypeOf(task('t', (...all: number[]) => all)).toEqualTypeOf<
      Task<'t', number[], number[]>
    >();
    const destructured = task('t', ({ from }: { from: Date }) => from);
    expectTypeOf(destructured).toEqualTypeOf<Task<'t', [{ from: Date }], Date>>();
    expectTypeOf(task('t', { db }, () => 1)).toEqualTypeOf<Task<'t', [], number>>();
    expectTypeOf(task('t', {}, (_needs, count: number) => count)).toEqualTypeOf<
      Task<'t', [count: number], number>
    >();
  });

  test('what it is with options, as without', () => {
    const plain = task('t', (count: number) => count, { retry: { limit: 1, when: [TypeError] } });
    expectTypeOf(plain).toEqualTypeOf<Task<'t', [count: number], number>>();
    const needy = task('t', { db }, ({ db }, sql: string) => db.execute(sql), { timeout: 1 });
    expectTypeOf(needy).toEqualTypeOf<Task<'t', [sql: string], number>>();
  });

  test('a name that is made of others', () => {
    const create = (side: 'left' | 'right') => task(`turn-${side}`, () => side);
    const turns = new QTasks({ tasks: { turn: create('left') } });
    expectTypeOf(turns.run('turn-left')).toEqualTypeOf<Run<'left' | 'right'>>();
  });

  test('that any name may be run where a task has any name', () => {
    const name: string = 'made-up';
    const free = new QTasks({ tasks: { made: task(name, (count: number) => count) } });
    expectTypeOf(free.run('whatever', 1)).toEqualTypeOf<Run<number>>();
  });
});

describe('app.task gives a callable', () => {
  const bound = app.task('bound', { db }, async ({ db }, sql: string, times?: number) => {
    return db.execute(sql.repeat(times ?? 1));
  });

  test('with the arguments and the result of its handler', () => {
    expectTypeOf(bound).toEqualTypeOf<
      BoundTask<'bound', [sql: string, times?: number | undefined], number>
    >();
    expectTypeOf(bound).parameters.toEqualTypeOf<[sql: string, times?: number | undefined]>();
    expectTypeOf(bound('select 1')).toEqualTypeOf<Run<number>>();
    expectTypeOf(bound('select 1').then((count) => count)).resolves.toEqualTypeOf<number>();
  });

  test('that is a task', () => {
    expectTypeOf(app.session('ann').run(bound, 'select 1', 2)).toEqualTypeOf<Run<number>>();
    expectTypeOf(bound.name).toEqualTypeOf<'bound'>();
    const other = new QTasks({ tasks: { bound } });
    expectTypeOf(other.run('bound', 'select 1')).toEqualTypeOf<Run<number>>();
  });
});

describe('run gives', () => {
  test('the result of a task', () => {
    expectTypeOf(app.run(tasks.step1)).toEqualTypeOf<Run<'ok'>>();
    expectTypeOf(app.run(tasks.step2, '+351', 1)).toEqualTypeOf<Run<{ rows: number }>>();
    expectTypeOf(app.run(tasks.sumAll, 1, 2, 3)).toEqualTypeOf<Run<number>>();
  });

  test('the result of a task by its name', () => {
    expectTypeOf(app.run('step1')).toEqualTypeOf<Run<'ok'>>();
    expectTypeOf(app.session('ann').run('step2', '+351')).toEqualTypeOf<Run<{ rows: number }>>();
    expectTypeOf(app.with({ timeout: 1 }).run('sum')).toEqualTypeOf<Run<number>>();
  });

  test('the result of one task out of two', () => {
    const either = Math.random() > 0.5 ? tasks.step1 : tasks.sumAll;
    expectTypeOf(app.run(either)).toEqualTypeOf<Run<'ok' | number>>();
  });

  test('a promise of the result', async () => {
    expectTypeOf(await app.run('step1')).toEqualTypeOf<'ok'>();
    const all = await Promise.all([app.run('step1'), app.run('sum')]);
    expectTypeOf(all).toEqualTypeOf<['ok', number]>();
  });

  test('how it ended, narrowed by its status', async () => {
    const settled = await app.run('step2', '+351').settled;
    expectTypeOf(settled.attempts).toEqualTypeOf<number>();
    expectTypeOf(settled.value).toEqualTypeOf<{ rows: number } | undefined>();
    expectTypeOf(settled.cleanupErrors).toEqualTypeOf<readonly unknown[]>();
    if (settled.status === 'success') {
      expectTypeOf(settled.value).toEqualTypeOf<{ rows: number }>();
      expectTypeOf(settled.error).toEqualTypeOf<undefined>();
    } else {
      expectTypeOf(settled.status).toEqualTypeOf<'error' | 'cancel'>();
      expectTypeOf(settled.error).toEqualTypeOf<unknown>();
      expectTypeOf(settled.value).toEqualTypeOf<undefined>();
    }
  });

  test('its id and its status', () => {
    expectTypeOf(app.run('step1').id).toEqualTypeOf<string>();
    expectTypeOf(app.run('step1').status).toEqualTypeOf<RunStatus>();
  });
});

describe('a TaskClient is', () => {
  test('an app, a session of it and either with settings', () => {
    expectTypeOf(app).toExtend<TaskClient<typeof tasks>>();
    expectTypeOf(app.session('ann')).toEqualTypeOf<TaskClient<typeof tasks>>();
    expectTypeOf(app.with({})).toEqualTypeOf<TaskClient<typeof tasks>>();
    expectTypeOf(app.session('ann').with({}).session('bob')).toEqualTypeOf<
      TaskClient<typeof tasks>
    >();
  });

  test('also one of fewer tasks, or of none', () => {
    expectTypeOf(app).toExtend<TaskClient<{ step1: typeof tasks.step1 }>>();
    expectTypeOf(app.session('ann')).toExtend<TaskClient<Pick<typeof tasks, 'step2'>>>();
    expectTypeOf(app.session('ann')).toExtend<TaskClient<object>>();
    expectTypeOf(app).toExtend<QTasks>();
  });

  test('what a function takes that runs tasks anywhere', () => {
    const start = (client: TaskClient<{ step1: typeof tasks.step1 }>): Run<'ok'> =>
      client.run('step1');
    const startAny = (client: TaskClient<object>): Run<'ok'> => client.run(tasks.step1);
    for (const client of [app, app.session('ann'), app.with({})]) {
      expectTypeOf(start(client)).toEqualTypeOf<Run<'ok'>>();
      expectTypeOf(startAny(client)).toEqualTypeOf<Run<'ok'>>();
    }
  });

  test('disposable', () => {
    expectTypeOf(app).toExtend<AsyncDisposable>();
    expectTypeOf(app.session('ann')).toExtend<AsyncDisposable>();
  });

  test('made of a record of tasks as of a module', () => {
    const { step1, sumAll } = tasks;
    const record = new QTasks({ tasks: { first: step1, second: sumAll } });
    expectTypeOf(record.run('sum', 1)).toEqualTypeOf<Run<number>>();
    expectTypeOf(record.run('step1')).toEqualTypeOf<Run<'ok'>>();
  });
});

describe('override takes in the place of a dependency', () => {
  const year = Depends(() => new Date().getFullYear());

  test('any function that opens such a value', () => {
    expectTypeOf(app.override(year, () => 1999)).toEqualTypeOf<Override>();
    app.override(year, async () => 1999);
    app.override(year, function* () {
      yield 1999;
    });
    app.override(year, function* () {
      yield Promise.resolve(1999);
    });
    app.override(year, async function* () {
      yield 1999;
    });
  });

  test('another dependency of such a value, whatever its scope', () => {
    app.override(
      year,
      Depends({ db }, () => 1999),
    );
    app.override(
      year,
      Depends(() => 1999, { scope: 'storage' }),
    );
  });

  test('a value of a subtype', () => {
    const clock = Depends((): { now(): number } => ({ now: () => 0 }));
    app.override(clock, () => ({ now: () => 1, advance: () => {} }));
  });
});

describe('a state knows', () => {
  const state = app.session('ann').state(Registration);

  test('its class', () => {
    expectTypeOf(state).toEqualTypeOf<Registration>();
  });

  test('what a field holds, which may be nothing', () => {
    expectTypeOf(state.get('step')).resolves.toEqualTypeOf<number | undefined>();
    expectTypeOf(state.get('tags')).resolves.toEqualTypeOf<string[] | undefined>();
  });

  test('what a field holds, which is something with a default', () => {
    expectTypeOf(state.get('step', 0)).resolves.toEqualTypeOf<number>();
    expectTypeOf(state.get('phone', '')).resolves.toEqualTypeOf<string>();
  });

  test('what all fields hold', () => {
    type Fields = Partial<{ step: number; phone: string; tags: string[] }>;
    expectTypeOf(state.get()).resolves.toEqualTypeOf<Fields>();
    expectTypeOf(state.getAll()).resolves.toEqualTypeOf<Fields>();
    expectTypeOf(state.update({ step: 1 })).resolves.toEqualTypeOf<Fields>();
    state.update((now) => {
      expectTypeOf(now).toEqualTypeOf<Fields>();
      return {};
    });
    expectTypeOf(state.changes()).toExtend<AsyncIterable<Fields>>();
  });

  test('what a change tells', () => {
    state.subscribe(({ changed, deleted, origin }) => {
      expectTypeOf(changed).toEqualTypeOf<readonly ('step' | 'phone' | 'tags')[]>();
      expectTypeOf(deleted).toEqualTypeOf<readonly ('step' | 'phone' | 'tags')[]>();
      expectTypeOf(origin).toEqualTypeOf<'local' | 'remote'>();
    });
  });

  test('methods of its own', () => {
    class Cart extends AsyncState<{ items: string[] }> {
      static readonly id = 'cart';
      static readonly initial = { items: [] } satisfies StateInitial<{ items: string[] }>;
      static readonly fields = {} satisfies StateFields<{ items: string[] }>;
      async count(): Promise<number> {
        return (await this.get('items', [])).length;
      }
    }
    task('t', { cart: Cart }, ({ cart }) => {
      expectTypeOf(cart.count()).resolves.toEqualTypeOf<number>();
      expectTypeOf(cart.get('items')).resolves.toEqualTypeOf<string[] | undefined>();
    });
  });

  test('a shape that is an interface or allows any field', () => {
    interface Shape {
      step: number;
    }
    class Typed extends AsyncState<Shape> {
      static readonly id = 'typed';
    }
    class Loose extends AsyncState<Record<string, number>> {
      static readonly id = 'loose';
    }
    expectTypeOf(app.state(Typed).get('step')).resolves.toEqualTypeOf<number | undefined>();
    expectTypeOf(app.state(Loose).get('anything')).resolves.toEqualTypeOf<number | undefined>();
  });
});

describe('a listener knows', () => {
  test('the fields of its event', () => {
    app.on('run:error', (event) => {
      expectTypeOf(event).toEqualTypeOf<RunErrorEvent>();
      expectTypeOf(event.type).toEqualTypeOf<'run:error'>();
      expectTypeOf(event.error).toEqualTypeOf<unknown>();
      expectTypeOf(event.attempt).toEqualTypeOf<number>();
    });
    app.on('run:retry', ({ delay }) => expectTypeOf(delay).toEqualTypeOf<number>());
    app.on('run:cancel', ({ reason }) => expectTypeOf(reason).toEqualTypeOf<unknown>());
    app.on('dependency:error', ({ dependency, run }) => {
      expectTypeOf(dependency).toEqualTypeOf<string>();
      expectTypeOf(run).toEqualTypeOf<string | undefined>();
    });
    app.on('state:change', ({ changed }) => {
      expectTypeOf(changed).toEqualTypeOf<readonly string[]>();
    });
  });

  test('the union of two events it is used for', () => {
    for (const name of ['run:success', 'run:error'] as const) {
      app.on(name, ({ type, run }) => {
        expectTypeOf(type).toEqualTypeOf<'run:success' | 'run:error'>();
        expectTypeOf(run).toEqualTypeOf<string>();
      });
    }
  });

  test('how it is stopped', () => {
    expectTypeOf(app.on('error', () => {})).toEqualTypeOf<() => void>();
  });
});

describe('isQTasksError narrows', () => {
  const error: unknown = new Error();

  test('to the class', () => {
    if (isQTasksError(error)) expectTypeOf(error).toEqualTypeOf<QTasksError>();
  });

  test('to a code', () => {
    if (!isQTasksError(error, 'TASK_TIMEOUT')) return;
    expectTypeOf(error.code).toEqualTypeOf<'TASK_TIMEOUT'>();
    expectTypeOf(error.data).toEqualTypeOf<Readonly<Record<string, unknown>>>();
  });

  test('to the data of CLEANUP_FAILED', () => {
    if (!isQTasksError(error, 'CLEANUP_FAILED')) return;
    expectTypeOf(error.data.errors).toEqualTypeOf<readonly unknown[]>();
    expectTypeOf(error.data.value).toEqualTypeOf<unknown>();
  });

  test('to the data of VALUE_UNSUPPORTED', () => {
    if (!isQTasksError(error, 'VALUE_UNSUPPORTED')) return;
    expectTypeOf(error.data.path).toEqualTypeOf<readonly (string | number)[]>();
  });
});

test('memory gives a storage', () => {
  expectTypeOf(memory()).toEqualTypeOf<StorageAdapter>();
  memory({ onEvict: (session) => expectTypeOf(session.session).toEqualTypeOf<string>() });
});

test('a bound app without tasks needs no type argument', () => {
  expectTypeOf(new QTasks()).toExtend<QTasks>();
  expectTypeOf(new QTasks({ name: 'signup' })).toEqualTypeOf<QTasks>();
});
