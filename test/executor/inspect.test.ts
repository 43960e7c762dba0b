/** `app.inspect()`: what an app has and does right now, as plain data. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { AsyncState, Context, Depends, type Inspection, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, rejection } from '../support/promises.js';

const no = new Error('no');

class Cart extends AsyncState<{ items: number }> {
  static readonly id = 'cart';
}

/** What is there and stays as it is through JSON: nothing else can be sent elsewhere. */
function plain(app: QTasks): Inspection {
  const inspection = app.inspect();
  expect(JSON.parse(JSON.stringify(inspection))).toEqual(inspection);
  expect(structuredClone(inspection)).toEqual(inspection);
  return inspection;
}

describe('the app', () => {
  it('is told with its name, its slots, and whether it is closing', async () => {
    const app = new QTasks({ name: 'a:b', concurrency: 3 });
    expect(plain(app)).toEqual({
      name: 'a:b',
      concurrency: 3,
      isClosing: false,
      tasks: [],
      runs: [],
      counts: { calls: 0, retries: 0, success: 0, error: 0, cancel: 0 },
    });
    expect(plain(new QTasks())).toMatchObject({ name: 'qtasks', concurrency: null });
    const closing = app.close();
    expect(plain(app).isClosing).toBe(true);
    await closing;
    expect(plain(app).isClosing).toBe(true);
  });
});

describe('its tasks', () => {
  it('are told in the order of their registration, with their options or the defaults', () => {
    const app = new QTasks();
    app.task('full', () => 1, {
      timeout: 10,
      retry: { limit: 2, delay: 5, when: () => true },
      priority: -1,
      exclusive: true,
      tags: ['a', 'b'],
      description: 'does it',
      meta: { owner: 'me' },
    });
    app.task('bare', () => 1);
    app.task('often', () => 1, { retry: 3 });
    const { tasks } = plain(app);
    expect(tasks[0]).toEqual({
      name: 'full',
      timeout: 10,
      retry: { limit: 2, delay: 5, factor: 2, maxDelay: 30_000, jitter: true },
      priority: -1,
      exclusive: true,
      tags: ['a', 'b'],
      description: 'does it',
      meta: { owner: 'me' },
      needs: {},
      dependencies: [],
    });
    expect(tasks[1]).toEqual({
      name: 'bare',
      timeout: null,
      retry: null,
      priority: 0,
      exclusive: false,
      tags: [],
      description: '',
      meta: {},
      needs: {},
      dependencies: [],
    });
    expect(tasks.map(({ name }) => name)).toEqual(['full', 'bare', 'often']);
    expect(tasks[2]?.retry).toMatchObject({ limit: 3, delay: 200 });
  });

  it('are told with all that they need: each thing once, also below others', () => {
    const app = new QTasks({ storage: memory() });
    const config = Depends(() => 1, { scope: 'worker' });
    const db = Depends({ config }, () => 1, { scope: 'session' });
    const left = Depends({ db, ctx: Context }, () => 1);
    const right = Depends({ db, cart: Cart }, () => 1);
    app.task('work', { left, right, again: left, cart: Cart, ctx: Context }, () => 1);
    const [task] = plain(app).tasks;
    const named = (needs: Readonly<Record<string, number>> = {}) =>
      Object.fromEntries(
        Object.entries(needs).map(([key, index]) => [key, task?.dependencies[index]?.name]),
      );
    expect(named(task?.needs)).toEqual({
      left: 'left',
      right: 'right',
      again: 'left',
      cart: 'cart',
      ctx: 'Context',
    });
    const told = task?.dependencies.map(({ kind, name, scope, needs }) => [
      kind,
      name,
      scope,
      named(needs),
    ]);
    expect(told).toHaveLength(6);
    expect(told).toEqual(
      expect.arrayContaining([
        ['dependency', 'left', 'task', { db: 'left > db', ctx: 'Context' }],
        ['dependency', 'right', 'task', { db: 'left > db', cart: 'cart' }],
        ['dependency', 'left > db', 'session', { config: 'left > db > config' }],
        ['dependency', 'left > db > config', 'worker', {}],
        ['state', 'cart', 'session', {}],
        ['context', 'Context', 'task', {}],
      ]),
    );
  });

  it('are told as they are wired right now: with an override, and without it again', () => {
    const app = new QTasks();
    const config = Depends(() => 1);
    const db = Depends({ config }, () => 2);
    app.task('work', { db }, () => 1);
    const scopes = () => plain(app).tasks[0]?.dependencies.map(({ name }) => name);
    expect(scopes()?.sort()).toEqual(['db', 'db > config']);
    const override = app.override(db, () => 3);
    expect(scopes()).toEqual(['db']);
    override.restore();
    expect(scopes()).toHaveLength(2);
  });

  it('may have any names for their needs', () => {
    const app = new QTasks();
    const dep = Depends(() => 1);
    const names = ['__proto__', 'constructor', 'a:b', '', 'toString', '\ud83d\ude00'];
    const needs = Object.fromEntries(names.map((name) => [name, Depends(() => 1)]));
    app.task('work', { ...needs, ...JSON.parse('{}'), dep }, () => 1);
    app.task('__proto__', Object.fromEntries([['__proto__', dep]]), () => 1);
    const { tasks } = plain(app);
    expect(Object.keys(tasks[0]?.needs ?? {}).sort()).toEqual([...names, 'dep'].sort());
    expect(Object.keys(tasks[1]?.needs ?? {})).toEqual(['__proto__']);
    expect(tasks[1]?.name).toBe('__proto__');
  });

  it('have an instance at each place for a dependency that is not cached', () => {
    const app = new QTasks();
    const dep = Depends(() => 1, { cache: false });
    const user = Depends({ dep }, () => 1);
    app.task('work', { dep, user }, () => 1);
    expect(plain(app).tasks[0]?.dependencies).toHaveLength(3);
  });
});

