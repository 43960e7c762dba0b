/** Buckets that expire. */
import type { StorageAdapter } from '../../../src/storage.js';
import type { Arena, Cases } from './arena.js';
import { hasFields, made, same } from './expect.js';

/** Short enough to wait for, long enough for a slow storage to be read in time. */
const ttl = 400;

const expired = 'a bucket is absent once its ttl is over';

async function listed(arena: Arena, adapter: StorageAdapter): Promise<number> {
  let count = 0;
  for await (const _ of adapter.list({ app: arena.app })) count++;
  return count;
}

/** Expiry. */
export const expiry: Cases = {
  'a bucket is absent once its ttl is over': async (arena) => {
    const adapter = await arena.open();
    const first = await arena.commit(adapter, arena.bucket(), { set: { a: '1' }, ttl });
    hasFields(await adapter.read(arena.bucket()), { a: '1' }, 'the ttl is not over yet');
    await arena.sleep(ttl + 50);
    hasFields(await adapter.read(arena.bucket()), {}, expired);
    same(await listed(arena, adapter), 0, 'an expired bucket is not listed');
    const stale = { ifRevision: made(first, 'set'), set: { b: '2' } };
    const result = await arena.commit(adapter, arena.bucket(), stale);
    same(result.ok, false, 'the revision of an expired bucket is gone');
    const fresh = await arena.commit(adapter, arena.bucket(), {
      ifRevision: null,
      set: { c: '3' },
    });
    same(fresh.ok && fresh.previous, null, 'an expired bucket is absent for a commit');
    hasFields(
      await adapter.read(arena.bucket()),
      { c: '3' },
      'nothing of the expired one comes back',
    );
  },
  'a commit without a condition does not bring an expired bucket back': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' }, ttl });
    await arena.sleep(ttl + 50);
    await arena.commit(adapter, arena.bucket(), { set: { b: '2' }, ttl: null });
    hasFields(await adapter.read(arena.bucket()), { b: '2' }, 'the expired fields are gone');
  },
  'a new ttl counts from its commit': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' }, ttl });
    await arena.sleep(ttl / 2);
    await arena.commit(adapter, arena.bucket(), { set: { b: '2' }, ttl: 10 * ttl });
    await arena.sleep(ttl);
    hasFields(await adapter.read(arena.bucket()), { a: '1', b: '2' }, 'the ttl was renewed');
  },
  'null keeps for ever': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' }, ttl });
    await arena.commit(adapter, arena.bucket(), { set: { b: '2' }, ttl: null });
    await arena.sleep(ttl + 50);
    hasFields(await adapter.read(arena.bucket()), { a: '1', b: '2' }, 'ttl: null takes a ttl away');
  },
  'a commit without a ttl leaves it as it is': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' }, ttl });
    await arena.commit(adapter, arena.bucket(), { set: { b: '2' } });
    await arena.sleep(ttl + 50);
    hasFields(await adapter.read(arena.bucket()), {}, 'no ttl in a commit means unchanged');
  },
  'a bucket that comes back has no old ttl': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' }, ttl });
    await arena.commit(adapter, arena.bucket(), { clear: true });
    await arena.commit(adapter, arena.bucket(), { set: { b: '2' } });
    await arena.sleep(ttl + 50);
    hasFields(await adapter.read(arena.bucket()), { b: '2' }, 'an absent bucket has no ttl');
  },
  'buckets expire by themselves': async (arena) => {
    const adapter = await arena.open();
    const other = arena.bucket({ session: 'bob' });
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' }, ttl });
    await arena.commit(adapter, other, { set: { a: '1' }, ttl: null });
    await arena.sleep(ttl + 50);
    hasFields(await adapter.read(arena.bucket()), {}, expired);
    hasFields(await adapter.read(other), { a: '1' }, 'another bucket is not touched');
  },
};
