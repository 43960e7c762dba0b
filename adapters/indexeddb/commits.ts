/** Group commit: what is asked for while a transaction runs goes into the next one, whatever the bucket. */
import type { Clock } from '../../src/clock.js';
import { isQTasksError } from '../../src/errors.js';
import type { BucketId, Commit, CommitResult, Revision } from '../../src/storage.js';
import type { Notice } from '../shared/notices.js';
import { copyOf, revisions } from '../shared/record.js';
import type { Database } from './database.js';
import { Group, type Pending } from './group.js';
import { KnownRecords } from './known.js';

/** What the commits of an adapter need of it. */
interface CommitsOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** Told of the commits of each transaction, in their order, once they are stored. */
  made(notices: readonly Notice[]): void;
  /** Where the disk is full. */
  makeRoom(): Promise<void>;
}

/** The commits of one adapter. */
export class Commits {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #made: (notices: readonly Notice[]) => void;
  readonly #makeRoom: () => Promise<void>;
  readonly #nextRevision: () => Revision = revisions();
  readonly #known = new KnownRecords();
  #pending: Pending[] = [];
  #running: Promise<void> | undefined = undefined;

  constructor({ database, clock, made, makeRoom }: CommitsOptions) {
    this.#database = database;
    this.#clock = clock;
    this.#made = made;
    this.#makeRoom = makeRoom;
  }

  add(id: BucketId, commit: Commit, signal: AbortSignal | undefined): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      const pending = { id: { ...id }, commit: copyOf(commit), signal, isAnswered: false };
      this.#pending.push({ ...pending, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves once nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // All that is asked for in this turn goes together.
    await undefined;
    while (this.#pending.length > 0) await this.#commit(this.#take());
    this.#running = undefined;
  }

  #take(): Pending[] {
    const pending = this.#pending;
    this.#pending = [];
    return pending;
  }

  /**
   * A repeat of a commit that was made all the same does no harm, so each is tried twice.
   * @param earlier why it failed before
   */
  async #commit(some: Pending[], earlier?: unknown): Promise<void> {
    if (!some.some(isWanted)) return;
    try {
      const group = await this.#database.write((store) => this.#make(store, some, earlier));
      group.answer();
      this.#made(group.notices);
    } catch (error) {
      if (isUnknown(error)) for (const pending of some) pending.signal = undefined;
      const left = some.filter(isWanted);
      if (left.length > 1 ? isHopeless(error) : earlier !== undefined || !mayPass(error)) {
        const reason = isUnknown(earlier) ? earlier : error;
        for (const { reject } of left) reject(reason);
        return;
      }
      if (isQTasksError(error, 'STORAGE_QUOTA')) await this.#makeRoom();
      // One by one: what is wrong with one of them is no fault of the others.
      for (const pending of left) await this.#commit([pending], error);
    }
  }

  /** @param some gets those too that come while it runs, and try again what was refused */
  async #make(store: IDBObjectStore, some: Pending[], earlier: unknown): Promise<Group> {
    const now = this.#clock.now();
    const [nextRevision, known] = [this.#nextRevision, this.#known];
    const group = new Group({ store, now, nextRevision, known, earlier });
    await group.make(some.filter(isWanted));
    if (await group.answerRefused()) {
      const more = this.#take();
      some.push(...more);
      await group.make(more.filter(isWanted));
    }
    group.save();
    return group;
  }
}

const isUnknown = (error: unknown): boolean => isQTasksError(error, 'STORAGE_UNKNOWN_OUTCOME');

/** Where nothing can be done at all: nobody has to find that out again. */
const isHopeless = (error: unknown): boolean =>
  isQTasksError(error, 'STORAGE_UNAVAILABLE') && !error.cause;

/** Whether a commit may succeed if it is repeated. */
const mayPass = (error: unknown): boolean =>
  !isHopeless(error) && !isQTasksError(error, 'OPTION_INVALID');

/** Whether a commit is still to be made; one that was aborted in time is not begun. */
function isWanted({ signal, isAnswered, reject }: Pending): boolean {
  if (signal?.aborted) reject(signal.reason);
  return !signal?.aborted && !isAnswered;
}
