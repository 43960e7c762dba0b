/** The storage of an origin: all its pages and workers share it, and it survives them. */
import { type Clock, systemClock } from '../src/clock.js';
import { isQTasksError } from '../src/errors.js';
import { checkOptions, kinds } from '../src/options.js';
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
import { Commits } from './indexeddb/commits.js';
import { Database, type Work } from './indexeddb/database.js';
import { dueRows, keysOf, load, recordOf, unpack, valuesOf } from './indexeddb/rows.js';
import { Sweeper } from './indexeddb/sweeper.js';
import { onPutAway } from './shared/bfcache.js';
import { bucketKey } from './shared/keys.js';
import { webLock } from './shared/locks.js';
import { type Notice, Notices } from './shared/notices.js';
import { Watchers } from './shared/watchers.js';

/** Options of {@link indexeddb}. */
export interface IndexedDBOptions {
  /** The name of the database. Default `"qtasks-lite"`. */
  readonly database?: string;
  /**
   * Whether a commit waits until the disk has it (`"strict"`, about twice as slow) or the operating
   * system (`"relaxed"`, which survives a crash of the browser but not a power cut). Default: the
   * browser's own, which is `"relaxed"` in all of them by now.
   */
  readonly durability?: IDBTransactionDurability;
  /** Default: the runtime's own. */
  readonly clock?: Clock;
}

const optionKinds = {
  database: kinds.name,
  durability: [
    'one of default, strict, relaxed',
    (value: unknown) => ['default', 'strict', 'relaxed'].includes(String(value)),
  ],
  clock: kinds.clock,
} as const;

/**
 * Makes a storage on IndexedDB. Everything that opens the same database in an origin, pages, workers,
 * service workers, shares the data, is told of changes and, where there are Web Locks, shares locks;
 * on plain http there are none, and `exclusive` tasks fail with `STORAGE_MISSING`.
 *
 * It connects at its first use. A connection that is lost is opened again.
 *
 * @throws OPTION_INVALID
 */
export function indexeddb(options: IndexedDBOptions = {}): StorageAdapter {
  checkOptions('indexeddb', options, optionKinds);
  return new IndexedDBStorage(options);
}

class IndexedDBStorage implements StorageAdapter {
  readonly name = 'indexeddb';
  readonly scope = 'origin';
  readonly lock?: NonNullable<StorageAdapter['lock']>;
  readonly #clock: Clock;
  readonly #database: Database;
  readonly #commits: Commits;
  readonly #sweeper: Sweeper;
  readonly #watchers = new Watchers('indexeddb');
  readonly #notices: Notices;
  #stopListening: (() => void) | undefined = undefined;

  constructor({ database = 'qtasks-lite', durability = 'default', clock }: IndexedDBOptions) {
    this.#clock = clock ?? systemClock;
    this.#database = new Database(database, durability, this.#clock);
    const name = `qtasks-lite:${database}`;
    this.#notices = new Notices(name, ({ id, change }) => this.#watchers.tell(id, change));
    this.#sweeper = new Sweeper(this.#database, this.#clock);
    this.#commits = new Commits({
      database: this.#database,
      clock: this.#clock,
      made: (notices) => this.#made(notices),
      makeRoom: () => this.#sweeper.makeRoom(),
    });
    const lock = webLock(`${name}:`);
    if (lock) this.lock = lock;
  }

  async read(id: BucketId, { fields, signal }: ReadOptions = {}): Promise<Snapshot> {
    signal?.throwIfAborted();
    return this.#look(async (store) => {
      const record = await recordOf(store, id);
      if (!record) return { revision: null, fields: new Map<string, string>() };
      const row = unpack(record, 'bucket', this.#clock.now());
      return { revision: row.revision, fields: await valuesOf(store, id, row, fields) };
    });
  }

  /** A look that fails can be repeated: it has changed nothing. */
  async #look<Result>(work: Work<Result>): Promise<Result> {
    this.#notePage();
    try {
      return await this.#database.read(work);
    } catch (error) {
      if (isQTasksError(error) && !error.cause) throw error;
      return this.#database.read(work);
    }
  }

  async commit(id: BucketId, commit: Commit, { signal }: AbortOptions = {}): Promise<CommitResult> {
    signal?.throwIfAborted();
    this.#notePage();
    return this.#commits.add(id, commit, signal);
  }

  #made(notices: readonly Notice[]): void {
    for (const { id, change } of notices) this.#watchers.tell(id, change);
    this.#notices.tell(notices);
    this.#sweeper.plan();
  }

  async *list(prefix: {
    readonly app: string;
    readonly session?: string;
  }): AsyncGenerator<BucketId> {
    const now = this.#clock.now();
    yield* await this.#look(async (store) => {
      const [ids, due] = await Promise.all([keysOf(store, prefix), dueRows(store, now)]);
      const isDue = new Set(due.map(({ id }) => bucketKey(id)));
      const looks = ids.map(async (id) => {
        if (!isDue.has(bucketKey(id))) return true;
        return (await load(store, id, now)).revision !== null;
      });
      const isThere = await Promise.all(looks);
      return ids.filter((_id, place) => isThere[place]);
    });
  }

  watch(id: BucketId, listener: (change: Change) => void): () => void {
    this.#notices.open();
    this.#notePage();
    return this.#watchers.add(id, listener);
  }

  /** An open connection or channel could keep the page from being put away. */
  #notePage(): void {
    this.#stopListening ??= onPutAway(
      () => void this.#letGo(),
      () => void this.#catchUp(),
    );
  }

  /** Nobody has told what was written while the page was away. */
  async #catchUp(): Promise<void> {
    const { buckets } = this.#watchers;
    if (buckets.length > 0) this.#notices.open();
    for (const id of buckets) {
      // One that cannot be read tells whoever reads it next.
      const snapshot = await this.read(id, { fields: [] }).catch(() => undefined);
      const { revision = null } = snapshot ?? {};
      this.#watchers.tell(id, { revision, writer: '', sequence: 0, fields: 'all' });
    }
  }

  /** Waits for what is on its way, then lets go of the connection, the channel and the listeners. */
  async close(): Promise<void> {
    this.#watchers.clear();
    this.#stopListening?.();
    this.#stopListening = undefined;
    await this.#commits.idle();
    await this.#letGo();
  }

  async #letGo(): Promise<void> {
    this.#sweeper.close();
    this.#notices.close();
    await this.#database.close();
  }
}