describe('its runs', () => {
  it('are told until they have settled, with what they wait for', async () => {
    const clock = new ManualClock();
    const storage = memory();
    const app = new QTasks({ clock, storage, concurrency: 1 });
    const { promise, resolve } = gate();
    const fails = app.task('fails', () => Promise.reject(no), { retry: 1 });
    const works = app.task('works', () => promise);
    const alone = app.task('alone', () => promise, { exclusive: true });
    const holder = new QTasks({ storage }).task('holder', () => promise, { exclusive: true })();
    const client = (id: string) => app.session('ann').with({ id });
    const failed = client('backoff').run(fails);
    await settle();
    const runs = [app.with({ id: 'running' }).run(works), client('slot').run(works)];
    runs.push(app.with({ id: 'hold' }).run(alone));
    await settle();
    const told = plain(app).runs;
    expect(told).toHaveLength(4);
    expect(told).toEqual(
      expect.arrayContaining([
        {
          id: 'backoff',
          task: 'fails',
          session: 'ann',
          status: 'retry',
          attempt: 1,
          waitsFor: 'backoff',
        },
        {
          id: 'running',
          task: 'works',
          session: '',
          status: 'process',
          attempt: 1,
          waitsFor: null,
        },
        { id: 'slot', task: 'works', session: 'ann', status: 'new', attempt: 0, waitsFor: 'slot' },
        { id: 'hold', task: 'alone', session: '', status: 'new', attempt: 0, waitsFor: 'hold' },
      ]),
    );
    const failure = rejection(failed);
    resolve();
    await clock.advance(10_000);
    await Promise.all([holder, ...runs, failure]);
    expect(plain(app)).toMatchObject({
      runs: [],
      counts: { calls: 4, retries: 1, success: 3, error: 1, cancel: 0 },
    });
  });

  it('are told as going on once they have what they waited for', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, concurrency: 1, storage: memory() });
    const { promise, resolve } = gate();
    const flaky = app.task(
      'flaky',
      { ctx: Context },
      ({ ctx }) => (ctx.attempt === 1 ? Promise.reject(no) : promise),
      { exclusive: true, retry: { limit: 1, delay: 10 } },
    );
    const first = app.task('first', () => settle())();
    const run = flaky();
    await first;
    await clock.advance(10);
    expect(plain(app).runs).toMatchObject([{ status: 'process', attempt: 2, waitsFor: null }]);
    resolve();
    await run;
  });

  it('are told with the id that they have, also where nobody has asked for it', async () => {
    const app = new QTasks();
    const run = app.task('work', () => settle())();
    const [told] = plain(app).runs;
    expect(told?.id).toBe(run.id);
    await run;
  });

  it('are told while their arguments are checked, and while they are torn down', async () => {
    const app = new QTasks();
    const [checking, closing] = [gate<{ value: [] }>(), gate()];
    const input = {
      '~standard': { version: 1, vendor: 'test', validate: () => checking.promise },
    } as const;
    const dep = Depends(async function* () {
      yield;
      await closing.promise;
    });
    const run = app.task('work', { dep }, () => 'value', { input })();
    const about = () => plain(app).runs.map(({ status, waitsFor }) => [status, waitsFor]);
    expect(about()).toEqual([['new', null]]);
    checking.resolve({ value: [] });
    await settle();
    expect(about()).toEqual([['process', null]]);
    closing.resolve();
    await run;
    expect(about()).toEqual([]);
  });

  it('are children, too, and counted with those that were refused, each once', async () => {
    const app = new QTasks();
    const inner = app.task('inner', () => settle());
    const outer = app.task('outer', { ctx: Context }, ({ ctx }) => ctx.run(inner));
    const run = outer();
    expect(
      plain(app)
        .runs.map(({ task }) => task)
        .sort(),
    ).toEqual(['inner', 'outer']);
    await run;
    await rejection(Reflect.apply(app.run, undefined, ['nobody']) as PromiseLike<unknown>);
    await rejection(app.with({ signal: AbortSignal.abort() }).run(inner));
    const client = app.with({ id: 'a' });
    await client.run(inner);
    // Who joins makes no call.
    await client.run(inner);
    expect(plain(app).counts).toEqual({ calls: 5, retries: 0, success: 3, error: 1, cancel: 1 });
  });

  it('are gone as the event of their end comes', async () => {
    const app = new QTasks();
    const seen: number[] = [];
    for (const name of ['run:success', 'run:error', 'run:cancel'] as const) {
      app.on(name, () => seen.push(app.inspect().runs.length));
    }
    const work = app.task('work', { ctx: Context }, ({ ctx }, how: string) => {
      if (how === 'error') throw no;
      if (how === 'cancel') ctx.cancel();
    });
    for (const how of ['success', 'error', 'cancel']) await work(how).settled;
    expect(seen).toEqual([0, 0, 0]);
  });

  it('stay right among thousands that end in any order', async () => {
    const app = new QTasks({ clock: new ManualClock() });
    const gates = Array.from({ length: 1_000 }, () => gate());
    const work = app.task('work', (index: number) => gates[index]?.promise);
    const runs = gates.map((_, index) => app.with({ id: `${index}` }).run(work, index));
    const left = new Set(runs.map(({ id }) => id));
    const order = gates.map((_, index) => (index * 617) % 1_000);
    for (const [step, index] of order.entries()) {
      gates[index]?.resolve();
      await runs[index];
      left.delete(`${index}`);
      if (step % 100 !== 0) continue;
      expect(new Set(app.inspect().runs.map(({ id }) => id))).toEqual(left);
    }
    expect(app.inspect().runs).toEqual([]);
  });
});

describe('what is told', () => {
  it('is a copy: what is done to it changes nothing', () => {
    const app = new QTasks();
    app.task('work', { dep: Depends(() => 1) }, () => 1, { tags: ['a'], meta: { b: 1 } });
    const before = structuredClone(app.inspect());
    const told = app.inspect();
    for (const list of [told.tasks, told.runs, told.tasks[0]?.dependencies]) {
      Reflect.set(list ?? [], 'length', 0);
    }
    for (const record of [told.counts, told.tasks[0]?.needs ?? {}]) Reflect.set(record, 'dep', 9);
    expect(app.inspect()).toEqual(before);
  });

  it('is a copy of tags and meta, too', () => {
    const app = new QTasks();
    app.task('work', () => 1, { tags: ['a'], meta: { b: 1 }, retry: 1 });
    const before = structuredClone(app.inspect());
    const [told] = app.inspect().tasks;
    Reflect.set(told?.tags ?? [], 'length', 0);
    Reflect.set(told?.meta ?? {}, 'b', 2);
    Reflect.set(told?.retry ?? {}, 'limit', 2);
    expect(app.inspect()).toEqual(before);
  });
});
