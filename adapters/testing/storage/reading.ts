/** What a read gives, and that it is a copy. */
import type { Cases } from './arena.js';
import { hasFields, same } from './expect.js';

/** Reads. */
export const reading: Cases = {
  'an absent bucket has no revision and no fields': async (arena) => {
    const adapter = await arena.open();
    hasFields(await adapter.read(arena.bucket()), {}, 'nothing was ever written');
    const some = await adapter.read(arena.bucket(), { fields: ['a'] });
    hasFields(some, {}, 'nothing was ever written, one field asked for');
  },
  'a read without names gives all fields': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1', b: '2' } });
    hasFields(await adapter.read(arena.bucket()), { a: '1', b: '2' }, 'all that was set');
  },
  'a read with names gives those that are there': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1', b: '2' } });
    const { fields } = await adapter.read(arena.bucket(), { fields: ['b', 'c'] });
    same([...fields], [['b', '2']], 'only the fields that were asked for and are there');
  },
  'a read of missing fields still gives the revision': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' } });
    const all = await adapter.read(arena.bucket());
    const none = await adapter.read(arena.bucket(), { fields: ['b'] });
    same([none.revision, none.fields.size], [all.revision, 0], 'the revision is the bucket’s');
  },
  'a snapshot does not change with later commits': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' } });
    const before = await adapter.read(arena.bucket());
    await arena.commit(adapter, arena.bucket(), { set: { a: '2', b: '3' } });
    await adapter.read(arena.bucket());
    hasFields(before, { a: '1' }, 'a snapshot stays as it was read');
  },
  'changing a snapshot changes nothing': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' } });
    const { fields } = await adapter.read(arena.bucket());
    if (fields instanceof Map) fields.set('a', 'changed');
    hasFields(await adapter.read(arena.bucket()), { a: '1' }, 'a snapshot is a copy');
  },
  'every opener reads the same': async (arena) => {
    const [one, other] = [await arena.open(), await arena.open()];
    for (const value of ['1', '2']) {
      // Before as well, for an opener that keeps what it has read.
      await other.read(arena.bucket());
      await arena.commit(one, arena.bucket(), { set: { a: value } });
      const [mine, theirs] = [await one.read(arena.bucket()), await other.read(arena.bucket())];
      hasFields(theirs, { a: value }, 'a commit that has resolved is seen by other openers');
      same(theirs.revision, mine.revision, 'both openers see one revision');
    }
  },
  'an id is known by its parts, not by its object': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' } });
    const id = { ...arena.bucket() };
    hasFields(await adapter.read(id), { a: '1' }, 'another object with the same parts');
  },
};
