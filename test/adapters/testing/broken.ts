/** Makes storage adapters that are wrong in one way each, to see what the contract suite says of them. */
import { memory } from '../../../adapters/memory.js';
import type { BucketId, Commit, StorageAdapter } from '../../../src/storage.js';
import type { ManualClock } from '../../support/clock.js';

/** What a commit takes beside the commit. */
export type Options = Parameters<StorageAdapter['commit']>[2];

/** What an adapter does wrong, made from one that is right. */
export type Change = (right: StorageAdapter) => Partial<StorageAdapter>;

/** Makes the openers of one test. */
export type Openers = (clock: ManualClock) => () => StorageAdapter;

/** The memory adapter with all its members in the object itself. */
export function bare(clock: ManualClock): StorageAdapter {
  const right = memory({ clock });
  return {
    name: right.name,
    scope: right.scope,
    read: right.read.bind(right),
    commit: right.commit.bind(right),
    list: right.list.bind(right),
    close: right.close.bind(right),
    ...(right.watch ? { watch: right.watch.bind(right) } : {}),
    ...(right.lock ? { lock: right.lock.bind(right) } : {}),
  };
}

/** A storage with some of its members done wrong, the same for all openers. */
export const broken =
  (change: Change): Openers =>
  (clock) => {
    const right = bare(clock);
    const wrong = { ...right, ...change(right) };
    return () => wrong;
  };

/** A storage that is right, with openers that each do something wrong on their own. */
export const apart =
  (change: Change): Openers =>
  (clock) => {
    const right = bare(clock);
    return () => ({ ...right, ...change(right) });
  };

/** Changes what is passed on to a commit. */
export const commitWith =
  (change: (commit: Commit, id: BucketId) => Commit) =>
  (right: StorageAdapter): Partial<StorageAdapter> => ({
    commit: (id, commit, options) => right.commit(id, change(commit, id), options),
  });

/** Leaves parts of a commit out. */
export const without = (commit: Commit, ...names: (keyof Commit)[]): Commit =>
  Object.fromEntries(
    Object.entries(commit).filter(([name]) => !names.includes(name as keyof Commit)),
  ) as unknown as Commit;

/** A wrong adapter, with the start of the test that must catch it and what its message must say. */
export type Mutant = [what: string, change: Change, caughtBy: string, says: RegExp];
