/** A storage over a port: what is sent, when it connects, and what an abort does. */
import { describe, expect, test, vi } from 'vitest';
import { RemoteStorage } from '../../../adapters/worker/remote-storage.js';
import { ALIVE, COMMIT } from '../../../adapters/worker/storage-frames.js';
import type { CommitResult, Snapshot } from '../../../src/storage.js';
import { gate, never, rejection, turn } from '../../support/promises.js';
import { countedSignal } from '../../support/signals.js';
import { bucket, commit, connect, memoryWith } from './channel.js';

const absent: Snapshot = { revision: null, fields: new Map() };

describe('a connection', () => {
  test('is made at the first use, once for all', async () => {
    const channel = connect();
    expect(channel.opened).toBe(0);
    await Promise.all([channel.remote.read(bucket()), channel.remote.commit(bucket(), commit())]);
    await channel.remote.read(bucket());
    expect(channel.opened).toBe(1);
  });

  test('sends the calls of one tick as one message, and so come the answers', async () => {
    const { remote, sent, received } = connect();
    await remote.read(bucket());
    const before = [sent.length, received.length];
    await Promise.all([
      ...Array.from({ length: 50 }, (_, index) => remote.commit(bucket(`s${index}`), commit())),
      ...Array.from({ length: 50 }, () => remote.read(bucket())),
    ]);
    expect(sent.length - (before[0] ?? 0)).toBe(1);
    expect(received.length - (before[1] ?? 0)).toBeLessThan(4);
  });

  test('tells the scope of the storage', async () => {
    const { remote } = connect(memoryWith({ scope: 'shared' }));
    expect(remote.scope).toBe('runtime');
    await remote.read(bucket());
    expect(remote.scope).toBe('shared');
  });

  test('that cannot be made fails its calls, and the next use tries again', async () => {
    const cause = new Error('nobody there');
    let tries = 0;
    const remote = new RemoteStorage('remote', async () => {
      tries++;
      throw cause;
    });
    for (const call of [remote.read(bucket()), remote.commit(bucket(), commit())]) {
      expect(await rejection(call)).toMatchObject({ code: 'STORAGE_UNAVAILABLE', cause });
    }
    expect(tries).toBe(1);
    expect(await rejection(remote.list({ app: 'app' }).next())).toMatchObject({ cause });
    expect(tries).toBe(2);
  });

  test('that is lost as it is made fails its calls, and the next use makes another', async () => {
    const stop = vi.fn();
    const ports: MessagePort[] = [];
    const cause = new Error('too late');
    const remote = new RemoteStorage('remote', async () => {
      const { port1, port2 } = new MessageChannel();
      ports.push(port1, port2);
      const onGone = (tell: (error: unknown) => void): (() => void) => {
        tell(cause);
        return stop;
      };
      return { port: port1, onGone };
    });
    for (const times of [1, 2]) {
      const error = await rejection(remote.commit(bucket(), commit()));
      expect(error).toMatchObject({ code: 'STORAGE_UNAVAILABLE', cause });
      expect(stop).toHaveBeenCalledTimes(times);
    }
    for (const port of ports) port.close();
  });

  test('that comes after the close is closed, and its calls have failed', async () => {
    const { promise, resolve } = gate();
    const { port1, port2 } = new MessageChannel();
    const messages: unknown[][] = [];
    port2.onmessage = ({ data }) => messages.push(data);
    const stop = vi.fn();
    const remote = new RemoteStorage('remote', async () => {
      await promise;
      return { port: port1, onGone: () => stop };
    });
    const call = remote.commit(bucket(), commit());
    await remote.close();
    resolve();
    expect(await rejection(call)).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await turn();
    expect(stop).toHaveBeenCalledOnce();
    const kinds = messages.flatMap((frames) => frames.filter((_, at) => at % 5 === 0));
    expect(kinds).not.toContain(COMMIT);
    port2.close();
  });
});

