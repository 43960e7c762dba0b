/** Several openers at once: no update is lost and nobody sees half a commit. */
import type { StorageAdapter } from '../../../src/storage.js';
import type { Arena, Cases } from './arena.js';
import { hasFields, same } from './expect.js';

/** Adds one, as often as it takes until nobody was in between. */
async function increment(arena: Arena, adapter: StorageAdapter, writer: string, sequence: number) {
  const bucket = arena.bucket();
  let current = await adapter.read(bucket);
  for (let tries = 1; ; tries++) {
    const count = String(Number(current.fields.get('count') ?? 0) + 1);
    const result = await adapter.commit(bucket, {
      writer,
      sequence: sequence * 1_000 + tries,
      ifRevision: current.revision,
      set: new Map([['count', count]]),
    });
    if (result.ok) return;
    current = result.current;
  }
}

/** Moves one from a field to another, in one commit. */
async function transfer(arena: Arena, adapter: StorageAdapter, writer: string, sequence: number) {
  const bucket = arena.bucket();
  let current = await adapter.read(bucket);
  for (let tries = 1; ; tries++) {
    const [a, b] = [Number(current.fields.get('a')), Number(current.fields.get('b'))];
    const result = await adapter.commit(bucket, {
      writer,
      sequence: sequence * 1_000 + tries,
      ifRevision: current.revision,
      set: new Map([
        ['a', String(a - 1)],
        ['b', String(b + 1)],
      ]),
    });
    if (result.ok) return;
    current = result.current;
  }
}

/** Atomicity with several openers. */
export const atomicity: Cases = {
  'increments of several openers are never lost': async (arena) => {
    const openers = [await arena.open(), await arena.open(), await arena.open()];
    await Promise.all(
      openers.map(async (adapter, index) => {
        for (let count = 1; count <= 20; count++)
          await increment(arena, adapter, `w${index}`, count);
      }),
    );
    const { fields } = await arena.open().then((adapter) => adapter.read(arena.bucket()));
    same(fields.get('count'), '60', 'no update is lost: 3 openers add 20 times each');
  },
  'increments that one opener makes at once are never lost': async (arena) => {
    const adapter = await arena.open();
    const writers = Array.from({ length: 20 }, (_, index) => `w${index}`);
    // Sixteen writers are remembered; these never repeat, so more of them do no harm.
    await Promise.all(writers.map((writer) => increment(arena, adapter, writer, 1)));
    const { fields } = await adapter.read(arena.bucket());
    same(fields.get('count'), '20', 'no update is lost: 20 additions at once');
  },
  'a commit of two fields is never seen half done': async (arena) => {
    const [writer, other, reader] = [await arena.open(), await arena.open(), await arena.open()];
    await arena.commit(writer, arena.bucket(), { set: { a: '100', b: '0' } });
    let isDone = false;
    const watching = (async () => {
      for (let reads = 1; !isDone; reads++) {
        const { fields } = await reader.read(arena.bucket());
        const sum = Number(fields.get('a')) + Number(fields.get('b'));
        same(sum, 100, 'a commit is seen as a whole: the sum of two fields stays');
        // Reads of a fast storage must not keep the commits of another kind from going on.
        if (reads % 50 === 0) await arena.sleep(0);
      }
    })();
    const move = async (adapter: StorageAdapter, name: string): Promise<void> => {
      for (let count = 1; count <= 20; count++) await transfer(arena, adapter, name, count);
    };
    try {
      await Promise.all([move(writer, 'one'), move(other, 'two')]);
    } finally {
      isDone = true;
    }
    await watching;
    hasFields(
      await reader.read(arena.bucket()),
      { a: '60', b: '40' },
      'every transfer counts once',
    );
  },
  'of two that want an absent bucket one gets it': async (arena) => {
    const openers = [await arena.open(), await arena.open(), await arena.open()];
    const results = await Promise.all(
      openers.map((adapter, index) => {
        const changes = { writer: `w${index}`, ifRevision: null, set: { owner: String(index) } };
        return arena.commit(adapter, arena.bucket(), changes);
      }),
    );
    const winners = results.flatMap(({ ok }, index) => (ok ? [String(index)] : []));
    same(winners.length, 1, 'exactly one commit with ifRevision: null is made');
    const { fields } = await (openers[0] as StorageAdapter).read(arena.bucket());
    same(fields.get('owner'), winners[0], 'the one that was told ok is the one that is stored');
  },
};
