/** Commits that are made only on a certain revision. */
import type { Cases } from './arena.js';
import { hasFields, made, refused, same } from './expect.js';

/** Conditional commits. */
export const conditions: Cases = {
  'null means that the bucket must be absent': async (arena) => {
    const adapter = await arena.open();
    const changes = { ifRevision: null, set: { a: '1' } };
    made(await arena.commit(adapter, arena.bucket(), changes), 'the bucket is absent');
    const again = await arena.commit(adapter, arena.bucket(), { ...changes, set: { a: '2' } });
    refused(again, 'the bucket is there, so ifRevision: null does not hold');
    hasFields(await adapter.read(arena.bucket()), { a: '1' }, 'a refused commit changes nothing');
  },
  'a revision must be the newest': async (arena) => {
    const adapter = await arena.open();
    const first = made(await arena.commit(adapter, arena.bucket(), { set: { a: '1' } }), 'set');
    const next = { ifRevision: first, set: { a: '2' } };
    made(await arena.commit(adapter, arena.bucket(), next), 'ifRevision is the newest revision');
    const stale = { ifRevision: first, clear: true, set: { b: '3' } };
    refused(
      await arena.commit(adapter, arena.bucket(), stale),
      'ifRevision is outdated: lost update',
    );
    hasFields(await adapter.read(arena.bucket()), { a: '2' }, 'a refused commit changes nothing');
  },
  'a refused commit brings all that is there': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1', b: '2' } });
    const result = await arena.commit(adapter, arena.bucket(), {
      ifRevision: null,
      set: { a: '3' },
    });
    const current = refused(result, 'the bucket is there');
    hasFields(current, { a: '1', b: '2' }, 'current has every field');
    const { revision } = await adapter.read(arena.bucket());
    same(current.revision, revision, 'current has the newest revision');
    made(
      await arena.commit(adapter, arena.bucket(), { ifRevision: current.revision, delete: ['a'] }),
      'the revision of current can be used without a read',
    );
    hasFields(current, { a: '1', b: '2' }, 'current is a copy that later commits do not change');
    if (current.fields instanceof Map) current.fields.set('b', 'changed');
    hasFields(await adapter.read(arena.bucket()), { b: '2' }, 'changing current changes nothing');
  },
  'a refused commit on an absent bucket says so': async (arena) => {
    const adapter = await arena.open();
    const first = made(await arena.commit(adapter, arena.bucket(), { set: { a: '1' } }), 'set');
    await arena.commit(adapter, arena.bucket(), { clear: true });
    const result = await arena.commit(adapter, arena.bucket(), {
      ifRevision: first,
      set: { a: '2' },
    });
    hasFields(refused(result, 'the revision is gone'), {}, 'current is an absent bucket');
    const fresh = { ifRevision: null, set: { a: '3' } };
    made(await arena.commit(adapter, arena.bucket(), fresh), 'an emptied bucket is absent');
  },
  'a revision of before a deletion never fits again': async (arena) => {
    const adapter = await arena.open();
    const first = made(await arena.commit(adapter, arena.bucket(), { set: { a: '1' } }), 'set');
    await arena.commit(adapter, arena.bucket(), { clear: true });
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' } });
    const result = await arena.commit(adapter, arena.bucket(), {
      ifRevision: first,
      set: { a: '2' },
    });
    refused(result, 'no revision is used again after a deletion');
  },
  'a commit without a condition is always made': async (arena) => {
    const [one, other] = [await arena.open(), await arena.open()];
    await arena.commit(one, arena.bucket(), { set: { a: '1' } });
    made(await arena.commit(other, arena.bucket(), { set: { a: '2' } }), 'no ifRevision');
    hasFields(await one.read(arena.bucket()), { a: '2' }, 'the later commit counts');
  },
};
