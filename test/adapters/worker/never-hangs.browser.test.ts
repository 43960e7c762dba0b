/** Whatever a browser does with a worker, each call settles. */
import { expect, it, onTestFinished } from 'vitest';
import { holdAlive } from '../../../adapters/worker/alive.js';
import type { WorkerSource } from '../../../adapters/worker/index.js';
import { isQTasksError } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { connectTo, startWorker } from '../../support/workers.js';

/** What a call fails with where its worker does not start. */
async function loadError(start: () => WorkerSource) {
  const error = await rejection(connectTo(start).run('add', 1, 2));
  if (!isQTasksError(error, 'WORKER_LOAD_FAILED')) throw error;
  return error;
}

/** The URL of a script of this text. */
function textUrl(text: string, type = 'text/javascript'): string {
  const url = URL.createObjectURL(new Blob([text], { type }));
  onTestFinished(() => URL.revokeObjectURL(url));
  return url;
}

/** A worker whose error is nobody's but the client's. */
function quiet(url: string | URL, options?: WorkerOptions): Worker {
  const worker = new Worker(url, options);
  worker.addEventListener('error', (event) => event.preventDefault());
  return worker;
}

for (const type of ['module', 'classic'] as const) {
  it(`a ${type} script that is not there fails the calls, and the error names its URL`, async () => {
    const url = new URL(`/no-such-folder/${type}.wasm`, location.href).href;
    expect((await fetch(url)).status).toBe(404);
    const error = await loadError(() => quiet(url, { type }));
    expect(error.message).toContain(url);
    expect(error.data).toMatchObject({ url });
  });

  it(`a ${type} script that is no JavaScript fails the calls, and the error names its URL`, async () => {
    const url = textUrl('this is no JavaScript');
    const error = await loadError(() => quiet(url, { type }));
    expect(error.message).toContain(url);
    expect(error.data).toMatchObject({ url });
  });

  it(`a ${type} script that throws fails the calls, with what it has thrown`, async () => {
    const url = textUrl("throw new RangeError('broken');");
    const error = await loadError(() => quiet(url, { type }));
    expect((error.cause as Error).message).toContain('RangeError: broken');
    expect(error.data).toMatchObject({ url });
  });
}

it('a script of the wrong type fails the calls, and the error names its URL', async () => {
  const url = textUrl('postMessage(1);', 'text/html');
  const error = await loadError(() => quiet(url, { type: 'module' }));
  expect(error.message).toContain(url);
  expect(error.data).toMatchObject({ url });
});

it('a script of another origin fails the calls', async () => {
  const error = await loadError(() => quiet('https://other.invalid/worker.js', { type: 'module' }));
  const { name, message } = error.cause as Error;
  expect(name).toBe('SecurityError');
  expect(message).toContain('https://other.invalid/worker.js');
});

it('a script whose import is not there fails the calls', async () => {
  const url = textUrl(`import '${location.origin}/no-such-folder/script.wasm';`);
  expect((await loadError(() => quiet(url, { type: 'module' }))).data).toMatchObject({ url });
});

it('a script that closes itself as it loads fails the calls after readyTimeout', async () => {
  const app = connectTo(() => quiet(textUrl('close();')), { readyTimeout: 500 });
  const error = await rejection(app.run('add', 1, 2));
  expect(isQTasksError(error, 'WORKER_LOAD_FAILED')).toBe(true);
});

it('a shared worker that is not there fails the calls, and the error names its URL', async () => {
  const url = new URL('/no-such-folder/shared.wasm', location.href).href;
  const error = await loadError(() => new SharedWorker(url, { type: 'module' }));
  expect(error.data).toMatchObject({ url });
});

it('a shared worker is connected to by itself and by its port', async () => {
  const make = (): SharedWorker =>
    new SharedWorker(new URL('../../support/workers/app.ts', import.meta.url), {
      type: 'module',
      name: 'app',
    });
  const clients = [connectTo(make()), connectTo(make().port), connectTo(make)];
  const instances = await Promise.all(clients.map((client) => client.run('readInstance')));
  expect(new Set(instances).size).toBe(1);
  await clients[0]?.close();
  expect(await clients[1]?.run('readInstance')).toBe(instances[0]);
});

it('a shared worker that ends fails the calls of all its pages', async () => {
  const make = (): SharedWorker =>
    new SharedWorker(new URL('../../support/workers/app.ts', import.meta.url), {
      type: 'module',
      name: 'mortal',
    });
  const [one, other] = [connectTo(make()), connectTo(make())];
  await Promise.all([one.run('add', 1, 2), other.run('add', 1, 2)]);
  const errors = [rejection(other.run('wait')), rejection(one.run('die'))];
  for (const error of await Promise.all(errors)) {
    expect(isQTasksError(error, 'WORKER_LOST')).toBe(true);
  }
});

it('a worker that is terminated before it is ready fails the calls after readyTimeout', async () => {
  const worker = startWorker('late');
  const app = connectTo(worker, { readyTimeout: 300 });
  worker.terminate();
  expect(isQTasksError(await rejection(app.run('add', 1, 2)), 'WORKER_LOAD_FAILED')).toBe(true);
});

/** A shared worker that no other test has. */
const share = (): SharedWorker =>
  new SharedWorker(new URL('../../support/workers/app.ts', import.meta.url), {
    type: 'module',
    name: crypto.randomUUID(),
  });

it.each([
  ['a module of WebAssembly', new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))],
  ['shared memory', new SharedArrayBuffer(4)],
])('a call that brings a shared worker %s, which it cannot read, is lost', async (_what, value) => {
  const app = connectTo(share());
  const others = app.run('wait');
  const error = await rejection(app.run('echo', value));
  expect(isQTasksError(error, 'WORKER_LOST')).toBe(true);
  expect((error as Error).message).toContain('a message of its page cannot be read');
  expect(await rejection(others)).toBe(error);
});

it('a shared worker that takes its page for gone tells it', async () => {
  const app = connectTo(share());
  await app.run('add', 1, 2);
  const run = app.run('wait');
  // As some browsers do where they keep a page for later.
  await navigator.locks.request((await holdAlive()) ?? '', { steal: true }, () => {});
  expect(isQTasksError(await rejection(run), 'WORKER_LOST')).toBe(true);
  expect(await connectTo(share()).run('pause', 200)).toBe('done');
});
