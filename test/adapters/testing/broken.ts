/** Storage adapters that are wrong in one way each, to see what the contract suite says of them. */
import { memory } from '../../../adapters/memory.js';
import { Mutex } from '../../../src/mutex.js';
import type {
  BucketId,
  Commit,
  CommitResult,
  Snapshot,
  StorageAdapter,
  Change as Told,
} from '../../../src/storage.js';
import type { ManualClock } from '../../support/clock.js';

type Options = Parameters<StorageAdapter['commit']>[2];

type Change = (right: StorageAdapter) => Partial<StorageAdapter>;

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
const commitWith =
  (change: (commit: Commit, id: BucketId) => Commit) =>
  (right: StorageAdapter): Partial<StorageAdapter> => ({
    commit: (id, commit, options) => right.commit(id, change(commit, id), options),
  });

const without = (commit: Commit, ...names: (keyof Commit)[]): Commit =>
  Object.fromEntries(
    Object.entries(commit).filter(([name]) => !names.includes(name as keyof Commit)),
  ) as unknown as Commit;

/** Each with the start of a test that must catch it and what its message must say. */
type Mutant = [what: string, change: Change, caughtBy: string, says: RegExp];

export const mutants: Mutant[] = [
  [
    'loses updates',
    commitWith((commit) => without(commit, 'ifRevision')),
    'atomicity: increments of several openers',
    /no update is lost/,
  ],
  [
    'tears a commit of several fields',
    (right) => ({
      async commit(id, commit, options) {
        const [first, ...rest] = commit.set ?? [];
        if (!first || rest.length === 0) return right.commit(id, commit, options);
        const half = { ...commit, sequence: commit.sequence * 2, set: new Map([first]) };
        const result = await right.commit(id, half, options);
        if (!result.ok) return result;
        for (let turn = 0; turn < 10; turn++) await Promise.resolve();
        const other = { ...without(commit, 'ifRevision', 'clear'), set: new Map(rest) };
        return right.commit(id, { ...other, sequence: commit.sequence * 2 + 1 }, options);
      },
    }),
    'atomicity: a commit of two fields',
    /seen as a whole|every transfer counts once/,
  ],
  [
    'does not remember sequences',
    (right) => {
      let sequence = 0;
      return {
        commit: (id, commit, options) =>
          right.commit(id, { ...commit, writer: 'any', sequence: ++sequence }, options),
      };
    },
    'repeats: the same sequence',
    /changes nothing and answers ok/,
  ],
  [
    'forgets sequences once a bucket is absent',
    (right) => {
      const lives = new Map<string, number>();
      return {
        async commit(id: BucketId, commit: Commit, options: Options): Promise<CommitResult> {
          const key = JSON.stringify(id);
          const life = lives.get(key) ?? 0;
          const result = await right.commit(
            id,
            { ...commit, writer: `${commit.writer}-${life}` },
            options,
          );
          if ((await right.read(id)).revision === null) lives.set(key, life + 1);
          return result;
        },
      };
    },
    'repeats: a bucket that became absent',
    /also after the bucket is gone/,
  ],
  [
    'ignores the ttl',
    commitWith((commit) => without(commit, 'ttl')),
    'expiry: a bucket is absent once',
    /absent once its ttl is over/,
  ],
  [
    'joins session and state by a colon',
    (right) => {
      const joined = ({ app, session, state }: BucketId): BucketId => ({
        app,
        session: '',
        state: `${session}:${state}`,
      });
      return {
        read: (id, options) => right.read(joined(id), options),
        commit: (id, commit, options) => right.commit(joined(id), commit, options),
      };
    },
    'names: parts that look alike',
    /no two buckets become one/,
  ],
  [
    'gives out the map that it keeps',
    (right) => {
      const kept = new Map<string, Map<string, string>>();
      return {
        async read(id, options) {
          const { revision, fields } = await right.read(id, options);
          const key = JSON.stringify([id, options?.fields]);
          const map = kept.get(key) ?? new Map<string, string>();
          kept.set(key, map);
          map.clear();
          for (const [name, value] of fields) map.set(name, value);
          return { revision, fields: map };
        },
      };
    },
    'reading: a snapshot does not change',
    /a snapshot stays as it was read/,
  ],
  [
    'keeps the map that it is given',
    (right) => ({
      async commit(id, commit, options) {
        await Promise.resolve();
        return right.commit(id, commit, options);
      },
    }),
    'committing: a later change of the given map',
    /taken at the call/,
  ],
  [
    'tells watchers of refused commits',
    (right) => {
      const listeners = new Map<string, Set<(change: Told) => void>>();
      return {
        watch(id, listener) {
          const key = JSON.stringify(id);
          listeners.set(key, (listeners.get(key) ?? new Set()).add(listener));
          return () => listeners.get(key)?.delete(listener);
        },
        async commit(id, commit, options) {
          const result = await right.commit(id, commit, options);
          const { revision } = await right.read(id);
          const { writer, sequence, set } = commit;
          const fields = commit.clear ? 'all' : [...(set?.keys() ?? []), ...(commit.delete ?? [])];
          for (const tell of listeners.get(JSON.stringify(id)) ?? []) {
            tell({ revision, writer, sequence, fields });
          }
          return result;
        },
      };
    },
    'watching: tells nothing of refused',
    /once/,
  ],
  [
    'lets two into a lock',
    () => ({ lock: async () => async () => {} }),
    'locking: one at a time',
    /one holder at a time/,
  ],
  [
    'joins the parts of a lock by a colon',
    (right) => ({
      lock: ({ app, session, state }, options) =>
        right.lock?.({ app, session: `${session}:${state}` }, options) ?? Promise.reject(),
    }),
    'locking: places that look alike',
    /no two places become one lock/,
  ],
  [
    'has one lock for a session and its states',
    (right) => ({
      lock: ({ app, session }, options) =>
        right.lock?.({ app, session }, options) ?? Promise.reject(),
    }),
    'locking: sessions, states',
    /none of them waits for another/,
  ],
  [
    'refuses every revision',
    (right) => ({
      commit: (id, commit, options) =>
        right.commit(id, commit.ifRevision ? { ...commit, ifRevision: 'none' } : commit, options),
    }),
    'atomicity: increments of several openers',
    /one always succeeds/,
  ],
  [
    'ignores an abort',
    (right) => ({
      read: (id, options) => right.read(id, options?.fields ? { fields: options.fields } : {}),
      commit: (id, commit) => right.commit(id, commit),
    }),
    'aborting: an aborted commit',
    /an aborted commit/,
  ],
  [
    'uses revisions again after a deletion',
    (right) => {
      const counts = new Map<string, number>();
      const at = (id: BucketId): string => String(counts.get(JSON.stringify(id)) ?? 0);
      return {
        async read(id, options) {
          const { revision, fields } = await right.read(id, options);
          return { revision: revision && at(id), fields };
        },
        async commit(id, commit, options) {
          const now = await right.read(id);
          const wanted = commit.ifRevision;
          if (wanted !== undefined && wanted !== (now.revision && at(id))) {
            return { ok: false, current: { ...now, revision: now.revision && at(id) } };
          }
          const result = await right.commit(id, without(commit, 'ifRevision'), options);
          const isGone = (await right.read(id)).revision === null;
          counts.set(JSON.stringify(id), isGone ? 0 : Number(at(id)) + 1);
          return result.ok ? { ...result, revision: at(id) } : result;
        },
      };
    },
    'conditions: a revision of before a deletion',
    /no revision is used again/,
  ],
  [
    'lists by the beginning of a text',
    (right) => {
      const apps = new Set<string>();
      return {
        commit(id, commit, options) {
          apps.add(id.app);
          return right.commit(id, commit, options);
        },
        async *list({ app, session }) {
          for (const known of apps) {
            if (!known.startsWith(app)) continue;
            for await (const id of right.list({ app: known })) {
              if (session === undefined || id.session.startsWith(session)) yield id;
            }
          }
        },
      };
    },
    'listing: lists the buckets of a session exactly',
    /exactly this session/,
  ],
];

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
