/** How a worker asks for the storage of its host, and who answers. */
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { answerStorage } from '../../../adapters/worker/answer-storage.js';
import { Endpoint } from '../../../adapters/worker/endpoint.js';
import { hostStorage } from '../../../adapters/worker/host-storage.js';
import { NOBODY, STORAGE, TAG, WANT_STORAGE } from '../../../adapters/worker/protocol.js';
import type { StorageAdapter } from '../../../src/storage.js';
import { rejection, turn } from '../../support/promises.js';
import { bucket, commit } from './channel.js';

/** The two ends of a wire, the worker's and its host's. */
function ends(): { worker: MessagePort; host: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => {
    port1.close();
    port2.close();
  });
  return { worker: port1, host: port2 };
}

/** Answers, until the test is over. */
function answer(host: MessagePort, storage: StorageAdapter | undefined = memory()): () => void {
  const stop = answerStorage(new Endpoint(host), storage);
  onTestFinished(stop);
  return stop;
}

/** Collects messages of a kind, as they are posted. */
function posted(port: MessagePort, kind: number): unknown[][] {
  const found: unknown[][] = [];
  const post = port.postMessage.bind(port);
  port.postMessage = (message: unknown[], transfer?: unknown) => {
    if (message[2] === kind) found.push(message);
    post(message, transfer as Transferable[]);
  };
  return found;
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a storage of the host', () => {
  test('is asked for at the first use, and not before', async () => {
    const { worker, host } = ends();
    const asked = posted(worker, WANT_STORAGE);
    answer(host);
    const storage = hostStorage(worker);
    await turn();
    expect(asked).toHaveLength(0);
    await storage.commit(bucket(), commit());
    await storage.read(bucket());
    expect(asked).toHaveLength(1);
    await storage.close();
  });

  test('is given to each who asks, though one has asked before', async () => {
    const { worker, host } = ends();
    const storages = Array.from({ length: 5 }, () => hostStorage(worker));
    const first = storages.slice(0, 3).map((storage) => storage.commit(bucket(), commit()));
    await new Promise((resolve) => setTimeout(resolve, 200));
    answer(host);
    const others = storages.slice(3).map((storage) => storage.read(bucket()));
    await Promise.all([...first, ...others]);
    await Promise.all(storages.map((storage) => storage.close()));
  });

  test('is asked for again once the host has ended it', async () => {
    const { worker, host } = ends();
    const data = memory();
    const stop = answer(host, data);
    const storage = hostStorage(worker);
    await storage.commit(bucket(), commit({ a: '1' }));
    stop();
    await turn();
    const reading = storage.read(bucket());
    answer(host, data);
    expect((await reading).fields.get('a')).toBe('1');
    await storage.close();
  });

  test('where nobody answers, is missed after ten seconds, with the way out', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { worker } = ends();
    const asked = posted(worker, WANT_STORAGE);
    const storage = hostStorage(worker);
    let error: unknown;
    const reading = rejection(storage.read(bucket())).then((reason) => {
      error = reason;
    });
    await vi.advanceTimersByTimeAsync(9_999);
    expect(error).toBe(undefined);
    await vi.advanceTimersByTimeAsync(1);
    await reading;
    expect(error).toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining('connect(…, { storage: memory() })'),
    });
    expect(asked).toHaveLength(8);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked).toHaveLength(8);
  });

  test('of a host that has none is told at once, and asked for again', async () => {
    const { worker, host } = ends();
    const stop = answerStorage(new Endpoint(host), undefined);
    const storage = hostStorage(worker);
    expect(await rejection(storage.read(bucket()))).toMatchObject({ code: 'STORAGE_MISSING' });
    stop();
    answer(host);
    await storage.read(bucket());
    await storage.close();
  });

  test('that is closed while it asks, asks no more', async () => {
    const { worker } = ends();
    const asked = posted(worker, WANT_STORAGE);
    const storage = hostStorage(worker);
    const reading = rejection(storage.read(bucket()));
    const stop = storage.watch?.(bucket(), () => {});
    await storage.close();
    expect(await reading).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    stop?.();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(asked).toHaveLength(1);
  });

  test('that was only watched and is closed while it asks, is told nobody as missing', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const storage = hostStorage(ends().worker);
    storage.watch?.(bucket(), () => {});
    await storage.close();
    await turn();
    expect(told).not.toHaveBeenCalled();
    told.mockRestore();
  });

  test('that was only watched and is not there, is told on the console', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const storage = hostStorage();
    storage.watch?.(bucket(), () => {});
    await turn();
    expect(told.mock.calls).toMatchObject([[expect.any(String), { code: 'STORAGE_UNAVAILABLE' }]]);
    told.mockRestore();
    await storage.close();
  });

  test('is there only for a worker', async () => {
    const storage = hostStorage();
    expect(await rejection(storage.read(bucket()))).toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining('"connect" event'),
    });
    await storage.close();
    expect(() => hostStorage({} as MessagePort)).toThrow('hostStorage: the port must be');
  });
});

describe('who answers', () => {
  test('lets messages of others pass', async () => {
    const { worker, host } = ends();
    const heard: unknown[] = [];
    const given = posted(host, STORAGE);
    answer(host);
    new Endpoint(host).listen((message) => heard.push(message) > 0);
    const others = [
      null,
      'text',
      [],
      [TAG],
      [TAG, NOBODY],
      [TAG, 'other', WANT_STORAGE],
      ['qtasks-lite/0', NOBODY, WANT_STORAGE],
      { 0: TAG, 1: NOBODY, 2: WANT_STORAGE },
    ];
    for (const other of others) worker.postMessage(other);
    await turn();
    expect(heard).toEqual(others);
    expect(given).toHaveLength(0);
  });

  test('answers no more once it has ended', async () => {
    const { worker, host } = ends();
    const given = posted(host, STORAGE);
    const stop = answer(host);
    worker.postMessage([TAG, NOBODY, WANT_STORAGE]);
    stop();
    await turn();
    expect(given).toHaveLength(0);
  });
});
