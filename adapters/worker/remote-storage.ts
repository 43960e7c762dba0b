/** A storage that is elsewhere: a worker's that its page has, or a page's that its worker has. */
import { QTasksError, storageError } from '../../src/errors.js';
import { attempt, callGuarded } from '../../src/promises.js';
import type {
  AbortOptions,
  BucketId,
  Change,
  Commit,
  CommitResult,
  LockPlace,
  ReadOptions,
  Snapshot,
  StorageAdapter,
} from '../../src/storage.js';
import { copyOf } from '../shared/record.js';
import { holdAlive } from './alive.js';
import { COMMIT, LIST, LOCK, READ, STOP, WATCH } from './storage-frames.js';
import { type StorageLink, Wire, type WireOwner } from './storage-wire.js';

interface Watch {
  readonly id: BucketId;
  readonly listener: (change: Change) => void;
  /** Whether a connection has known it: between that one and the next, changes go unseen. */
  wasSent: boolean;
}

/**
 * A storage behind a port on which `offerStorage` offers it. It connects at its first use, and again at the
 * next use after the host was gone, at once where somebody watches.
 *
 * As the host goes, calls reject with `STORAGE_UNAVAILABLE`, commits that were sent with
 * `STORAGE_UNKNOWN_OUTCOME`, and what frees a lock resolves: the host has freed it. A watch goes on with the
 * next connection, and is told then that anything may have changed.
 *
 * `close()` lets what was sent end, and keeps the connection as long as a lock is held.
 *
 * `lock` rejects with `STORAGE_MISSING` where the host's storage has none. `watch` throws that once it is
 * known that the host's storage cannot watch; a watch that was there before is told on the console.
 */
export class RemoteStorage implements StorageAdapter, WireOwner {
  readonly name: string;
  /** What the host's storage says, as soon as there was a connection; `"runtime"` before. */
  scope: StorageAdapter['scope'] = 'runtime';
  readonly #open: (signal: AbortSignal) => Promise<StorageLink>;
  readonly #watches = new Map<number, Watch>();
  #numbers = 0;
  #wire: Wire | undefined = undefined;
  #connection: Promise<Wire> | undefined = undefined;
  #closing = new AbortController();
  #cannotWatch: string | undefined = undefined;

  /** @param open finds the host; its signal aborts once nobody waits for it any more */
  constructor(name: string, open: (signal: AbortSignal) => Promise<StorageLink>) {
    this.name = name;
    this.#open = open;
  }

