/** Adapters that are wrong in whom they tell and whom they let in. */
import type { BucketId, Change as Told } from '../../../src/storage.js';
import type { Mutant } from './broken.js';

/** Each wrong in one way, the same for all openers. */
export const noticeMutants: Mutant[] = [
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
    'lets an error of a listener out of the commit',
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
          const { writer, sequence } = commit;
          for (const tell of listeners.get(JSON.stringify(id)) ?? []) {
            tell({ revision: 'any', writer, sequence, fields: 'all' });
          }
          return result;
        },
      };
    },
    'watching: a listener that throws',
    /does not become one of the commit/,
  ],
  [
    'joins the names of what is watched by a colon',
    (right) => {
      const joined = ({ app, session, state }: BucketId): BucketId => ({
        app: 'watched',
        session: '',
        state: `${app}:${session}:${state}`,
      });
      return {
        watch: (id, listener) => right.watch?.(joined(id), listener) ?? (() => {}),
        async commit(id, commit, options) {
          const result = await right.commit(id, commit, options);
          // The watchers are told of what is written beside the bucket.
          await right.commit(joined(id), { ...commit, set: new Map([['a', '1']]) });
          return result;
        },
      };
    },
    'watching: tells nothing of buckets that look alike',
    /of none that looks alike/,
  ],
  [
    'joins the parts of a lock by nothing',
    (right) => ({
      lock: ({ app, session, state }, options) =>
        right.lock?.({ app: app + session + (state ?? ''), session: '' }, options) ??
        Promise.reject(),
    }),
    'locking: places that look alike',
    /no two places become one lock/,
  ],
  [
    'goes on telling after it was closed',
    () => ({ close: async () => {} }),
    'watching: closing lets the watchers',
    /nothing after its opener was closed/,
  ],
  [
    'ignores an abort of a lock',
    (right) => ({ lock: (place) => right.lock?.(place, {}) ?? Promise.reject() }),
    'locking: an aborted signal',
    /aborted signal rejects/,
  ],
];
