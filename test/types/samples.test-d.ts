import { test } from 'vitest';
import { memory } from '../../adapters/memory.js';
import {
  AsyncState,
  Context,
  Depends,
  isQTasksError,
  QTasks,
  type StandardSchema,
  type TaskClient,
  task,
} from '../../src/index.js';
import * as tasks from './tasks.js';

declare const connectToDb: () => Promise<{
  execute(sql: string, values: readonly unknown[]): Promise<void>;
  disconnect(): Promise<void>;
}>;
declare const v: {
  number(): StandardSchema<unknown, number>;
  string(): StandardSchema<unknown, string>;
  tuple<Args>(): StandardSchema<Args>;
};

test('§1: everything in one screen compiles', async () => {
  const db = Depends(async function* () {
    const connection = await connectToDb();
    try {
      yield connection;
    } finally {
      console.log('close...');
      await connection.disconnect();
    }
  });

  class Registration extends AsyncState<{
    state: string;
    step: number;
    prompt: string;
    phone: string;
  }> {
    static readonly id = 'registration';
  }

  const app = new QTasks({ name: 'signup', storage: memory(), logger: console });

  const step1 = app.task('step1', { state: Registration }, async ({ state }) => {
    await state.set('state', 'await_phone');
    await state.update({ step: 1, prompt: 'Enter phone number' });
    return 'ok';
  });

  const step2 = app.task(
    'step2',
    { state: Registration, db },
    async ({ state, db }, phone: string) => {
      if ((await state.get('state')) !== 'await_phone') return 'error';
      await db.execute('insert into users(phone) values (?)', [phone]);
      await state.update({ step: 2, phone });
      return 'ok';
    },
  );

  await step1();
  await app.session('ann').run(step1);
  await app.session('ann').run(step2, '+351 900 000 000');
  await app.close();
});

test('§2: every form of a task and each of its options compiles', () => {
  class Missing extends Error {}
  task('plain', () => 1);
  task('async', async (left: number, right: number) => left + right, { timeout: 1_000 });
  task('retried', () => 1, { retry: 2, grace: 0, priority: -1 });
  task('patient', { ctx: Context }, ({ ctx }) => ctx.attempt, {
    retry: {
      limit: 2,
      delay: 100,
      factor: 1.5,
      maxDelay: 5_000,
      jitter: false,
      when: (error) => error instanceof Missing,
    },
  });
  task('choosy', () => 1, {
    retry: { limit: Number.POSITIVE_INFINITY, when: [Missing, TypeError] },
  });
  task('complete', async (count) => `${count}`, {
    exclusive: true,
    input: v.tuple<[count: number]>(),
    output: v.string(),
    middleware: [async (_run, next) => next()],
  });
  task('streamed', function* (to: number) {
    for (let now = 0; now < to; now++) yield now;
  });
  task('described', () => 1, { tags: ['slow'], description: 'Counts', meta: { owner: 'Ann' } });
  const needs = {
    get later() {
      return later;
    },
  };
  task('lazy', needs, ({ later }) => later.toFixed());
  const later = Depends(() => 1);
});

test('§2: a module of definitions makes an app', async () => {
  const app = new QTasks({ name: 'signup', tasks, storage: memory() });
  await app.run(tasks.step1);
  await app.run('step2', '+351 900 000 000');
  await app[Symbol.asyncDispose]();
});

test('§3: running, cancelling and settings compile', async () => {
  const app = new QTasks({
    name: 'signup',
    tasks,
    storage: memory(),
    concurrency: 4,
    grace: 500,
    logger: console,
    clock: { now: () => 0, setTimeout: () => 1, clearTimeout: () => {} },
    remember: { limit: 1_000, ttl: 600_000 },
    middleware: async (_run, next) => next(),
  });
  const client: TaskClient<typeof tasks> = app.session('ann').with({
    signal: new AbortController().signal,
    timeout: 1_000,
    priority: 5,
    id: 'order 1',
    transfer: [new ArrayBuffer(8)],
  });
  const run = client.run('step2', '+351 900 000 000', 1);
  if (run.status !== 'success') run.cancel();
  run.cancel('enough');
  const settled = await run.settled;
  if (settled.status === 'success') settled.value.rows.toFixed();
  else console.log(settled.error);
  console.log(run.id, settled.attempts, settled.cleanupErrors.length);
  const stop = app.on('error', ({ error, run, task, session }) => {
    console.log(error, run, task, session);
  });
  stop();
  await client.state(tasks.Registration).get('step');
  await app.session('ann').close();
  await app.close({ drain: 0 });
});

