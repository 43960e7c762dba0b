/** What a storage of another thread leaves open once it is closed. */
import { expect, test } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { answerStorage } from '../../../adapters/worker/answer-storage.js';
import { Endpoint } from '../../../adapters/worker/endpoint.js';
import { hostStorage } from '../../../adapters/worker/host-storage.js';
import { turn } from '../../support/promises.js';
import { startModule } from '../../support/threads.js';
import { bucket } from './channel.js';

const ports = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;

test('a thread that has closed its storage ends by itself', async () => {
  const before = ports();
  const worker = startModule('test/adapters/worker/handles.worker.ts');
  const stop = answerStorage(new Endpoint(worker), memory());
  const code = await new Promise((resolve) => worker.once('exit', resolve));
  expect(code).toBe(0);
  stop();
  await turn();
  expect(ports()).toBe(before);
});

test('who has asked several times and is answered as often leaves no port', async () => {
  const before = ports();
  const { port1, port2 } = new MessageChannel();
  const storages = [hostStorage(port1), hostStorage(port1)];
  const reads = storages.map((storage) => storage.read(bucket()));
  await new Promise((resolve) => setTimeout(resolve, 250));
  const stop = answerStorage(new Endpoint(port2), memory());
  await Promise.all(reads);
  await turn();
  // Each storage has one, with its other end; and there is the wire itself.
  expect(ports() - before).toBe(6);
  await Promise.all(storages.map((storage) => storage.close()));
  stop();
  port1.close();
  await turn();
  expect(ports()).toBe(before);
});
