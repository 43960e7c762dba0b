/** What a commit does, all of it or nothing. */
import type { Cases } from './arena.js';
import { hasFields, made, rejects, same } from './expect.js';

/** Commits. */
export const committing: Cases = {
  'clear comes before delete, and delete before set': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1', b: '2' } });
    await arena.commit(adapter, arena.bucket(), { clear: true, delete: ['c'], set: { c: '3' } });
    hasFields(await adapter.read(arena.bucket()), { c: '3' }, 'clear, then delete, then set');
  },
  'set leaves other fields alone, and delete may name what is not there': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1', b: '2' } });
    await arena.commit(adapter, arena.bucket(), { delete: ['a', 'zzz'], set: { c: '3' } });
    hasFields(await adapter.read(arena.bucket()), { b: '2', c: '3' }, 'only what is named changes');
  },
  'a later change of the given map is not seen': async (arena) => {
    const adapter = await arena.open();
    const set = new Map([['a', '1']]);
    const commit = adapter.commit(arena.bucket(), { writer: 'w', sequence: 1, set });
    set.set('a', 'changed').set('b', 'added');
    await commit;
    hasFields(await adapter.read(arena.bucket()), { a: '1' }, 'values are taken at the call');
    set.clear();
    hasFields(await adapter.read(arena.bucket()), { a: '1' }, 'the given map is not kept');
  },
  'a commit says what it was applied on': async (arena) => {
    const adapter = await arena.open();
    const first = await arena.commit(adapter, arena.bucket(), { set: { a: '1' } });
    const second = await arena.commit(adapter, arena.bucket(), { set: { a: '2' } });
    same(first.ok && first.previous, null, 'the first commit was applied on an absent bucket');
    same(second.ok && second.previous, made(first, 'first'), 'previous is the revision before');
  },
  'the revision of a commit is what a read gives after it': async (arena) => {
    const adapter = await arena.open();
    const revision = made(await arena.commit(adapter, arena.bucket(), { set: { a: '1' } }), 'set');
    same((await adapter.read(arena.bucket())).revision, revision, 'read and commit agree');
  },
  'every commit makes a revision that was never there, also after a deletion': async (arena) => {
    const adapter = await arena.open();
    const revisions: string[] = [];
    for (let round = 0; round < 4; round++) {
      for (const changes of [{ set: { a: '1' } }, { set: { a: '1' } }, { delete: ['a'] }]) {
        const result = await arena.commit(adapter, arena.bucket(), changes);
        revisions.push(made(result, 'an unconditional commit is made'));
      }
    }
    same(new Set(revisions).size, revisions.length, 'no revision is used twice');
  },
  'a bucket without fields is absent': async (arena) => {
    const adapter = await arena.open();
    for (const end of [{ clear: true }, { delete: ['a', 'b'] }]) {
      await arena.commit(adapter, arena.bucket(), { set: { a: '1', b: '2' } });
      await arena.commit(adapter, arena.bucket(), end);
      hasFields(await adapter.read(arena.bucket()), {}, 'the last field is gone');
      const listed = [];
      for await (const id of adapter.list({ app: arena.app })) listed.push(id);
      same(listed, [], 'an absent bucket is not listed');
    }
  },
  'a commit with a wrong ttl changes nothing': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' } });
    for (const ttl of [Number.NaN, -1]) {
      const attempt = () =>
        arena.commit(adapter, arena.bucket(), { clear: true, set: { b: '2' }, ttl });
      await rejects(attempt, `a ttl of ${ttl} is refused`);
      hasFields(await adapter.read(arena.bucket()), { a: '1' }, 'a refused commit changes nothing');
    }
  },
  'buckets do not touch each other': async (arena) => {
    const adapter = await arena.open();
    const ids = [
      arena.bucket(),
      arena.bucket({ session: 'bob' }),
      arena.bucket({ session: '' }),
      arena.bucket({ state: 'other' }),
      arena.bucket({ app: `${arena.app}-2` }),
    ];
    for (const [index, id] of ids.entries()) {
      await arena.commit(adapter, id, { set: { a: String(index) } });
    }
    await arena.commit(adapter, arena.bucket(), { clear: true });
    for (const [index, id] of ids.entries()) {
      const expected = index === 0 ? {} : { a: String(index) };
      hasFields(await adapter.read(id), expected, 'app, session and state tell buckets apart');
      await arena.commit(adapter, id, { clear: true });
    }
  },
};
