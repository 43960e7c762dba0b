/** Who is told of commits. */
import type { BucketId, Change, StorageAdapter } from '../../../src/storage.js';
import type { Arena, Cases } from './arena.js';
import { eventually, fail, made, same } from './expect.js';
import { collisions } from './names.js';

/** Collects what a watcher is told. */
function watch(adapter: StorageAdapter, bucket: BucketId): { changes: Change[]; stop: () => void } {
  const changes: Change[] = [];
  if (!adapter.watch)
    return fail('the adapter has watch, or declares that it has not', 'watch', null);
  const stop = adapter.watch(bucket, (change) => changes.push(change));
  return { changes, stop };
}

/** Waits until so many changes were told, and a moment longer for one too many. */
async function told(arena: Arena, changes: readonly Change[], count: number): Promise<void> {
  const sleep = (duration: number): Promise<void> => arena.sleep(duration);
  await eventually(() => changes.length >= count, sleep, `a watcher is told of ${count} commits`);
  await arena.sleep(20);
  same(changes.length, count, 'a watcher is told of each commit once');
}

/** A watch may take a moment until it hears. */
const settle = (arena: Arena): Promise<void> => arena.sleep(50);

/** Watching. */
export const watching: Cases = {
  'tells of one’s own commits': async (arena) => {
    const adapter = await arena.open();
    const { changes } = watch(adapter, arena.bucket());
    await settle(arena);
    const commit = { writer: 'me', sequence: 7, set: { a: '1' }, delete: ['b'] };
    const revision = made(await arena.commit(adapter, arena.bucket(), commit), 'set');
    await told(arena, changes, 1);
    const [change] = changes;
    same([change?.revision, change?.writer, change?.sequence], [revision, 'me', 7], 'who and what');
    const fields = change?.fields === 'all' ? 'all' : [...(change?.fields ?? [])].sort();
    same(fields, ['a', 'b'], 'the names that were set or deleted');
  },
  'tells of the commits of other openers': async (arena) => {
    const [one, other] = [await arena.open(), await arena.open()];
    const { changes } = watch(one, arena.bucket());
    await settle(arena);
    await arena.commit(other, arena.bucket(), { writer: 'other', set: { a: '1' } });
    await told(arena, changes, 1);
    same(changes[0]?.writer, 'other', 'the writer is whoever committed');
  },
  'tells "all" after a clear, and null where nothing is left': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1', b: '2' } });
    const { changes } = watch(adapter, arena.bucket());
    await settle(arena);
    await arena.commit(adapter, arena.bucket(), { clear: true });
    await told(arena, changes, 1);
    same(
      [changes[0]?.revision, changes[0]?.fields],
      [null, 'all'],
      'a clear, and the bucket is absent',
    );
  },
  'tells in the order of the commits': async (arena) => {
    const adapter = await arena.open();
    const { changes } = watch(adapter, arena.bucket());
    await settle(arena);
    for (let sequence = 1; sequence <= 10; sequence++) {
      await arena.commit(adapter, arena.bucket(), { sequence, set: { a: String(sequence) } });
    }
    await told(arena, changes, 10);
    const sequences = changes.map(({ sequence }) => sequence);
    same(sequences, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 'in the order in which they were made');
  },
  'tells nothing of refused and repeated commits': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { sequence: 5, set: { a: '1' } });
    const { changes } = watch(adapter, arena.bucket());
    await settle(arena);
    await arena.commit(adapter, arena.bucket(), { sequence: 6, ifRevision: null, set: { a: '2' } });
    await arena.commit(adapter, arena.bucket(), { sequence: 5, set: { a: '3' } });
    await arena.commit(adapter, arena.bucket(), { sequence: 7, set: { a: '4' } });
    await told(arena, changes, 1);
    same(changes[0]?.sequence, 7, 'only commits that were made are told');
  },
  'tells nothing of other buckets': async (arena) => {
    const adapter = await arena.open();
    const { changes } = watch(adapter, arena.bucket());
    await settle(arena);
    await arena.commit(adapter, arena.bucket({ session: 'bob' }), { set: { a: '1' } });
    await arena.commit(adapter, arena.bucket({ state: 'other' }), { set: { a: '1' } });
    await arena.commit(adapter, arena.bucket(), { sequence: 99, set: { a: '1' } });
    await told(arena, changes, 1);
    same(changes[0]?.sequence, 99, 'only the bucket that is watched');
  },
  'tells nothing of buckets that look alike': async (arena) => {
    const adapter = await arena.open();
    const ids = new Map(
      collisions(arena.app)
        .flat()
        .map((parts) => arena.bucket(parts))
        .map((id) => [JSON.stringify([id.app, id.session, id.state]), id]),
    );
    const watched = [...ids.values()].map((id) => ({ id, ...watch(adapter, id) }));
    await settle(arena);
    for (const [index, { id }] of watched.entries()) {
      await arena.commit(adapter, id, { sequence: index + 1, set: { a: '1' } });
    }
    const isTold = (): boolean => watched.every(({ changes }) => changes.length > 0);
    const sleep = (duration: number): Promise<void> => arena.sleep(duration);
    await eventually(isTold, sleep, 'each watcher is told of its own bucket');
    await settle(arena);
    for (const [index, { id, changes }] of watched.entries()) {
      const sequences = changes.map(({ sequence }) => sequence);
      same(sequences, [index + 1], 'a watcher is told of its own bucket, of none that looks alike');
      await arena.commit(adapter, id, { clear: true });
    }
  },
  'a listener that throws harms nobody': async (arena) => {
    const adapter = await arena.open();
    adapter.watch?.(arena.bucket(), () => {
      throw new Error('thrown on purpose by the contract suite: a storage has to bear it');
    });
    const { changes } = watch(adapter, arena.bucket());
    await settle(arena);
    for (const value of ['1', '2']) {
      const promise = 'an error of a listener does not become one of the commit';
      const attempt = arena.commit(adapter, arena.bucket(), { set: { a: value } });
      made(await attempt.catch((error) => fail(promise, 'ok', String(error))), promise);
    }
    await told(arena, changes, 2);
  },
  'closing lets the watchers of an opener go': async (arena) => {
    const [one, other] = [await arena.open(), await arena.open()];
    const { changes } = watch(one, arena.bucket());
    await settle(arena);
    await one.close();
    await arena.commit(other, arena.bucket(), { set: { a: '1' } });
    await one.read(arena.bucket());
    await settle(arena);
    same(changes.length, 0, 'a watcher is told nothing after its opener was closed');
  },
  'stops when it is stopped, for that watcher alone': async (arena) => {
    const adapter = await arena.open();
    const [stopped, going] = [watch(adapter, arena.bucket()), watch(adapter, arena.bucket())];
    await settle(arena);
    stopped.stop();
    stopped.stop();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' } });
    await told(arena, going.changes, 1);
    same(stopped.changes.length, 0, 'a stopped watcher is told nothing');
  },
};
