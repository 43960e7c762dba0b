/**
 * Tells what a tab must be able to see. Browsers copy a web storage into each process and bring the
 * copies up to date when they get to it: a tab that has the lock may still read what was there before.
 * Locks are one truth for all processes, so whoever writes holds a shared lock named after the version
 * that it wrote, and whoever reads waits until its copy is as new as the newest of these names.
 *
 * The names of a tab go with it. So each that writes holds one more as long as it is there, and whoever
 * misses one that it knew waits a moment. One that came, wrote and was killed meanwhile is not missed.
 * @see https://github.com/whatwg/html/issues/403
 */
import { nextTurn } from '../../src/promises.js';
import type { Milliseconds } from '../../src/types.js';
import { acquire } from '../shared/locks.js';

/** By then the copies of all processes are up to date, or nothing will bring them there. */
const longestWait: Milliseconds = 2_000;
/** How long after its last write a tab holds the name: for longer than any copy is behind. */
const heldFor: Milliseconds = 10_000;
/** What a tab has written before it died is there after that. */
const settleTime: Milliseconds = 100;

type Release = () => Promise<void>;

/** The name of a version that this tab holds. */
interface Beacon {
  readonly version: number;
  readonly release: Release;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The beacons of one tab. */
export class Beacons {
  readonly #locks: LockManager;
  readonly #prefix: string;
  readonly #held = new Map<string, Beacon>();
  /** Versions that were waited for in vain: somebody has emptied the storage by hand. */
  readonly #given = new Map<string, number>();
  #presence: Promise<Release> | undefined = undefined;
  #present: ReadonlySet<string> = new Set();
  #settled: Promise<unknown> | undefined = undefined;

  constructor(locks: LockManager, prefix: string) {
    this.#locks = locks;
    this.#prefix = prefix;
  }

  /**
   * Waits until the item is as new as somebody has made it.
   * @param version tells the item's version as this tab sees it
   * @returns the newest version that there is or was
   */
  async catchUp(name: string, version: () => number): Promise<number> {
    const { held = [] } = await this.#locks.query();
    const names = held.map(({ name: lock = '' }) => lock);
    const prefix = this.#beacon(name, '');
    const versions = names.filter((lock) => lock.startsWith(prefix));
    const newest = Math.max(0, ...versions.map((lock) => Number(lock.slice(prefix.length))));
    if (this.#hasLost(names)) this.#settled = until(() => false, settleTime);
    await this.#settled;
    // What this tab has written it sees, if nobody has removed it.
    if (newest > (this.#given.get(name) ?? 0) && newest !== this.#held.get(name)?.version) {
      const isThere = await until(() => version() >= newest, longestWait);
      if (isThere) this.#given.delete(name);
      else this.#given.set(name, newest);
    }
    return Math.max(newest, version());
  }

  /** Whether a tab has gone that was there before. */
  #hasLost(names: readonly string[]): boolean {
    const before = this.#present;
    this.#present = new Set(names.filter((name) => name.startsWith(`${this.#prefix}here:`)));
    return [...before].some((name) => !this.#present.has(name));
  }

  /** Tells the others of a version that this tab has written. */
  async raise(name: string, version: number): Promise<void> {
    this.#presence ??= this.#hold(`${this.#prefix}here:${Math.random()}`);
    await this.#presence;
    const release = await this.#hold(this.#beacon(name, version));
    this.#drop(name);
    const timer = setTimeout(() => this.#drop(name), heldFor);
    this.#held.set(name, { version, release, timer });
  }

  #beacon(name: string, version: number | ''): string {
    return `${this.#prefix}at:${name}:${version}`;
  }

  #hold(name: string): Promise<Release> {
    return acquire(this.#locks, name, { mode: 'shared' });
  }

  #drop(name: string): void {
    const beacon = this.#held.get(name);
    if (!beacon) return;
    clearTimeout(beacon.timer);
    this.#held.delete(name);
    void beacon.release();
  }

  /** Lets go of everything. */
  async close(): Promise<void> {
    for (const name of [...this.#held.keys()]) this.#drop(name);
    this.#given.clear();
    const presence = this.#presence;
    this.#presence = undefined;
    await (await presence)?.();
  }
}

/**
 * Waits turn by turn; tells whether it became true in time. A page that stands still in between, as in
 * a debugger or while the machine sleeps, has not waited.
 */
async function until(isTrue: () => boolean, longest: Milliseconds): Promise<boolean> {
  let waited = 0;
  for (let then = performance.now(); !isTrue(); ) {
    if (waited >= longest) return false;
    await nextTurn();
    const now = performance.now();
    waited += Math.min(now - then, 50);
    then = now;
  }
  return true;
}
