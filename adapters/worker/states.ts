/** States of a worker's app as its page uses them: the engine runs here, on the worker's storage. */
import { atMost, systemClock } from '../../src/clock.js';
import { Events } from '../../src/events.js';
import { type EventMap, type EventName, QTasksError } from '../../src/index.js';
import { silent } from '../../src/logger.js';
import { openState, type Runtime } from '../../src/need.js';
import type { Link } from './link.js';
import type { Place } from './place.js';
import { RemoteStorage } from './remote-storage.js';

/** How long the writes of a page that closes may take. */
const patience = 1_000;

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
  readonly #linkAt: (place: Place) => Promise<Link>;
  readonly #runtimes = new Map<Place, PageRuntime>();

  /** @param linkAt waits for the worker of a place */
  constructor(events: Events, linkAt: (place: Place) => Promise<Link>) {
    this.#events = events;
    this.#linkAt = linkAt;
  }

  /** @throws OPTION_INVALID, STATE_INVALID, STATE_DUPLICATE */
  open(stateClass: unknown, session: string, place: Place): unknown {
    let runtime = this.#runtimes.get(place);
    if (!runtime) {
      const storage = new RemoteStorage('worker', () => this.#openStorage(place));
      runtime = new PageRuntime(this.#events, storage);
      this.#runtimes.set(place, runtime);
    }
    return openState(stateClass, { runtime, session });
  }

  async #openStorage(place: Place) {
    const link = await this.#linkAt(place);
    if (link.ready?.hasStorage) return link.openStorage();
    const message = `app "${link.ready?.app}" has no storage; pass one to new QTasks in the worker`;
    throw new QTasksError('STORAGE_MISSING', message);
  }

  /** Waits a while for writes that are on their way. */
  async close(): Promise<void> {
    for (const { closers, storage } of this.#runtimes.values()) {
      const written = Promise.allSettled(closers.map((closer) => closer()));
      await atMost(patience, written, systemClock);
      await storage.close();
    }
  }
}