  async read(id: BucketId, { fields, signal }: ReadOptions = {}): Promise<Snapshot> {
    return (await this.#ask(READ, taken(id), fields && [...fields], signal)) as Snapshot;
  }

  async commit(id: BucketId, commit: Commit, { signal }: AbortOptions = {}): Promise<CommitResult> {
    return (await this.#ask(COMMIT, taken(id), copyOf(commit), signal)) as CommitResult;
  }

  async *list(prefix: {
    readonly app: string;
    readonly session?: string;
  }): AsyncGenerator<BucketId> {
    const wire = await this.#connect();
    const list = ++this.#numbers;
    let isOver = false;
    try {
      while (!isOver) {
        const call = { kind: LIST, number: ++this.#numbers, a: { ...prefix }, b: list };
        const [ids, isLast] = (await wire.ask(call)) as [BucketId[], boolean];
        isOver = isLast;
        yield* ids;
      }
    } finally {
      if (!isOver) wire.send(STOP, 0, list);
    }
  }

  async lock(place: LockPlace, { signal }: AbortOptions): Promise<() => Promise<void>> {
    const a = { ...place };
    const wire = await this.#connect(signal);
    const number = ++this.#numbers;
    await wire.ask({ kind: LOCK, number, a, signal });
    let freed: Promise<void> | undefined;
    return () => {
      freed ??= wire.free(number, ++this.#numbers);
      return freed;
    };
  }

  async #ask(kind: number, a: unknown, b: unknown, signal?: AbortSignal): Promise<unknown> {
    const wire = await this.#connect(signal);
    return wire.ask({ kind, number: ++this.#numbers, a, b, signal });
  }

  /** @throws STORAGE_MISSING where it is known that the host's storage cannot watch */
  watch(id: BucketId, listener: (change: Change) => void): () => void {
    if (this.#cannotWatch !== undefined) {
      const message = `storage "${this.#cannotWatch}" of the host cannot watch; use one that can`;
      throw new QTasksError('STORAGE_MISSING', message);
    }
    const number = ++this.#numbers;
    const watch = { id: taken(id), listener, wasSent: false };
    this.#watches.set(number, watch);
    if (this.#wire) this.#sendWatch(this.#wire, number, watch);
    else this.#connectToWatch();
    return () => {
      if (this.#watches.delete(number)) this.#wire?.send(STOP, 0, number);
    };
  }

  #connectToWatch(): void {
    const connection = this.#connect();
    const { signal } = this.#closing;
    connection.catch((error) => {
      if (!signal.aborted) this.#report('cannot be watched until its next use', error);
    });
  }

  #sendWatch(wire: Wire, number: number, watch: Watch): void {
    wire.send(WATCH, number, watch.id, watch.wasSent);
    watch.wasSent = true;
  }

  #connect(signal?: AbortSignal): Promise<Wire> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.#connection ??= this.#meet();
    return signal && !this.#wire ? orAborted(this.#connection, signal) : this.#connection;
  }

  async #meet(): Promise<Wire> {
    this.#closing = new AbortController();
    const { signal } = this.#closing;
    const opening = attempt(() => this.#open(signal)).then(async (link) => {
      const wire = new Wire(link, await holdAlive(), this);
      // It comes too late.
      if (signal.aborted) void wire.retire();
      return wire;
    });
    try {
      const wire = await orAborted(opening, signal);
      if (wire.loss) throw wire.loss;
      this.#wire = wire;
      for (const [number, watch] of this.#watches) this.#sendWatch(wire, number, watch);
      return wire;
    } catch (error) {
      if (!signal.aborted) this.#connection = undefined;
      throw storageError(error, `storage "${this.name}" cannot reach its host`);
    }
  }

  greeted(scope: StorageAdapter['scope'], cannotWatch: string | undefined): void {
    this.scope = scope;
    this.#cannotWatch = cannotWatch;
  }

  told(watch: number, change: Change): void {
    const listener = this.#watches.get(watch)?.listener;
    const report = (error: unknown): void => this.#report('has a listener that threw', error);
    if (listener) callGuarded(listener, change, report);
  }

  watchFailed(watch: number, error: unknown): void {
    if (this.#watches.has(watch)) this.#report('cannot watch', error);
  }

  #report(what: string, error: unknown): void {
    console.error(`qtasks-lite: storage "${this.name}" ${what}`, error);
  }

  lost(wire: Wire): void {
    if (this.#wire !== wire) return;
    this.#wire = undefined;
    this.#connection = undefined;
    if (this.#watches.size > 0) this.#connectToWatch();
  }

  async close(): Promise<void> {
    const [wire, connection] = [this.#wire, this.#connection];
    for (const watch of this.#watches.keys()) wire?.send(STOP, 0, watch);
    this.#watches.clear();
    const message = `storage "${this.name}" was closed before it had reached its host`;
    this.#closing.abort(new QTasksError('STORAGE_UNAVAILABLE', message));
    this.#wire = undefined;
    this.#connection = undefined;
    if (!wire) return;
    // Calls that were made before, and wait for the connection as this does, are sent before it ends.
    await connection;
    await wire.retire();
  }
}

/** As it is at the call. One that stays as it is is cloned once for all frames of a message. */
const taken = (id: BucketId): BucketId => (Object.isFrozen(id) ? id : { ...id });

/** Waits for something unless the signal aborts. */
function orAborted<Value>(awaited: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort);
    awaited.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
