/** A storage and who uses it over a port, both in this thread. */
import { onTestFinished } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { RemoteStorage } from '../../../adapters/worker/remote-storage.js';
import { offerStorage } from '../../../adapters/worker/storage-offer.js';
import type { BucketId, Commit, StorageAdapter } from '../../../src/storage.js';

export const bucket = (session = 'ann', state = 'cart'): BucketId => ({
  app: 'app',
  session,
  state,
});

let sequence = 0;

/** A commit that is no repeat. */
export const commit = (fields: Readonly<Record<string, string>> = { a: '1' }): Commit => ({
  writer: 'me',
  sequence: ++sequence,
  set: new Map(Object.entries(fields)),
});

/** A memory with some members of its own. */
export function memoryWith(members: Partial<StorageAdapter> = {}): StorageAdapter {
  const inner = memory();
  return {
    name: 'hosted',
    scope: 'origin',
    read: (id, options) => inner.read(id, options),
    commit: (id, changes, options) => inner.commit(id, changes, options),
    list: (prefix) => inner.list(prefix),
    watch: (id, listener) => inner.watch?.(id, listener) ?? (() => {}),
    lock: (place, options) => inner.lock?.(place, options) ?? Promise.reject(new Error('no lock')),
    close: () => inner.close(),
    ...members,
  };
}

/** What a test has in hand of the connections that were made. */
export interface Channel {
  readonly remote: RemoteStorage;
  /** The messages of each connection, in both directions. */
  readonly sent: unknown[];
  readonly received: unknown[];
  opened: number;
  /** Ends what is offered. */
  end(): void;
  /** Has a connection tell that its host is gone. */
  tellGone(error: unknown): void;
}

/** Connects to a storage at the first use. */
export function connect(storage: StorageAdapter = memory(), app?: string): Channel {
  const remote = new RemoteStorage('remote', async () => {
    channel.opened++;
    const { port1, port2 } = new MessageChannel();
    collect(port1, channel.sent);
    collect(port2, channel.received);
    channel.end = offerStorage(port2, storage, app);
    const onGone = (tell: (error: unknown) => void): (() => void) => {
      channel.tellGone = tell;
      return () => {};
    };
    return { port: port1, onGone };
  });
  const channel: Channel = {
    remote,
    sent: [],
    received: [],
    opened: 0,
    end: () => {},
    tellGone: () => {},
  };
  onTestFinished(async () => {
    channel.end();
    await remote.close();
  });
  return channel;
}

function collect(port: MessagePort, messages: unknown[]): void {
  const post = port.postMessage.bind(port);
  port.postMessage = (message: unknown) => {
    post(message);
    messages.push(message);
  };
}
