/** The scenario in a page and in its workers, word for word as in Node. */
import { QTasks } from 'qtasks-lite';
import { indexeddb } from 'qtasks-lite/indexeddb';
import { memory } from 'qtasks-lite/memory';
import { connect } from 'qtasks-lite/worker';
import { expect, test } from 'vitest';
import { scenario } from './scenario.js';
import * as tasks from './tasks.js';
import { stateTranscript, transcript } from './transcript.js';

const { WrongCode } = tasks;
const errors = { WrongCode };
const type = 'module';
const url = {
  memory: new URL('./worker-memory.ts', import.meta.url),
  indexeddb: new URL('./worker-indexeddb.ts', import.meta.url),
  host: new URL('./worker-host.ts', import.meta.url),
  service: new URL('./service.ts', import.meta.url),
};

const places = {
  'the page, in memory': () => new QTasks({ name: 'club', tasks, storage: memory() }),
  'the page, in indexeddb': () => new QTasks({ name: 'club', tasks, storage: indexeddb() }),
  'a worker, in memory': () =>
    connect<typeof tasks>(() => new Worker(url.memory, { type }), { errors }),
  'a worker, in indexeddb': () =>
    connect<typeof tasks>(() => new Worker(url.indexeddb, { type }), { errors }),
  'two workers, in the memory of the page': () =>
    connect<typeof tasks>(() => new Worker(url.host, { type }), {
      size: 2,
      errors,
      storage: memory(),
    }),
  'a shared worker, in memory': () =>
    connect<typeof tasks>(new SharedWorker(url.memory, { type }), { errors }),
  'a shared worker, in indexeddb': () =>
    connect<typeof tasks>(new SharedWorker(url.indexeddb, { type }), { errors }),
};

test.each(Object.entries(places))('in %s', async (_place, open) => {
  expect(await scenario(open())).toEqual(transcript);
});

test('in a service worker, what it does with states', async () => {
  const registration = await navigator.serviceWorker.register(url.service, { type });
  const { port1, port2 } = new MessageChannel();
  const told = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
  });
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  worker?.postMessage(undefined, [port2]);
  expect(await told).toEqual(stateTranscript);
  await registration.unregister();
});
