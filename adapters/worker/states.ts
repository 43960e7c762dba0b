/** States of a worker's app as its page uses them: the engine runs here, on the worker's storage. */
import { atMost, systemClock } from '../../src/clock.js';
import { Events } from '../../src/events.js';
import { type EventMap, type EventName, QTasksError } from '../../src/index.js';
import { silent } from '../../src/logger.js';
import { openState, type Runtime } from '../../src/need.js';
import type { BucketId } from '../../src/storage.js';
import type { Link } from './link.js';
import type { Place } from './place.js';
import { RemoteStorage } from './remote-storage.js';
import type { StorageLink } from './storage-wire.js';

/** How long the writes of a page that closes may take, and the beginning of a watch. */
const patience = 1_000;

/** Who has the workers. */
export interface StatesHost {
  /** Resolves to the worker of a place as soon as it can be called. @throws why it never will */
  linkAt(place: Place): Promise<Link>;
  /** All watches of a session are in force. */
  watching(): void;
}

/** What a page does to states: what a worker does to them it tells itself. */
class LocalEvents extends Events {
  readonly #target: Events;

  constructor(target: Events) {
    super(() => {});
    this.#target = target;
  }

  override has(name: EventName): boolean {
    return this.#target.has(name);
  }

  override emit(event: EventMap[EventName]): void {
    if (!('origin' in event) || event.origin === 'local') this.#target.emit(event);
  }
}

/** The storage of a worker's app; it tells of each watch as it begins. */
class WatchedStorage extends RemoteStorage {
  readonly #onWatch: (id: BucketId) => void;

  constructor(open: () => Promise<StorageLink>, onWatch: (id: BucketId) => void) {
    super('worker', open);
    this.#onWatch = onWatch;
  }

  override watch(...watch: Parameters<RemoteStorage['watch']>): () => void {
    const stop = super.watch(...watch);
    this.#onWatch(watch[0]);
    return stop;
  }
}

/** The app in the workers of one place, as the engine of states sees it. */
class PageRuntime implements Runtime {
  /** The worker puts its own in its place. */
  readonly name = 'remote';
  readonly clock = systemClock;
  readonly logger = silent;
  readonly events: Events;
  readonly storage: RemoteStorage;
  readonly closers: (() => void | Promise<void>)[] = [];
  readonly #once = new Map<symbol, unknown>();

  constructor(events: Events, storage: RemoteStorage) {
    this.events = new LocalEvents(events);
    this.storage = storage;
  }

  once<T>(key: symbol, make: () => T): T {
    if (!this.#once.has(key)) this.#once.set(key, make());
    return this.#once.get(key) as T;
  }

  report(error: unknown): void {
    console.error('qtasks-lite: failed where no call could be told', error);
  }

  onClose(callback: () => void | Promise<void>): void {
    this.closers.push(callback);
  }
}

/** All states that a page uses. */
export class PageStates {
  readonly #events: Events;
  readonly #host: StatesHost;
  readonly #runtimes = new Map<Place, PageRuntime>();
  /** How many watches of each session have yet to be in force. */
  readonly #beginning = new Map<string, number>();

  constructor(events: Events, host: StatesHost) {
    this.#events = events;
    this.#host = host;
  }

  /** @throws OPTION_INVALID, STATE_INVALID, STATE_DUPLICATE */
  open(stateClass: unknown, session: string, place: Place): unknown {
    let runtime = this.#runtimes.get(place);
    if (!runtime) {
      const storage = new WatchedStorage(
        () => this.#openStorage(place),
        (id) => void this.#begin(storage, id, place),
      );
      runtime = new PageRuntime(this.#events, storage);
      this.#runtimes.set(place, runtime);
    }
    return openState(stateClass, { runtime, session });
  }

  async #openStorage(place: Place) {
    const link = await this.#host.linkAt(place);
    if (link.ready?.hasStorage) return link.openStorage();
    const message = `app "${link.ready?.app}" has no storage; pass one to new QTasks in the worker`;
    throw new QTasksError('STORAGE_MISSING', message);
  }

  /**
   * Whether runs of a session have to wait: they take another way to the worker than watches do, and a watch
   * that was there first has to see what they write.
   */
  isBeginning(session: string): boolean {
    return this.#beginning.has(session);
  }

  async #begin(storage: RemoteStorage, id: BucketId, place: Place): Promise<void> {
    const { session } = id;
    this.#beginning.set(session, (this.#beginning.get(session) ?? 0) + 1);
    try {
      await this.#host.linkAt(place);
      // It is behind the watch, all the way to where the data is.
      await atMost(patience, storage.read(id, { fields: [] }), systemClock);
    } catch {
      // Whoever reads next is told.
    }
    const left = (this.#beginning.get(session) ?? 1) - 1;
    if (left > 0) this.#beginning.set(session, left);
    else this.#beginning.delete(session);
    if (left === 0) this.#host.watching();
  }

  /** Waits a while for what is on its way: a storage may never answer. */
  async close(): Promise<void> {
    const closing = [...this.#runtimes.values()].map(async ({ closers, storage }) => {
      const written = Promise.allSettled(closers.map((closer) => closer()));
      await atMost(patience, written, systemClock);
      await atMost(patience, storage.close(), systemClock);
    });
    await Promise.all(closing);
  }
}
