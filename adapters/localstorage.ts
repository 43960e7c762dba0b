/** The storage of all pages of an origin, for small states: localStorage, or another web storage. */
import { type Clock, systemClock } from '../src/clock.js';
import { QTasksError } from '../src/errors.js';
import { Mutex } from '../src/mutex.js';
import { checkOptions, hasMethods, kinds } from '../src/options.js';
import type {
  AbortOptions,
  BucketId,
  Change,
  Commit,
  CommitResult,
  ReadOptions,
  Snapshot,
  StorageAdapter,
} from '../src/storage.js';
import { Beacons } from './localstorage/beacons.js';
import { headOf, idOf, nameOf, namesIn, parse } from './localstorage/items.js';
import { Sweeper } from './localstorage/sweeper.js';
import { type Place, Writer } from './localstorage/writer.js';
import { onPutAway } from './shared/bfcache.js';
import { acquire, lockManager, webLock } from './shared/locks.js';
import { revisions } from './shared/record.js';
import { Watchers } from './shared/watchers.js';

/** Options of {@link localstorage}. */
export interface LocalStorageOptions {
  /** Default `localStorage`; `sessionStorage` keeps the states of one tab, as long as it is there. */
  readonly area?: Storage;
  /** Default: the runtime's own. */
  readonly clock?: Clock;
}

const lockPrefix = 'qtasks-lite:localstorage:';

const optionKinds = {
  area: ['a Storage, like localStorage', hasMethods('getItem', 'setItem', 'removeItem', 'key')],
  clock: kinds.clock,
} as const;

/**
 * Makes a storage on localStorage, for small states: a whole bucket is one item that each commit writes
 * anew, and a browser keeps five million characters for an origin. `indexeddb()` has no such limit,
 * works in workers too, and is the better choice where you have one.
 *
 * All pages of the origin share it, safely also across processes, where there are Web Locks. Without
 * them (plain http) it works within one page alone and `scope` is `"runtime"`; so it is for
 * `sessionStorage` and any other `area`.
 *
 * A commit outlives its tab, however that ends. What only `indexeddb()` promises: a tab that opens,
 * commits and is killed within milliseconds may go unseen by one that commits to the same bucket in
 * that moment, and a browser that is killed as a whole loses the last seconds.
 *
 * @throws OPTION_INVALID; STORAGE_UNAVAILABLE where there is no localStorage, or it is blocked
 */
export function localstorage(options: LocalStorageOptions = {}): StorageAdapter {
  checkOptions('localstorage', options, optionKinds);
  const area = options.area ?? ownArea();
  if (!area) {
    const message =
      'localstorage: there is none here; in a worker use hostStorage() or indexeddb(), in Node memory()';
    throw new QTasksError('STORAGE_UNAVAILABLE', message);
  }
  return new WebStorage(area, options.clock ?? systemClock);
}

function ownArea(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch (cause) {
    const message =
      'localstorage: the browser blocks it for this page; allow cookies, or use memory()';
    throw new QTasksError('STORAGE_UNAVAILABLE', message, { cause });
  }
}

/** Whether other pages see the area too. */
function isShared(area: Storage): boolean {
  try {
    return area === globalThis.localStorage;
  } catch {
    return false;
  }
}

type Tell = (name: string, changes: readonly Change[]) => void;

/** What the adapters of one page on one area share. */
interface Shared {
  /** A page gets no event of its own writes. */
  readonly tellers: Set<Tell>;
  /** Where no other page sees the area. */
  readonly locks: Mutex;
}

/** There may be several copies of this library on a page. */
const registry = Symbol.for('qtasks-lite.localstorage');

function sharedOf(area: Storage): Shared {
  const page = globalThis as { [registry]?: WeakMap<Storage, Shared> };
  page[registry] ??= new WeakMap();
  const shared = page[registry].get(area) ?? { tellers: new Set(), locks: new Mutex() };
  page[registry].set(area, shared);
  return shared;
}

class WebStorage implements StorageAdapter, Place {
  readonly name = 'localstorage';
  readonly scope: 'origin' | 'runtime';
  readonly lock?: NonNullable<StorageAdapter['lock']>;
  readonly area: Storage;
  readonly clock: Clock;
  readonly beacons: Beacons | undefined;
  readonly nextRevision: () => string = revisions();
  readonly #locks: LockManager | undefined;
  readonly #shared: Shared;
  readonly #watchers = new Watchers('localstorage');
  readonly #writers = new Map<string, Writer>();
  readonly #sweeper = new Sweeper(this);
  readonly #heard = (event: StorageEvent): void => this.#hear(event);
  #stopListening: (() => void) | undefined = undefined;

