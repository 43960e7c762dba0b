/** Which events of its workers a page is told of. */
import { expect, it } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { connect, serve } from '../../../adapters/worker/index.js';
import { type EventMap, type EventName, isQTasksError, QTasks } from '../../../src/index.js';
import { turn } from '../../support/promises.js';
import { errors } from '../../support/workers/errors.js';
import * as tasks from '../../support/workers/tasks.js';
import { open } from '../../support/workers.js';

type Heard = EventMap[EventName];

it('all events of runs and dependencies arrive whole and in order', async () => {
  const app = open();
  const heard: Heard[] = [];
  const names = [
    'run:start',
    'run:return',
    'run:retry',
    'run:yield',
    'run:success',
    'run:error',
    'run:cancel',
    'dependency:open',
    'dependency:close',
    'dependency:error',
  ] as const;
  for (const name of names) app.on(name, (event) => heard.push(event));
  await app.run('add', 1, 2);
  heard.length = 0;
  const before = Date.now();
  await app.session('ann').run('flaky', 'registered');
  const run = app.run('foul');
  await run.settled;
  await app.run('yieldFunction').settled;
  expect(heard.map(({ type }) => type)).toEqual([
    'run:start',
    'run:retry',
    'run:start',
    'run:retry',
    'run:start',
    'run:return',
    'run:success',
    'run:start',
    'dependency:open',
    'dependency:error',
    'run:error',
    'run:start',
    'run:yield',
    'run:error',
  ]);
  const [start, retry, , , , , success] = heard;
  expect(start).toMatchObject({ task: 'flaky', session: 'ann', attempt: 1 });
  expect(retry).toMatchObject({ error: { name: 'HttpError', status: 503 }, attempt: 1 });
  expect((retry as EventMap['run:retry']).error).toBeInstanceOf(errors.HttpError);
  expect(success).toMatchObject({ value: 3, attempt: 3 });
  expect(heard[10]).toMatchObject({ run: run.id, error: { name: 'TypeError', message: 'foul' } });
  for (const { at } of heard) expect(at).toBeGreaterThanOrEqual(before - 1_000);
});

it('values in events that no message carries are left out', async () => {
  const app = open();
  const heard: Heard[] = [];
  app.on('run:return', (event) => heard.push(event));
  await app.run('giveFunction').settled;
  await app.run('echo', { a: 1 });
  expect(heard).toHaveLength(2);
  expect(heard[0]).not.toHaveProperty('value');
  expect(heard[1]).toMatchObject({ value: { a: 1 } });
});

it('nothing is sent that nobody listens to, and nothing after the last one has stopped', async () => {
  const { port1, port2 } = new MessageChannel();
  const app = new QTasks({ tasks });
  const serving = serve(app, { port: port1 });
  let asked = 0;
  const { on } = app;
  app.on = ((...listener: Parameters<typeof on>) => {
    asked++;
    return on.apply(app, listener);
  }) as typeof on;
  const client = connect<typeof tasks>(port2);
  await client.run('add', 1, 2);
  expect(asked).toBe(0);
  const heard: string[] = [];
  const stops = ['a', 'b'].map((name) => client.on('run:success', () => heard.push(name)));
  await client.run('add', 1, 2);
  expect(heard).toEqual(['a', 'b']);
  stops[0]?.();
  stops[0]?.();
  await client.run('add', 1, 2);
  expect(heard).toEqual(['a', 'b', 'b']);
  stops[1]?.();
  await client.run('add', 1, 2);
  expect(heard).toEqual(['a', 'b', 'b']);
  expect(asked).toBe(1);
  await client.close();
  await serving.close();
  port1.close();
});

it('a listener hears of workers that come later, too', async () => {
  const app = open();
  const heard: string[] = [];
  app.on('run:success', ({ task }) => heard.push(task));
  await app.run('add', 1, 2);
  await app.run('die').settled;
  await app.run('readInstance');
  await turn();
  expect(heard).toEqual(['add', 'readInstance']);
});

it('worker:start and worker:lost tell which worker, and why', async () => {
  const app = open('app', { size: 2 });
  const heard: Heard[] = [];
  app.on('worker:start', (event) => heard.push(event));
  app.on('worker:lost', (event) => heard.push(event));
  while (heard.length < 2) await app.run('pause', 10);
  expect(heard.map((event) => 'worker' in event && event.worker).sort()).toEqual([0, 1]);
  await app.run('die').settled;
  while (heard.length < 4) await app.run('pause', 10);
  const [, , lost, started] = heard as [Heard, Heard, EventMap['worker:lost'], Heard];
  expect(lost.type).toBe('worker:lost');
  expect(isQTasksError(lost.error, 'WORKER_LOST')).toBe(true);
  expect(started).toMatchObject({ type: 'worker:start', worker: lost.worker });
});

it('a worker that its client closes is not lost', async () => {
  const app = open();
  const heard: Heard[] = [];
  app.on('worker:lost', (event) => heard.push(event));
  await app.run('add', 1, 2);
  await app.close();
  await turn();
  expect(heard).toEqual([]);
});

it('changes of states arrive, those of the page itself once', async () => {
  const { port1, port2 } = new MessageChannel();
  const serving = serve(new QTasks({ tasks, storage: memory() }), { port: port1 });
  const client = connect<typeof tasks>(port2);
  const heard: unknown[] = [];
  client.on('state:change', ({ state, session, changed, origin }) =>
    heard.push({ state, session, changed, origin }),
  );
  await client.session('ann').run('increment');
  await client.session('ann').state(tasks.Counter).set('count', 7);
  await turn();
  const change = { state: 'counter', session: 'ann', changed: ['count'] };
  expect(heard).toEqual([
    { ...change, origin: 'local' },
    { ...change, origin: 'local' },
  ]);
  await client.close();
  await serving.close();
  port1.close();
});

it('an unknown event and what is no listener are refused', () => {
  const app = open();
  const refused = expect.objectContaining({ code: 'OPTION_INVALID' });
  expect(() => app.on('run:stop' as 'run:start', () => {})).toThrow(refused);
  expect(() => app.on('run:start', 1 as never)).toThrow(refused);
});

it('an error that nobody looks at is told of once, by the page alone', async () => {
  const app = open();
  const heard: EventMap['error'][] = [];
  app.on('error', (event) => heard.push(event));
  const run = app.session('ann').run('fail', 'registered');
  while (run.status !== 'error') await app.run('pause', 10);
  await turn();
  expect(heard).toMatchObject([
    { type: 'error', run: run.id, task: 'fail', session: 'ann', error: { status: 503 } },
  ]);
  const seen = app.run('fail', 'registered');
  await seen.settled;
  app.run('wait').cancel();
  await turn();
  expect(heard).toHaveLength(1);
});
