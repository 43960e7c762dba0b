/** The scenario in Node: in the main thread and in threads, word for word as in a page. */
import { Worker } from 'node:worker_threads';
import { QTasks } from 'qtasks-lite';
import { memory } from 'qtasks-lite/memory';
import { connect } from 'qtasks-lite/worker';
import { expect, test } from 'vitest';
import { threadScript } from '../support/thread-script.js';
import { scenario } from './scenario.js';
import * as tasks from './tasks.js';
import { transcript } from './transcript.js';

const { WrongCode } = tasks;
const errors = { WrongCode };
const script = {
  memory: await threadScript(new URL('./worker-memory.ts', import.meta.url)),
  host: await threadScript(new URL('./worker-host.ts', import.meta.url)),
};

const places = {
  'the main thread, in memory': () => new QTasks({ name: 'club', tasks, storage: memory() }),
  'a thread, in memory': () => connect<typeof tasks>(() => new Worker(script.memory), { errors }),
  'two threads, in the memory of the main thread': () =>
    connect<typeof tasks>(() => new Worker(script.host), { size: 2, errors, storage: memory() }),
};

test.each(Object.entries(places))('in %s', async (_place, open) => {
  expect(await scenario(open())).toEqual(transcript);
});