  constructor(area: Storage, clock: Clock) {
    this.area = area;
    this.clock = clock;
    const isOwn = isShared(area);
    this.#locks = isOwn ? lockManager() : undefined;
    this.scope = this.#locks ? 'origin' : 'runtime';
    this.beacons = this.#locks && new Beacons(this.#locks, lockPrefix);
    this.#shared = sharedOf(area);
    // Nothing may pretend to exclude other pages that cannot.
    const lock = isOwn ? webLock(`${lockPrefix}lock:`) : this.#lockHere;
    if (lock) this.lock = lock;
  }

  readonly #lockHere: NonNullable<StorageAdapter['lock']> = ({ app, session, state }, { signal }) =>
    this.#shared.locks.acquire(JSON.stringify([app, session, state ?? null]), signal);

  async read(id: BucketId, { fields, signal }: ReadOptions = {}): Promise<Snapshot> {
    signal?.throwIfAborted();
    const name = nameOf(id);
    await this.#catchUp(name);
    const item = parse(name, this.area.getItem(name), this.clock.now());
    if (!fields) return { revision: item.revision, fields: item.fields };
    const some = fields.flatMap((field) => {
      const value = item.fields.get(field);
      return value === undefined ? [] : [[field, value] as const];
    });
    return { revision: item.revision, fields: new Map(some) };
  }

  /** Gives the newest version that there is or was of an item. */
  async #catchUp(name: string): Promise<number> {
    const version = (): number => headOf(this.area.getItem(name)).version;
    return (await this.beacons?.catchUp(name, version)) ?? version();
  }

  async commit(id: BucketId, commit: Commit, { signal }: AbortOptions = {}): Promise<CommitResult> {
    signal?.throwIfAborted();
    this.#listen();
    const name = nameOf(id);
    const writer = this.#writers.get(name) ?? new Writer(this, name);
    this.#writers.set(name, writer);
    return writer.add(commit, signal);
  }

  idle(name: string): void {
    this.#writers.delete(name);
  }

  async alone(name: string, work: (newest: number) => unknown): Promise<void> {
    const release = this.#locks
      ? await acquire(this.#locks, `${lockPrefix}write:${name}`, {})
      : await this.#shared.locks.acquire(`write:${name}`);
    try {
      await work(await this.#catchUp(name));
    } finally {
      await release();
    }
  }

  made(name: string, changes: readonly Change[]): void {
    this.#sweeper.plan();
    for (const tell of this.#shared.tellers) tell(name, changes);
  }

  readonly #tell: Tell = (name, changes) => {
    const id = idOf(name);
    if (id) for (const change of changes) this.#watchers.tell(id, change);
  };

  /** Another page has written; without a name it has emptied the area. */
  #hear({ storageArea, key, oldValue, newValue }: StorageEvent): void {
    if (storageArea !== this.area) return;
    for (const id of this.#watchers.buckets) {
      const name = nameOf(id);
      if (key !== null && key !== name) continue;
      // It was over before, and somebody has swept it away.
      if (newValue === null && oldValue !== null && this.#isAbsent(name, oldValue)) continue;
      this.#tell(name, changesOf(name, newValue));
    }
  }

  #isAbsent(name: string, text: string): boolean {
    try {
      return parse(name, text, this.clock.now()).revision === null;
    } catch {
      // Whoever reads it is told.
      return false;
    }
  }

  async *list(prefix: {
    readonly app: string;
    readonly session?: string;
  }): AsyncGenerator<BucketId> {
    for (const name of namesIn(this.area)) {
      const id = idOf(name);
      if (id?.app !== prefix.app || (prefix.session ?? id.session) !== id.session) continue;
      const text = this.area.getItem(name);
      if (text !== null && !this.#isAbsent(name, text)) yield id;
    }
  }

  watch(id: BucketId, listener: (change: Change) => void): () => void {
    this.#listen();
    return this.#watchers.add(id, listener);
  }

  #listen(): void {
    this.#shared.tellers.add(this.#tell);
    if (this.#stopListening) return;
    globalThis.addEventListener?.('storage', this.#heard);
    // A page that holds locks is not kept. Its events wait for it.
    const stop = onPutAway(() => void this.beacons?.close());
    this.#stopListening = () => {
      globalThis.removeEventListener?.('storage', this.#heard);
      stop();
    };
  }

  /** Waits for what is on its way, then lets go of locks and listeners. */
  async close(): Promise<void> {
    this.#watchers.clear();
    this.#shared.tellers.delete(this.#tell);
    this.#stopListening?.();
    this.#stopListening = undefined;
    await Promise.all([...this.#writers.values()].map((writer) => writer.idle()));
    await this.#sweeper.close();
    await this.beacons?.close();
  }
}

/** What an item was written for; of one that is gone or cannot be read, that anything may have changed. */
function changesOf(name: string, text: string | null): readonly Change[] {
  const unknown: Change = { revision: null, writer: '', sequence: 0, fields: 'all' };
  try {
    return text === null ? [unknown] : parse(name, text, 0).changes;
  } catch {
    return [unknown];
  }
}
