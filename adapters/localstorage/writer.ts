/** The commits of one bucket: all that wait are made in one hold of its lock, by one `setItem`. */
import type { Clock } from '../../src/clock.js';
import { QTasksError } from '../../src/errors.js';
import { nextTurn } from '../../src/promises.js';
import type { Change, Commit, CommitResult, Revision } from '../../src/storage.js';
import { apply, copyOf, verdict } from '../shared/record.js';
import { changeOf } from '../shared/watchers.js';
import type { Beacons } from './beacons.js';
import { type Item, parse, stringify } from './items.js';

/** What all buckets of an adapter share. */
export interface Place {
  readonly area: Storage;
  readonly clock: Clock;
  /** Absent where this runtime is the only one that sees the area. */
  readonly beacons: Beacons | undefined;
  nextRevision(): Revision;
  /**
   * Keeps everybody else from writing to the bucket meanwhile.
   * @param work gets the newest version of the item that there is or was
   */
  alone(name: string, work: (newest: number) => unknown): Promise<void>;
  made(name: string, changes: readonly Change[]): void;
  /** Nothing waits to be written to the bucket any more. */
  idle(name: string): void;
}

/** One commit that waits. */
interface Pending {
  readonly commit: Commit;
  readonly signal: AbortSignal | undefined;
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

/** Writes one bucket. */
export class Writer {
  readonly #place: Place;
  readonly #name: string;
  #pending: Pending[] = [];
  #running: Promise<void> | undefined = undefined;

  constructor(place: Place, name: string) {
    this.#place = place;
    this.#name = name;
  }

  add(commit: Commit, signal: AbortSignal | undefined): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ commit: copyOf(commit), signal, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves once nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#pending.length > 0) {
      try {
        await this.#place.alone(this.#name, (newest) => this.#commitAll(newest));
      } catch (error) {
        for (const { reject } of this.#pending.splice(0)) reject(error);
      }
    }
    this.#running = undefined;
    this.#place.idle(this.#name);
  }

  async #commitAll(newest: number): Promise<void> {
    const isRefused = await this.#commitGroup(newest);
    if (!isRefused) return;
    // Whoever was refused tries again before anybody else: two tabs that take turns would refuse
    // the same one for ever.
    await nextTurn();
    await this.#commitGroup(newest);
  }

  /** Makes what waits; tells whether a condition did not hold. */
  async #commitGroup(newest: number): Promise<boolean> {
    const group = this.#pending.splice(0).filter(isWanted);
    try {
      return await this.#commit(group, newest);
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      // One by one: what is wrong with one of them is no fault of the others.
      else for (const pending of group) await this.#commit([pending], newest).catch(pending.reject);
      return false;
    }
  }

  /** @throws STORAGE_CORRUPT, STORAGE_QUOTA; then the item is as it was */
  async #commit(group: readonly Pending[], newest: number): Promise<boolean> {
    const { area, clock, beacons } = this.#place;
    const now = clock.now();
    const item = parse(this.#name, area.getItem(this.#name), now);
    const changes: Change[] = [];
    const results = group.map(({ commit }) => this.#make(item, commit, now, changes));
    if (changes.length > 0) {
      // Also above that of an item that was removed, which some tabs may see still.
      item.version = Math.max(newest, item.version, Date.now()) + 1;
      item.changes = changes;
      store(area, this.#name, stringify(item));
      await beacons?.raise(this.#name, item.version);
    }
    for (const [place, result] of results.entries()) group[place]?.resolve(result);
    if (changes.length > 0) this.#place.made(this.#name, changes);
    return results.some(({ ok }) => !ok);
  }

  #make(item: Item, commit: Commit, now: number, changes: Change[]): CommitResult {
    const { revision: previous } = item;
    const means = verdict(item, commit);
    if (means === 'refused') {
      return { ok: false, current: { revision: previous, fields: new Map(item.fields) } };
    }
    const revision =
      means === 'repeat' && previous !== null ? previous : this.#place.nextRevision();
    if (means === 'made') {
      apply(item, commit, revision, now);
      changes.push(changeOf(commit, item.revision));
    }
    return { ok: true, revision, previous };
  }
}

/** Whether a commit is still wanted; one that was aborted in time is not begun. */
function isWanted({ signal, reject }: Pending): boolean {
  if (signal?.aborted) reject(signal.reason);
  return !signal?.aborted;
}

function store(area: Storage, name: string, text: string): void {
  try {
    area.setItem(name, text);
  } catch (cause) {
    const isFull = (cause as { name?: unknown } | null)?.name === 'QuotaExceededError';
    throw isFull
      ? new QTasksError(
          'STORAGE_QUOTA',
          'localstorage: it is full; delete something, store less, or use indexeddb()',
          { cause },
        )
      : new QTasksError('STORAGE_UNAVAILABLE', 'localstorage: it cannot be written to', { cause });
  }
}
