/** A storage as it is offered on a port, to a realm that has none of its own. */
import { QTasksError } from '../../src/errors.js';
import { attempt, callGuarded } from '../../src/promises.js';
import type {
  AbortOptions,
  BucketId,
  Change,
  Commit,
  LockPlace,
  StorageAdapter,
} from '../../src/storage.js';
import { whenGone } from './alive.js';
import { packError } from './errors.js';
import * as wire from './storage-frames.js';

/** How many ids of a list travel at once. */
const chunkSize = 100;

/**
 * Offers a storage to who has the other end of a port, a `RemoteStorage`, until what this returns is
 * called or the other end is gone. Then the locks that it holds are freed, its calls are aborted, and its
 * watches and lists end.
 *
 * @param app if given, the only one whose buckets can be reached, whatever the other end asks for
 */
export function offerStorage(port: MessagePort, storage: StorageAdapter, app?: string): () => void {
  const offer = new StorageOffer(port, storage, app);
  return () => offer.gone();
}

/** One offer. */
export class StorageOffer implements wire.Peer {
  /** Called once it is over. */
  onEnd = (): void => {};
  readonly #storage: StorageAdapter;
  readonly #app: string | undefined;
  readonly #frames: wire.Frames;
  /** What ends each call, watch, list and lock. */
  readonly #stops = new Map<number, () => unknown>();
  readonly #lists = new Map<number, AsyncIterator<BucketId>>();
  #isOver = false;
  #forget = (): void => {};

  constructor(port: MessagePort, storage: StorageAdapter, app?: string) {
    this.#storage = storage;
    this.#app = app;
    this.#frames = new wire.Frames(port, this);
    const { scope, name, watch } = storage;
    this.#frames.send(wire.HELLO, 0, scope, watch ? undefined : name);
  }

  receive(kind: number, number: number, a: unknown, b: unknown, isAbortable: unknown): void {
    if (this.#isOver) return;
    if (kind === wire.ALIVE) this.#forget = whenGone(a as string, () => this.gone());
    else if (kind === wire.WATCH) this.#watch(number, this.#within(a as BucketId), b);
    else if (isAbortable) void this.#answerUnlessAborted(kind, number, a, b);
    else void this.#answer(number, () => this.#call(kind, a, b, {}));
  }

  #within<Place extends { readonly app: string }>(place: Place): Place {
    return this.#app === undefined ? place : { ...place, app: this.#app };
  }

  async #answer(number: number, call: () => unknown, signal?: AbortSignal): Promise<void> {
    try {
      this.#frames.send(wire.DONE, number, await call());
    } catch (error) {
      if (signal?.aborted && error === signal.reason) this.#frames.send(wire.ABORTED, number);
      else this.refused(number, error);
    }
  }

  /** Only where it is needed: a signal is what costs most of a call in Node. */
  async #answerUnlessAborted(kind: number, number: number, a: unknown, b: unknown): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const abort = (): void => controller.abort();
    this.#stops.set(number, abort);
    const call = (): unknown =>
      kind === wire.LOCK
        ? this.#lock(this.#within(a as LockPlace), signal, number)
        : this.#call(kind, a, b, { signal });
    await this.#answer(number, call, signal);
    // By now it may be what frees a lock.
    if (this.#stops.get(number) === abort) this.#stops.delete(number);
  }

  #call(kind: number, a: unknown, b: unknown, options: AbortOptions): unknown {
    if (kind === wire.STOP) return this.#stop(a as number);
    const id = this.#within(a as BucketId);
    if (kind === wire.LIST) return this.#list(id, b as number);
    if (kind === wire.COMMIT) return this.#storage.commit(id, b as Commit, options);
    return this.#storage.read(id, b ? { ...options, fields: b as string[] } : options);
  }

  async #stop(number: number): Promise<void> {
    const stop = this.#stops.get(number);
    this.#stops.delete(number);
    await stop?.();
  }

  async #list(prefix: BucketId, number: number): Promise<unknown> {
    const ids = this.#lists.get(number) ?? this.#storage.list(prefix)[Symbol.asyncIterator]();
    const end = (): unknown => this.#lists.delete(number) && ids.return?.();
    this.#lists.set(number, ids);
    this.#stops.set(number, end);
    const chunk: BucketId[] = [];
    while (chunk.length < chunkSize) {
      const { done, value } = await ids.next();
      if (done) {
        this.#lists.delete(number);
        this.#stops.delete(number);
        return [chunk, true];
      }
      chunk.push(value);
    }
    return [chunk, false];
  }

  async #lock(place: LockPlace, signal: AbortSignal, number: number): Promise<void> {
    const { name, lock } = this.#storage;
    if (!lock) {
      throw new QTasksError('STORAGE_MISSING', `storage "${name}" has no locks; use one that has`);
    }
    const release = await lock.call(this.#storage, place, { signal });
    if (!signal.aborted) this.#stops.set(number, release);
    else {
      // Its holder has left in the meantime.
      await release();
      throw signal.reason;
    }
  }

  #watch(number: number, id: BucketId, isAgain: unknown): void {
    const { name, watch } = this.#storage;
    const tell = (change: Change): void => this.#frames.send(wire.TOLD, number, change);
    try {
      if (!watch) throw new QTasksError('STORAGE_MISSING', `storage "${name}" cannot watch`);
      this.#stops.set(number, watch.call(this.#storage, id, tell));
      if (isAgain) void this.#tellOfGap(id, tell);
    } catch (error) {
      this.refused(number, error);
    }
  }

  /** Whatever has happened between two connections, nobody has told it. */
  async #tellOfGap(id: BucketId, tell: (change: Change) => void): Promise<void> {
    // Who cannot read tells whoever reads next.
    const reading = attempt(() => this.#storage.read(id, { fields: [] }));
    const revision = await reading.then((snapshot) => snapshot.revision).catch(() => null);
    tell({ revision, writer: '', sequence: 0, fields: 'all' });
  }

  refused(number: number, error: unknown): void {
    this.#frames.send(wire.FAILED, number, packError(error, {}));
  }

  gone(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#frames.end();
    this.#forget();
    const report = (error: unknown): void =>
      console.error(`qtasks-lite: storage "${this.#storage.name}" failed to let go`, error);
    for (const stop of this.#stops.values()) callGuarded(stop, undefined, report);
    this.onEnd();
  }
}
