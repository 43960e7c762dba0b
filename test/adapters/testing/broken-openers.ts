/** Adapters whose openers are each wrong on their own. */
import { Mutex } from '../../../src/mutex.js';
import type { BucketId, Snapshot } from '../../../src/storage.js';
import type { Mutant } from './broken.js';

/** What each opener does wrong by itself, seen only by another one. */
export const strangers: Mutant[] = [
  [
    'reads from a cache of its own',
    (right) => {
      const cache = new Map<string, Promise<Snapshot>>();
      return {
        read(id, options) {
          const key = JSON.stringify([id, options?.fields]);
          const known = cache.get(key) ?? right.read(id, options);
          cache.set(key, known);
          return known;
        },
        commit(id, commit, options) {
          cache.clear();
          return right.commit(id, commit, options);
        },
      };
    },
    'reading: every opener reads the same',
    /seen by other openers/,
  ],
  [
    'tells watchers of its own commits only',
    (right) => {
      const own = new Set<string>();
      return {
        commit(id, commit, options) {
          own.add(commit.writer);
          return right.commit(id, commit, options);
        },
        watch: (id, listener) =>
          right.watch?.(id, (change) => own.has(change.writer) && listener(change)) ?? (() => {}),
      };
    },
    'watching: tells of the commits of other openers',
    /a watcher is told of 1 commits/,
  ],
  [
    'knows its own locks only',
    () => {
      const locks = new Mutex();
      return { lock: (place, options) => locks.acquire(JSON.stringify(place), options.signal) };
    },
    'locking: one at a time, over all openers',
    /one holder at a time/,
  ],
  [
    'takes the data along when it closes',
    (right) => {
      const used = new Map<string, BucketId>();
      return {
        commit(id, commit, options) {
          used.set(JSON.stringify(id), id);
          return right.commit(id, commit, options);
        },
        async close() {
          const commit = { writer: 'close', sequence: Number.MAX_SAFE_INTEGER, clear: true };
          for (const id of used.values()) await right.commit(id, commit);
        },
      };
    },
    'closing: closing one opener',
    /another opener goes on/,
  ],
];
