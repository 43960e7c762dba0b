/** The contract suite through a real thread, in both directions, whatever the runtime. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { testStorage } from '../../../adapters/testing/index.js';
import { whenGone } from '../../../adapters/worker/alive.js';
import { answerStorage } from '../../../adapters/worker/answer-storage.js';
import type { MessageEndpoint } from '../../../adapters/worker/endpoint.js';
import { RemoteStorage } from '../../../adapters/worker/remote-storage.js';
import type { Clock } from '../../../src/clock.js';
import type { StorageAdapter } from '../../../src/storage.js';
import { MovedClock, travel } from './moved-clock.js';
import { Realm } from './realm.js';

/** Connects to a storage that another thread has. */
export function remote(realm: Realm, which: 'memory' | 'odd' = 'memory'): RemoteStorage {
  return new RemoteStorage('remote', async () => {
    const { port1, port2 } = new MessageChannel();
    const lock = await realm.call('offer', port2, which);
    return { port: port1, onGone: (tell) => whenGone(lock, () => tell(new Error('it has ended'))) };
  });
}

/** Runs the suite in a worker, on a storage that this thread has. */
export function testHostStorage(
  start: () => MessageEndpoint,
  name: string,
  host: (clock: Clock) => StorageAdapter,
): void {
  describe(`a worker on ${name} of its host`, () => {
    let realm: Realm;
    beforeAll(() => {
      realm = new Realm(start());
      const clock = new MovedClock();
      answerStorage(realm.endpoint, host(clock));
      realm.endpoint.listen((message) => {
        const { passed } = message as { passed?: number };
        clock.pass(passed ?? 0);
        return passed !== undefined;
      });
    });
    afterAll(() => realm.end());
    // Only their names: the worker makes its own.
    testStorage((title) => test(title, () => realm.call('prove', title)), 'suite', memory);
  });
}

/** Runs the suite here, on a storage that a worker has. */
export function testRemoteStorage(start: () => MessageEndpoint): void {
  describe('the storage of a worker', () => {
    let realm: Realm;
    beforeAll(() => {
      realm = new Realm(start());
    });
    afterAll(() => realm.end());
    testStorage(test, 'remote', () => ({
      open: () => remote(realm),
      async sleep(duration) {
        await realm.call('pass', duration);
        await travel(duration);
      },
    }));
  });
}
