import { expect, test } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { testStorage } from '../../../adapters/testing/index.js';
import type {
  BucketId,
  Change,
  Commit,
  CommitResult,
  StorageAdapter,
} from '../../../src/storage.js';
import { ManualClock } from '../../support/clock.js';

type Options = Parameters<StorageAdapter['commit']>[2];

/** Runs the suite on adapters that live on a clock of their own; gives what failed, by name. */
async function failures(
  make: (clock: ManualClock) => StorageAdapter,
): Promise<Map<string, string>> {
  const cases: [name: string, run: () => Promise<void>][] = [];
  testStorage(
    (name, run) => cases.push([name, run]),
    'it',
    () => {
      const clock = new ManualClock();
      const adapter = make(clock);
      return { open: () => adapter, sleep: (duration) => clock.advance(duration) };
    },
  );
  const failed = new Map<string, string>();
  for (const [name, run] of cases) {
    try {
      await run();
    } catch (error) {
      failed.set(name.slice('it: '.length), (error as Error).message);
    }
  }
  return failed;
}

/** The memory adapter with some of its members done wrong. */
function broken(
  clock: ManualClock,
  change: (right: StorageAdapter) => Partial<StorageAdapter>,
): StorageAdapter {
  const right = memory({ clock });
  const bound = {
    name: right.name,
    scope: right.scope,
    read: right.read.bind(right),
    commit: right.commit.bind(right),
    list: right.list.bind(right),
    close: right.close.bind(right),
    ...(right.watch ? { watch: right.watch.bind(right) } : {}),
    ...(right.lock ? { lock: right.lock.bind(right) } : {}),
  };
  return { ...bound, ...change(bound) };
}

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
const mutants: [
  what: string,
  change: (right: StorageAdapter) => Partial<StorageAdapter>,
  caughtBy: string,
  says: RegExp,
][] = [
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
    /no two pairs become one/,
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
      const listeners = new Map<string, Set<(change: Change) => void>>();
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

test('the suite passes on an adapter that is right', async () => {
  const failed = await failures((clock) => memory({ clock }));
  expect([...failed]).toEqual([]);
});

test.for(mutants)('the suite catches an adapter that %s', async ([, change, caughtBy, says]) => {
  const failed = await failures((clock) => broken(clock, change));
  const caught = [...failed].find(([name]) => name.startsWith(caughtBy));
  expect([...failed.keys()], caughtBy).toContain(caught?.[0] ?? caughtBy);
  expect(caught?.[1]).toMatch(says);
});

test('a gap that is declared is tested as one', async () => {
  const names: string[] = [];
  testStorage(
    (name) => names.push(name),
    'it',
    () => memory(),
    { watch: false, lock: false },
  );
  expect(names.filter((name) => /^it: (watching|locking)/.test(name))).toEqual([
    'it: watching: has no watch, as declared',
    'it: locking: has no lock, as declared',
  ]);
});
