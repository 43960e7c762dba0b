/** One connection of a `RemoteStorage`: what was asked there and has not been answered. */
import { QTasksError } from '../../src/errors.js';
import type { Change, StorageAdapter } from '../../src/storage.js';
import { type Packed, unpackError } from './errors.js';
import {
  ALIVE,
  COMMIT,
  DONE,
  FAILED,
  Frames,
  HELLO,
  LOCK,
  type Peer,
  STOP,
  TOLD,
} from './storage-frames.js';

/** A port on which a storage is offered. */
export interface StorageLink {
  readonly port: MessagePort;
  /**
   * Calls back once the other side is gone, with what has ended it, as far as that can be told without the
   * port; at once if it is gone already. What it returns stops that, and is called once the port is not
   * used any more.
   */
  onGone(tell: (error: unknown) => void): () => void;
}

/** Who uses the connection. */
export interface WireOwner {
  readonly name: string;
  greeted(scope: StorageAdapter['scope'], cannotWatch: string | undefined): void;
  told(watch: number, change: Change): void;
  /** A watch could not be set up there. */
  watchFailed(watch: number, error: unknown): void;
  lost(wire: Wire): void;
}

/** What is asked for. */
interface Call {
  readonly kind: number;
  readonly number: number;
  readonly a?: unknown;
  readonly b?: unknown;
  readonly signal?: AbortSignal | undefined;
}

interface Pending extends Call {
  readonly abort: () => void;
  resolve(value?: unknown): void;
  reject(error: unknown): void;
}

/** One connection. */
export class Wire implements Peer {
  /** Set once the host is gone. */
  loss: QTasksError | undefined = undefined;
  readonly #owner: WireOwner;
  readonly #frames: Frames;
  readonly #pending = new Map<number, Pending>();
  readonly #held = new Set<number>();
  #stopLooking = (): void => {};
  #rested: (() => void) | undefined = undefined;
  #isOver = false;

  /** @param alive a lock that this realm holds as long as it lives */
  constructor(link: StorageLink, alive: string | undefined, owner: WireOwner) {
    this.#owner = owner;
    this.#frames = new Frames(link.port, this);
    const stop = link.onGone((error) => this.gone(error));
    if (this.#isOver) stop();
    else this.#stopLooking = stop;
    // First of all: who ends before it is known would keep its locks.
    if (alive !== undefined) this.#frames.send(ALIVE, 0, alive);
  }

  /** Sends what needs no answer. */
  send(kind: number, number: number, a?: unknown, b?: unknown): void {
    this.#frames.send(kind, number, a, b);
  }

  /**
   * Resolves to the answer. An abort ends the wait; of a commit only once it is known what became of it.
   * @throws STORAGE_UNAVAILABLE, STORAGE_UNKNOWN_OUTCOME; the signal's reason
   */
  ask(call: Call): Promise<unknown> {
    const { kind, number, a, b, signal } = call;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      // Nothing was sent, so nothing is unknown.
      if (this.#isOver) return reject(this.loss ?? this.#lossOf(LOCK));
      const abort = (): void => {
        this.send(STOP, 0, number);
        if (kind === COMMIT) return;
        this.#take(number)?.reject(signal?.reason);
        this.#rest();
      };
      this.#pending.set(number, { ...call, abort, resolve, reject });
      signal?.addEventListener('abort', abort);
      this.#frames.send(kind, number, a, b, signal !== undefined || kind === LOCK);
    });
  }

  /** Frees a lock; resolves at once where that has happened by itself. */
  async free(lock: number, number: number): Promise<void> {
    if (this.#held.delete(lock)) await this.ask({ kind: STOP, number, a: lock });
  }

  #take(number: number): Pending | undefined {
    const call = this.#pending.get(number);
    call?.signal?.removeEventListener('abort', call.abort);
    this.#pending.delete(number);
    return call;
  }

  receive(kind: number, number: number, a: unknown, b: unknown): void {
    if (kind === HELLO) this.#owner.greeted(a as StorageAdapter['scope'], b as string | undefined);
    else if (kind === TOLD) this.#owner.told(number, a as Change);
    else if (kind === FAILED) this.refused(number, unpackError(a as Packed, {}));
    else this.#answered(number, kind, a);
  }

  #answered(number: number, kind: number, result: unknown): void {
    const call = this.#take(number);
    if (call?.kind === LOCK && kind === DONE) this.#held.add(number);
    if (kind === DONE) call?.resolve(result);
    else call?.reject(call.signal?.reason);
    this.#rest();
  }

  refused(number: number, error: unknown): void {
    const call = this.#take(number);
    if (call) call.reject(error);
    else this.#owner.watchFailed(number, error);
    this.#rest();
  }

  /** Closes the port once nothing is pending or held; resolves once all calls but those for locks have ended. */
  retire(): Promise<void> {
    return new Promise((resolve) => {
      this.#rested = resolve;
      this.#rest();
    });
  }

  #rest(): void {
    if (!this.#rested) return;
    if ([...this.#pending.values()].every(({ kind }) => kind === LOCK)) this.#rested();
    if (this.#pending.size + this.#held.size === 0 && !this.#isOver) this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#stopLooking();
    this.#frames.end();
  }

  gone(cause?: unknown): void {
    if (this.#isOver) return;
    this.loss = this.#lossOf(LOCK, cause);
    this.#end();
    this.#held.clear();
    for (const { number, kind } of [...this.#pending.values()]) {
      const call = this.#take(number);
      if (kind === STOP) call?.resolve();
      else call?.reject(this.#lossOf(kind, cause));
    }
    this.#rest();
    this.#owner.lost(this);
  }

  #lossOf(kind: number, cause?: unknown): QTasksError {
    const isCommit = kind === COMMIT;
    const code = isCommit ? 'STORAGE_UNKNOWN_OUTCOME' : 'STORAGE_UNAVAILABLE';
    const message = `storage "${this.#owner.name}": the connection to its host is gone${isCommit ? ' with no answer to a commit' : ''}`;
    return new QTasksError(code, message, cause === undefined ? {} : { cause });
  }
}