describe('an abort', () => {
  test('while it connects rejects at once, and nothing is sent later', async () => {
    const { promise, resolve } = gate();
    const { port1, port2 } = new MessageChannel();
    const remote = new RemoteStorage('remote', async () => {
      await promise;
      return { port: port1, onGone: () => () => {} };
    });
    const { controller, signal, listeners } = countedSignal();
    const reason = new Error('enough');
    const calls = [
      remote.read(bucket(), { signal }),
      remote.commit(bucket(), commit(), { signal }),
      remote.lock(bucket(), { signal }),
    ];
    controller.abort(reason);
    for (const call of calls) expect(await rejection(call)).toBe(reason);
    const kinds: unknown[] = [];
    port2.onmessage = ({ data }) => kinds.push(data[0]);
    resolve();
    await turn();
    // That this thread lives is told whatever is asked for.
    expect(kinds.filter((kind) => kind !== ALIVE)).toEqual([]);
    expect(listeners.size).toBe(0);
    await remote.close();
  });

  test('of a commit rejects with the reason where nothing was applied', async () => {
    const started = gate();
    const { remote } = connect(
      memoryWith({
        commit: (_id, _commit, options) =>
          new Promise((_, reject) => {
            options?.signal?.addEventListener('abort', () => reject(options.signal?.reason));
            started.resolve();
          }),
      }),
    );
    const { controller, signal, listeners } = countedSignal();
    const call = remote.commit(bucket(), commit(), { signal });
    await started.promise;
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await rejection(call)).toBe(reason);
    expect(listeners.size).toBe(0);
  });

  test('of a commit that is applied all the same changes nothing', async () => {
    const started = gate();
    const result = gate<CommitResult>();
    const { remote } = connect(
      memoryWith({
        commit() {
          started.resolve();
          return result.promise;
        },
      }),
    );
    const { controller, signal } = countedSignal();
    const call = remote.commit(bucket(), commit(), { signal });
    await started.promise;
    controller.abort();
    await turn();
    result.resolve({ ok: true, revision: 'r', previous: null });
    expect(await call).toEqual({ ok: true, revision: 'r', previous: null });
  });

  test('of a read does not wait for a storage that knows no abort', async () => {
    const started = gate();
    const { remote } = connect(
      memoryWith({
        read() {
          started.resolve();
          return never;
        },
      }),
    );
    const { controller, signal, listeners } = countedSignal();
    const call = remote.read(bucket(), { signal });
    await started.promise;
    controller.abort('enough');
    expect(await rejection(call)).toBe('enough');
    expect(listeners.size).toBe(0);
  });

  test('of a wait for a lock that is granted all the same frees it again', async () => {
    const started = gate();
    const granted = gate<() => Promise<void>>();
    const release = vi.fn(async () => {});
    const { remote } = connect(
      memoryWith({
        lock() {
          started.resolve();
          return granted.promise;
        },
      }),
    );
    const { controller, signal } = countedSignal();
    const call = remote.lock(bucket(), { signal });
    await started.promise;
    controller.abort('enough');
    expect(await rejection(call)).toBe('enough');
    await turn();
    granted.resolve(release);
    await turn();
    expect(release).toHaveBeenCalledOnce();
  });

  test('in the tick of the call rejects, whatever it is', async () => {
    const { remote } = connect();
    await remote.read(bucket());
    const { controller, signal, listeners } = countedSignal();
    const calls = [
      remote.read(bucket(), { signal }),
      remote.commit(bucket(), commit(), { signal }),
      remote.lock(bucket(), { signal }),
    ];
    controller.abort('enough');
    for (const call of calls) expect(await rejection(call)).toBe('enough');
    expect(await remote.read(bucket())).toEqual(absent);
    expect(listeners.size).toBe(0);
  });

  test('that does not come leaves no listener', async () => {
    const { remote } = connect();
    const { signal, listeners } = countedSignal();
    await remote.read(bucket(), { signal });
    await remote.commit(bucket(), commit(), { signal });
    const release = await remote.lock(bucket(), { signal });
    await release();
    await rejection(remote.commit(bucket(), { ...commit(), ttl: -1 }, { signal }));
    expect(listeners.size).toBe(0);
  });
});

describe('a list', () => {
  test('comes in parts', async () => {
    const { remote, received } = connect();
    const ids = Array.from({ length: 250 }, (_, index) => bucket(`s${index}`));
    await Promise.all(ids.map((id) => remote.commit(id, commit())));
    const before = received.length;
    const found: unknown[] = [];
    for await (const id of remote.list({ app: 'app' })) found.push(id);
    expect(found).toEqual(ids);
    expect(received.length - before).toBe(3);
  });

  test('that nobody goes on with ends where the storage is', async () => {
    const ended = vi.fn();
    const { remote } = connect(
      memoryWith({
        async *list() {
          try {
            for (let index = 0; ; index++) yield bucket(`s${index}`);
          } finally {
            ended();
          }
        },
      }),
    );
    for await (const { session } of remote.list({ app: 'app' })) if (session === 's120') break;
    await turn();
    expect(ended).toHaveBeenCalledOnce();
  });

  test('fails where the storage fails', async () => {
    const { remote } = connect(
      memoryWith({
        async *list() {
          yield bucket();
          throw new TypeError('no more');
        },
      }),
    );
    const error = await rejection(remote.list({ app: 'app' }).next());
    expect(error).toBeInstanceOf(TypeError);
  });
});

describe('of one app alone', () => {
  test('no other can be reached, whatever is asked for', async () => {
    const storage = memoryWith();
    const other = { ...bucket(), app: 'other' };
    await storage.commit(other, commit({ a: 'other' }));
    const { remote } = connect(storage, 'app');
    expect(await remote.read(other)).toEqual(absent);
    const told = vi.fn();
    remote.watch(other, told);
    await remote.commit(other, commit({ a: 'mine' }));
    await storage.commit(other, commit({ a: 'other again' }));
    expect((await storage.read(bucket())).fields.get('a')).toBe('mine');
    const listed: unknown[] = [];
    for await (const id of remote.list({ app: 'other' })) listed.push(id);
    expect(listed).toEqual([bucket()]);
    await remote.lock(other, {});
    const release = await storage.lock?.({ app: 'other', session: 'ann', state: 'cart' }, {});
    await release?.();
    await turn();
    expect(told).toHaveBeenCalledOnce();
  });
});

describe('what a storage lacks', () => {
  const { watch: _watch, lock: _lock, ...bare } = memoryWith();

  test('a lock is told as missing, with the name of the storage', async () => {
    const { remote } = connect(bare);
    expect(await rejection(remote.lock(bucket(), {}))).toMatchObject({
      code: 'STORAGE_MISSING',
      message: expect.stringContaining('"hosted"'),
    });
  });

  test('a watch is told on the console, and to the next one who watches', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { remote } = connect(bare);
    const stop = remote.watch(bucket(), () => {});
    await remote.read(bucket());
    await turn();
    expect(told.mock.calls).toMatchObject([[expect.any(String), { code: 'STORAGE_MISSING' }]]);
    stop();
    told.mockRestore();
    expect(() => remote.watch(bucket(), () => {})).toThrow('"hosted"');
  });
});
