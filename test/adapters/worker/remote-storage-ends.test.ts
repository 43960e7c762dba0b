/** A storage over a port whose host goes, or that is closed. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Change } from '../../../src/storage.js';
import { gate, never, rejection, turn } from '../../support/promises.js';
import { bucket, commit, connect, memoryWith } from './channel.js';

/** A storage that answers nothing, and says when it was asked. */
function silent() {
  const asked = gate();
  const ask = (): Promise<never> => {
    asked.resolve();
    return never;
  };
  const list = (): AsyncIterator<never> => ({ next: ask });
  const storage = memoryWith({
    read: ask,
    commit: ask,
    lock: ask,
    list: () => ({ [Symbol.asyncIterator]: list }),
  });
  return { asked: asked.promise, storage };
}

describe('a host that goes', () => {
  test.each(['it ends the offer', 'the connection is told'])('fails its calls: %s', async (how) => {
    const { asked, storage } = silent();
    const channel = connect(storage);
    const { remote } = channel;
    const calls = [
      remote.read(bucket()),
      remote.lock(bucket(), {}),
      remote.list({ app: 'app' }).next(),
      remote.commit(bucket(), commit()),
    ].map(rejection);
    await asked;
    await turn();
    const cause = new Error('it was ended');
    if (how === 'it ends the offer') channel.end();
    else channel.tellGone(cause);
    const errors = await Promise.all(calls);
    expect(errors.map((error) => (error as { code: unknown }).code)).toEqual([
      'STORAGE_UNAVAILABLE',
      'STORAGE_UNAVAILABLE',
      'STORAGE_UNAVAILABLE',
      'STORAGE_UNKNOWN_OUTCOME',
    ]);
    if (how === 'the connection is told') expect(errors[3]).toMatchObject({ cause });
  });

  test('is found again at the next use', async () => {
    const channel = connect();
    const { remote } = channel;
    await remote.commit(bucket(), commit());
    channel.end();
    await turn();
    expect(channel.opened).toBe(1);
    expect((await remote.read(bucket())).fields.get('a')).toBe('1');
    expect(channel.opened).toBe(2);
  });

  test('has freed the locks that were held, and aborted those waited for', async () => {
    const storage = memoryWith();
    const [one, other] = [connect(storage), connect(storage)];
    const release = await one.remote.lock(bucket(), {});
    const waiting = rejection(other.remote.lock(bucket(), {}));
    await turn();
    other.end();
    one.end();
    expect(await waiting).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await release();
    await release();
    const third = await storage.lock?.(bucket(), {});
    await third?.();
    expect(one.opened).toBe(1);
  });

  test('does not free a lock that was taken anew', async () => {
    const channel = connect();
    const first = await channel.remote.lock(bucket(), {});
    channel.end();
    await turn();
    const second = await channel.remote.lock(bucket(), {});
    await first();
    const third = vi.fn();
    const waiting = channel.remote.lock(bucket(), {}).then((release) => {
      third();
      return release();
    });
    await turn();
    expect(third).not.toHaveBeenCalled();
    await second();
    await waiting;
  });

  test('is watched again, and what was missed is told as anything', async () => {
    const storage = memoryWith();
    const channel = connect(storage);
    const changes: Change[] = [];
    const stop = channel.remote.watch(bucket(), (change) => changes.push(change));
    await channel.remote.commit(bucket(), { ...commit(), writer: 'before' });
    await turn();
    channel.end();
    const missed = await storage.commit(bucket(), { ...commit(), writer: 'missed' });
    await turn();
    await storage.commit(bucket(), { ...commit(), writer: 'after' });
    await turn();
    expect(channel.opened).toBe(2);
    const revision = missed.ok ? missed.revision : '';
    expect(changes.map(({ writer }) => writer)).toEqual(['before', '', 'after']);
    expect(changes[1]).toEqual({ revision, writer: '', sequence: 0, fields: 'all' });
    stop();
    await storage.commit(bucket(), commit());
    await turn();
    expect(changes).toHaveLength(3);
  });
});

