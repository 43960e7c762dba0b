/** Several apps, connections and other users of one worker. */
import { expect, it, onTestFinished } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { Endpoint } from '../../../adapters/worker/endpoint.js';
import { hostStorage, serve } from '../../../adapters/worker/index.js';
import { TAG } from '../../../adapters/worker/protocol.js';
import { isQTasksError, QTasks } from '../../../src/index.js';
import { rejection, turn } from '../../support/promises.js';
import { wait } from '../../support/workers/tasks.js';
import { borrowWorker, connectTo, open } from '../../support/workers.js';

const readName = 'readName' as 'readInstance';

it('two apps in one worker are told apart by their names; the first is the default', async () => {
  const worker = borrowWorker('twoApps');
  const clients = [{ app: 'first' }, { app: 'second' }, {}].map((options) =>
    connectTo(worker, options),
  );
  const names = await Promise.all(clients.map((client) => client.run(readName)));
  expect(names).toEqual(['first', 'second', 'first']);
});

it('two connections to one app have runs, sessions and ids in common, but events of their own', async () => {
  const worker = borrowWorker('app');
  const [one, other] = [connectTo(worker), connectTo(worker)];
  const heard: string[] = [];
  one.on('run:success', ({ task }) => heard.push(`one ${task}`));
  await one.session('ann').run('increment');
  const { count } = await other.session('ann').run('increment');
  expect(count).toBe(2);
  // Behind what the worker has told of before.
  await one.run('add', 1, 2);
  expect(heard).toEqual(['one increment', 'one increment', 'one add']);
  const ids = [one.run('wait'), other.run('wait'), one.run('wait')].map((run) => {
    run.cancel();
    return run.id;
  });
  expect(new Set(ids).size).toBe(3);
});

it('a connection that is cut leaves the other one as it was', async () => {
  const worker = borrowWorker('app');
  const [one, other] = [connectTo(worker), connectTo(worker)];
  const [left, kept] = [one.run('wait'), other.run('pause', 200)];
  await other.run('add', 1, 2);
  await one.close({ drain: 0 });
  expect(await left.settled).toMatchObject({ status: 'cancel', error: { code: 'APP_CLOSED' } });
  expect(await kept).toBe('done');
});

it('others may send messages to the same worker, and get theirs', async () => {
  const worker = borrowWorker('twoApps');
  const app = connectTo(worker);
  await app.run('add', 1, 2);
  const heard: unknown[] = [];
  const stop = new Endpoint(worker).listen((message) => {
    if (!Array.isArray(message)) heard.push(message);
    return false;
  });
  onTestFinished(stop);
  const odd = ['hello', null, 17, { a: 1 }, [], ['qtasks'], ['qtasks-lite/1'], undefined];
  for (const message of odd) worker.postMessage(message, []);
  expect(await app.run('add', 1, 2)).toBe(3);
  worker.postMessage('again', []);
  while (heard.length < 2) await app.run('pause', 10);
  expect(heard).toEqual(['echo of hello', 'echo of again']);
});

it('a class of errors that only one side has registered arrives as an Error with its name', async () => {
  const error = await rejection(open('app', { errors: {} }).run('fail', 'registered'));
  expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
  expect(error).toMatchObject({ name: 'HttpError', message: 'no answer', status: 503 });
});

it('a connection that its page has given up is over in a worker that goes on', async () => {
  const app = new QTasks({ tasks: { wait } });
  const { port1, port2 } = new MessageChannel();
  // Before it is served: what is meant for that nobody else gets.
  const connection = new Promise((resolve) => {
    port1.addEventListener('message', ({ data }) => resolve(data[1]), { once: true });
  });
  const serving = serve(app, { port: port1 });
  const run = connectTo(port2).run('wait');
  while (app.inspect().runs.length === 0) await turn();
  port1.postMessage([TAG, await connection, 'what nobody understands']);
  expect(isQTasksError(await rejection(run), 'WORKER_LOST')).toBe(true);
  await turn();
  expect(app.inspect().runs).toEqual([]);
  await serving.close();
  port1.close();
});

it('a worker gets the storage that any of the connections of its page has', async () => {
  const { port1, port2 } = new MessageChannel();
  connectTo(port2);
  connectTo(port2, { storage: memory() });
  const storage = hostStorage(port1);
  expect(await storage.read({ app: 'app', session: '', state: 'any' })).toMatchObject({
    revision: null,
  });
  await storage.close();
  port1.close();
});
