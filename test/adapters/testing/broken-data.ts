/** Adapters that are wrong in what they store, give and list. */
import type { BucketId, Commit, CommitResult, Snapshot } from '../../../src/storage.js';
import { commitWith, type Mutant, type Options, without } from './broken.js';

/** Each wrong in one way, the same for all openers. */
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
    'joins session and state by nothing',
    (right) => {
      const joined = ({ app, session, state }: BucketId): BucketId => ({
        app,
        session: '',
        state: session + state,
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
  [
    'remembers the first 16 writers',
    (right) => {
      const writers = new Map<string, Set<string>>();
      let extra = 0;
      return {
        commit(id, commit, options) {
          const key = JSON.stringify(id);
          const known = writers.get(key) ?? new Set();
          writers.set(key, known);
          if (known.size < 16) known.add(commit.writer);
          if (known.has(commit.writer)) return right.commit(id, commit, options);
          return right.commit(id, { ...commit, writer: 'extra', sequence: ++extra }, options);
        },
      };
    },
    'repeats: the newest 16 writers',
    /newest 16 are remembered/,
  ],
  [
    'remembers sequences by a joined name',
    (right) => {
      const seen = new Map<string, number>();
      return {
        async commit(id, commit, options) {
          const key = `${id.app}:${id.session}:${id.state}:${commit.writer}`;
          const { revision } = await right.read(id);
          if (revision === null && commit.sequence <= (seen.get(key) ?? 0)) {
            return { ok: true, revision: 'none', previous: null };
          }
          seen.set(key, Math.max(commit.sequence, seen.get(key) ?? 0));
          return right.commit(id, commit, options);
        },
      };
    },
    'names: what is known of a bucket',
    /count for that bucket only/,
  ],
  [
    'gives out what it keeps when it refuses',
    (right) => {
      const given = new Map<string, Snapshot>();
      return {
        async commit(id, commit, options) {
          const result = await right.commit(id, commit, options);
          if (!result.ok) given.set(JSON.stringify(id), result.current);
          return result;
        },
        async read(id, options) {
          const { revision, fields } = await right.read(id, options);
          const current = given.get(JSON.stringify(id));
          const changed = [...fields].map(
            ([name, value]) => [name, current?.fields.get(name) ?? value] as const,
          );
          return { revision, fields: new Map(changed) };
        },
      };
    },
    'conditions: a refused commit brings all',
    /changing current changes nothing/,
  ],
];