describe('who uses it and goes', () => {
  test('is forgotten: its watches, lists and calls end', async () => {
    const stopped = vi.fn();
    const aborted = vi.fn();
    const returned = vi.fn();
    const { remote } = connect(
      memoryWith({
        watch: () => stopped,
        lock: (_place, { signal }) =>
          new Promise((_, reject) => {
            signal?.addEventListener('abort', () => {
              aborted();
              reject(signal.reason);
            });
          }),
        async *list() {
          try {
            for (;;) yield bucket();
          } finally {
            returned();
          }
        },
      }),
    );
    remote.watch(bucket(), () => {});
    const list = remote.list({ app: 'app' });
    await list.next();
    const controller = new AbortController();
    const lock = rejection(remote.lock(bucket(), { signal: controller.signal }));
    await turn();
    await remote.close();
    await turn();
    expect(stopped).toHaveBeenCalledOnce();
    expect(aborted).not.toHaveBeenCalled();
    controller.abort('enough');
    expect(await lock).toBe('enough');
    await turn();
    expect(aborted).toHaveBeenCalledOnce();
    expect(returned).toHaveBeenCalledOnce();
  });
});

describe('a close', () => {
  test('waits for what was sent', async () => {
    const { promise, resolve } = gate();
    const asked = gate();
    const { remote } = connect(
      memoryWith({
        async read() {
          asked.resolve();
          await promise;
          return { revision: 'r', fields: new Map() };
        },
      }),
    );
    const call = remote.read(bucket());
    await asked.promise;
    let isClosed = false;
    const closing = remote.close().then(() => {
      isClosed = true;
    });
    await turn();
    expect(isClosed).toBe(false);
    resolve();
    expect((await call).revision).toBe('r');
    await closing;
  });

  test('lets calls of the same tick be made', async () => {
    const storage = memoryWith();
    const { remote } = connect(storage);
    await remote.read(bucket());
    const calls = [
      remote.commit(bucket(), commit()),
      remote.lock(bucket(), {}).then((release) => release()),
      remote.list({ app: 'app' }).next(),
    ];
    await remote.close();
    await Promise.all(calls);
    expect((await storage.read(bucket())).fields.get('a')).toBe('1');
  });

  test('leaves the locks that are held', async () => {
    const storage = memoryWith();
    const { remote } = connect(storage);
    const release = await remote.lock(bucket(), {});
    await remote.close();
    await turn();
    const granted = vi.fn();
    const next = storage.lock?.(bucket(), {}).then((free) => {
      granted();
      return free();
    });
    await turn();
    expect(granted).not.toHaveBeenCalled();
    await release();
    await next;
  });
});

describe('what a storage does not say well', () => {
  let told: ReturnType<typeof vi.spyOn>;
  beforeEach(() => {
    told = vi.spyOn(console, 'error').mockImplementation(() => {});
  });
  afterEach(() => told.mockRestore());

  test('an answer that no message carries fails its call, and no other', async () => {
    const odd = { revision: 'r', fields: new Map([['a', (() => {}) as unknown as string]]) };
    const good = { revision: 'r', fields: new Map() };
    const { remote } = connect(
      memoryWith({ read: async ({ session }) => (session === 'odd' ? odd : good) }),
    );
    const calls = [
      remote.read(bucket()),
      rejection(remote.read(bucket('odd'))),
      remote.read(bucket()),
    ];
    const [one, error, two] = await Promise.all(calls);
    expect([one, two]).toEqual([good, good]);
    expect(error).toMatchObject({ name: 'DataCloneError' });
  });

  test('what cannot be sent fails its call, and no other', async () => {
    const { remote } = connect();
    const bad = { ...commit(), set: new Map([['a', Symbol('a') as unknown as string]]) };
    const [error, result] = await Promise.all([
      rejection(remote.commit(bucket(), bad)),
      remote.commit(bucket(), commit()),
    ]);
    expect(error).toMatchObject({ name: 'DataCloneError' });
    expect(result.ok).toBe(true);
  });

  test('what frees a lock and fails is told to who frees it', async () => {
    const channel = connect(
      memoryWith({
        lock: async () => async () => {
          throw new RangeError('stuck');
        },
      }),
    );
    const release = await channel.remote.lock(bucket(), {});
    expect(await rejection(release())).toMatchObject({ message: 'stuck' });
    expect(told).not.toHaveBeenCalled();
    await channel.remote.lock(bucket(), {});
    channel.end();
    await turn();
    expect(told.mock.calls).toMatchObject([[expect.any(String), { message: 'stuck' }]]);
  });
});
