/** Commits that arrive twice, because the first answer was lost. */
import type { StorageAdapter } from '../../../src/storage.js';
import type { Arena, Cases, Changes } from './arena.js';
import { hasFields, made, same } from './expect.js';

const repeat = 'a sequence that the bucket has seen of that writer changes nothing and answers ok';

const send = (arena: Arena, adapter: StorageAdapter, sequence: number, changes: Changes) =>
  arena.commit(adapter, arena.bucket(), { sequence, ...changes });

/** Repeated commits. */
export const repeats: Cases = {
  'the same sequence changes nothing and answers ok': async (arena) => {
    const adapter = await arena.open();
    await send(arena, adapter, 1, { set: { a: '1' } });
    await send(arena, adapter, 2, { set: { a: '2' } });
    made(await send(arena, adapter, 2, { set: { a: 'again' } }), repeat);
    hasFields(await adapter.read(arena.bucket()), { a: '2' }, repeat);
  },
  'a repeat answers with the revision of now, twice': async (arena) => {
    const adapter = await arena.open();
    await send(arena, adapter, 1, { writer: 'one', set: { a: '1' } });
    await send(arena, adapter, 1, { writer: 'other', set: { a: '2' } });
    const result = await send(arena, adapter, 1, { writer: 'one', set: { a: '1' } });
    const { revision } = await adapter.read(arena.bucket());
    const promise = 'a repeat tells what is there by now, as it was not applied on anything';
    same([made(result, repeat), result.ok && result.previous], [revision, revision], promise);
  },
  'a lower sequence changes nothing and answers ok': async (arena) => {
    const adapter = await arena.open();
    await send(arena, adapter, 5, { set: { a: '1' } });
    made(await send(arena, adapter, 4, { clear: true }), repeat);
    hasFields(await adapter.read(arena.bucket()), { a: '1' }, repeat);
  },
  'a repeat answers ok whatever its condition': async (arena) => {
    const adapter = await arena.open();
    const first = { ifRevision: null, set: { a: '1' } };
    await send(arena, adapter, 1, first);
    made(await send(arena, adapter, 1, first), 'the commit was made, though its condition is over');
  },
  'each writer has a sequence of its own': async (arena) => {
    const adapter = await arena.open();
    await send(arena, adapter, 9, { writer: 'one', set: { a: '1' } });
    await send(arena, adapter, 1, { writer: 'other', set: { a: '2' } });
    hasFields(await adapter.read(arena.bucket()), { a: '2' }, 'another writer begins at 1');
    await send(arena, adapter, 9, { writer: 'one', set: { a: 'again' } });
    hasFields(
      await adapter.read(arena.bucket()),
      { a: '2' },
      `${repeat}, also after other writers`,
    );
  },
  'each bucket has sequences of its own': async (arena) => {
    const adapter = await arena.open();
    const commit = { writer: 'w', sequence: 5, set: { a: '1' } };
    await arena.commit(adapter, arena.bucket(), commit);
    const other = arena.bucket({ state: 'other' });
    await arena.commit(adapter, other, { ...commit, sequence: 4 });
    hasFields(await adapter.read(other), { a: '1' }, 'a sequence counts for its bucket only');
  },
  'a refused commit is no repeat when it comes again': async (arena) => {
    const adapter = await arena.open();
    await send(arena, adapter, 1, { set: { a: '1' } });
    await send(arena, adapter, 2, { ifRevision: 'never', set: { a: '2' } });
    made(await send(arena, adapter, 2, { set: { a: '3' } }), 'a refused commit was not made');
    hasFields(
      await adapter.read(arena.bucket()),
      { a: '3' },
      'a refused commit uses no sequence up',
    );
  },
  'every opener knows the sequences': async (arena) => {
    const [one, other] = [await arena.open(), await arena.open()];
    await send(arena, one, 3, { set: { a: '1' } });
    await send(arena, other, 3, { set: { a: 'again' } });
    hasFields(await one.read(arena.bucket()), { a: '1' }, `${repeat}, whoever sends it`);
  },
  'a clear does not forget the sequences': async (arena) => {
    const adapter = await arena.open();
    await send(arena, adapter, 1, { set: { a: '1' } });
    await send(arena, adapter, 2, { clear: true, set: { b: '2' } });
    await send(arena, adapter, 1, { set: { a: 'again' } });
    hasFields(await adapter.read(arena.bucket()), { b: '2' }, repeat);
  },
  'a bucket that became absent still knows its sequences': async (arena) => {
    const adapter = await arena.open();
    await send(arena, adapter, 1, { set: { a: '1' } });
    await send(arena, adapter, 2, { clear: true });
    made(await send(arena, adapter, 1, { set: { a: 'again' } }), repeat);
    hasFields(await adapter.read(arena.bucket()), {}, `${repeat}, also after the bucket is gone`);
    await send(arena, adapter, 3, { set: { b: '3' } });
    await send(arena, adapter, 2, { clear: true });
    hasFields(await adapter.read(arena.bucket()), { b: '3' }, `${repeat}, also once it is back`);
  },
  'the newest 16 writers are remembered': async (arena) => {
    const adapter = await arena.open();
    for (let writer = 0; writer < 20; writer++) {
      await send(arena, adapter, 1, { writer: `w${writer}`, set: { [`f${writer}`]: '1' } });
    }
    for (let writer = 4; writer < 20; writer++) {
      await send(arena, adapter, 1, { writer: `w${writer}`, clear: true });
    }
    const { fields } = await adapter.read(arena.bucket());
    same(
      fields.size,
      20,
      'of 20 writers the newest 16 are remembered, so their repeats clear nothing',
    );
  },
};
