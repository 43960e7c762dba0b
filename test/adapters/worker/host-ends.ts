/** Workers that share the storage of their host, and end; whatever the runtime. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { answerStorage } from '../../../adapters/worker/answer-storage.js';
import type { MessageEndpoint } from '../../../adapters/worker/endpoint.js';
import { AsyncState, QTasks } from '../../../src/index.js';
import type { StorageAdapter } from '../../../src/storage.js';
import { rejection, turn } from '../../support/promises.js';
import { bucket, commit } from './channel.js';
import { remote } from './host-suite.js';
import { Realm } from './realm.js';

class Account extends AsyncState<{ count: number }> {
  static readonly id = 'account';
}

export function testEnds(start: () => MessageEndpoint): void {
  let realms: Realm[];
  let storage: StorageAdapter;
  beforeEach(() => {
    realms = [new Realm(start()), new Realm(start())];
    storage = memory();
  });
  afterEach(async () => {
    await Promise.all(realms.map((realm) => realm.end()));
  });

  const give = (): (() => void)[] => realms.map(({ endpoint }) => answerStorage(endpoint, storage));
  const first = (): Realm => realms[0] as Realm;

  describe('two workers of one host', () => {
    test('lose no update of 500 each', async () => {
      give();
      await Promise.all(realms.map((realm) => realm.call('add', 500)));
      const app = new QTasks({ name: 'app', storage });
      expect(await app.state(Account).get('count')).toBe(1_000);
      await app.close();
    });

    test('exclude each other’s exclusive tasks', async () => {
      give();
      await Promise.all(realms.map((realm) => realm.call('addAlone', 50)));
      const app = new QTasks({ name: 'app', storage });
      expect(await app.state(Account).get('count')).toBe(100);
      await app.close();
    });
  });

  describe('a worker that is ended', () => {
    test('holds no lock any more', async () => {
      give();
      await first().call('hold');
      const next = realms[1]?.call('hold');
      let isFree = false;
      void next?.then(() => {
        isFree = true;
      });
      await turn();
      expect(isFree).toBe(false);
      await first().end();
      await next;
    });

    test('holds no lock any more, however short it has lived', async () => {
      const short = Array.from({ length: 5 }, () => new Realm(start()));
      for (const realm of short) {
        answerStorage(realm.endpoint, storage);
        await realm.call('hold');
        await realm.end();
      }
      const release = await storage.lock?.({ app: 'app', session: 'ann' }, {});
      await release?.();
    });

    test('has made a commit as a whole or not at all', async () => {
      give();
      void first().call('commitOn');
      const id = { app: 'app', session: '', state: 'any' };
      while ((await storage.read(id)).fields.size === 0) await turn();
      await first().end();
      await turn();
      const { fields } = await storage.read(id);
      expect(fields.get('left')).toBe(fields.get('right'));
      await realms[1]?.call('add', 1);
    });
  });

  describe('a host that goes', () => {
    test('fails the calls of a worker, which finds the next', async () => {
      const [end] = give();
      await first().call('add', 1);
      end?.();
      const again = first().call('add', 1);
      answerStorage(first().endpoint, storage);
      await again;
    });

    test('as a thread that ends, fails what waits for it', async () => {
      const one = remote(first());
      await one.commit(bucket(), commit());
      const release = await one.lock(bucket(), {});
      const waiting = rejection(one.lock(bucket(), {}));
      await turn();
      await first().end();
      expect(await waiting).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      await release();
    });
  });

  describe('a worker whose host', () => {
    test('has no storage is told at once', async () => {
      const stop = answerStorage(first().endpoint, undefined);
      expect(await first().call('fail')).toEqual({
        code: 'STORAGE_MISSING',
        message: expect.stringContaining('{ storage: memory() }'),
      });
      stop();
    });

    test('answers late waits for it', async () => {
      const adding = first().call('add', 3);
      await new Promise((resolve) => setTimeout(resolve, 300));
      give();
      await adding;
    });
  });

  describe('a storage that throws odd things', () => {
    test.each([
      ['function', { code: 'VALUE_UNSUPPORTED' }],
      ['text', 'text'],
      ['undefined', undefined],
      ['quota', { code: 'STORAGE_QUOTA', data: { bytes: 7 }, cause: { name: 'RangeError' } }],
      ['getter', { name: 'Error' }],
      ['odd result', { name: 'DataCloneError' }],
    ])('is told of by what it has thrown: %s', async (state, expected) => {
      const one = remote(first(), 'odd');
      const errors = [await rejection(one.read(bucket('ann', state)))];
      if (state !== 'odd result') {
        errors.push(await rejection(one.commit(bucket('ann', state), commit())));
      }
      for (const error of errors) {
        if (typeof expected === 'object') expect(error).toMatchObject(expected);
        else expect(error).toBe(expected);
      }
      expect(await rejection(one.lock(bucket(), {}))).toMatchObject({ code: 'STORAGE_MISSING' });
      await one.close();
    });
  });
}