test('§4: every form of a dependency compiles', () => {
  const config = Depends(() => ({ url: 'postgres://' }), { scope: 'storage' });
  const pool = Depends({ config }, async ({ config }) => new URL(config.url), {
    scope: 'worker',
    timeout: 1_000,
    closeTimeout: 1_000,
  });
  const cart = Depends(
    { state: tasks.Registration, pool },
    async function* ({ state, pool }) {
      yield { step: await state.get('step'), host: pool.host };
    },
    { scope: 'session', cache: false },
  );
  const page = Depends({ cart, ctx: Context }, function* ({ cart, ctx }) {
    yield `${cart.host} ${ctx.runId}`;
  });
  Depends.using(() => ({ [Symbol.dispose]() {} }));
  Depends.using({ page }, async () => ({ async [Symbol.asyncDispose]() {} }), { timeout: 1 });
  const app = new QTasks();
  const fake = app.override(config, () => ({ url: 'memory:' }));
  fake.restore();
  fake[Symbol.dispose]();
  app.override(
    pool,
    Depends(() => new URL('memory:'), { scope: 'worker' }),
  );
});

test('§5: a state with all of its statics and every call compiles', async () => {
  class Registration extends AsyncState<{ step: number; phone: string }> {
    static readonly id = 'registration';
    static readonly ttl = 3_600_000;
    static readonly fields = { step: v.number(), phone: v.string() };
    static readonly initial = { step: 0 };
    static readonly version = 2;
    static migrate(old: Record<string, unknown>, from: number) {
      return { step: from, phone: String(old.tel) };
    }
  }
  const state = new QTasks({ storage: memory() }).state(Registration);
  const phone = '+351 900 000 000';
  const { signal } = new AbortController();
  await state.get('step');
  await state.get('step', 0);
  await state.get();
  await state.getAll();
  await state.set('step', 1);
  await state.update({ step: 2, phone });
  await state.update((now) => ({ step: (now.step ?? 0) + 1 }));
  await state.delete('step');
  await state.clear();
  const stop = state.subscribe(({ changed, deleted, origin }) => {
    console.log(changed.includes('step'), deleted.length, origin === 'remote');
  });
  stop();
  for await (const all of state.changes({ signal })) console.log(all.phone);
});

test('§6: everything of the context compiles', () => {
  task('contextual', { ctx: Context }, async ({ ctx }) => {
    ctx.logger.info(`${ctx.runId} ${ctx.taskName} ${ctx.session} ${ctx.attempt}`);
    ctx.defer(() => ctx.logger.warn('over'));
    ctx.defer(async () => ctx.logger.error('over', new Error()));
    await ctx.sleep(10);
    ctx.signal.throwIfAborted();
    await ctx.run(tasks.step2, '+351 900 000 000');
    for await (const value of ctx.run('by its name', 1)) console.log(value);
    ctx.cancel('reason');
    ctx.cancel();
  });
});

test('§7: every option of memory() compiles', () => {
  memory({ maxSessions: 10, ttl: 1_000, onEvict: ({ app, session }) => console.log(app, session) });
});

test('§10: an error is guarded and its code is compared', () => {
  const explain = (error: unknown): string => {
    if (isQTasksError(error, 'TASK_TIMEOUT')) return error.message;
    if (isQTasksError(error) && error.code === 'CLEANUP_FAILED') return String(error.cause);
    return 'unknown';
  };
  explain(new Error());
});

test('§11: every event has a listener with its fields', () => {
  const app = new QTasks();
  app.on('run:start', ({ type, at, run, task, session, attempt }) => {
    console.log(type, at, run, task, session, attempt);
  });
  app.on('run:return', ({ value }) => value);
  app.on('run:retry', ({ error, delay }) => console.log(error, delay));
  app.on('run:yield', ({ value }) => value);
  app.on('run:success', ({ value }) => value);
  app.on('run:error', ({ error }) => error);
  app.on('run:cancel', ({ reason }) => reason);
  app.on('dependency:open', ({ dependency, run, session }) =>
    console.log(dependency, run, session),
  );
  app.on('dependency:close', ({ dependency }) => dependency);
  app.on('dependency:error', ({ dependency, error }) => console.log(dependency, error));
  app.on('state:change', ({ state, session, changed, deleted, origin }) => {
    console.log(state, session, changed, deleted, origin);
  });
  app.on('error', ({ error }) => console.error(error));
});
