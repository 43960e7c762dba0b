/** Several openers at once: no update is lost and nobody sees half a commit. */
import type { StorageAdapter } from '../../../src/storage.js';
import type { Arena, Cases } from './arena.js';
import { fail, hasFields, same, together } from './expect.js';

type Fields = Readonly<Record<string, string>>;

/** One who updates: an opener under a name of its own. */
class Updater {
  readonly #arena: Arena;
  readonly #adapter: StorageAdapter;
  readonly #writer: string;
  #sequence = 0;

  constructor(arena: Arena, adapter: StorageAdapter, writer: string) {
    this.#arena = arena;
    this.#adapter = adapter;
    this.#writer = writer;
  }

  /** Updates as often as it takes until nobody was in between. */
  async update(change: (fields: ReadonlyMap<string, string>) => Fields): Promise<void> {
    const bucket = this.#arena.bucket();
    let current = await this.#adapter.read(bucket);
    for (let tries = 1; tries <= 1_000; tries++) {
      const result = await this.#arena.commit(this.#adapter, bucket, {
        writer: this.#writer,
        sequence: ++this.#sequence,
        ifRevision: current.revision,
        set: change(current.fields),
      });
      if (result.ok) return;
      current = result.current;
    }
    const promise = 'of those who commit on the revision that they were given, one always succeeds';
    fail(promise, 'success within 1,000 tries', 'a refusal each time');
  }

  async increment(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      await this.update((fields) => ({ count: String(Number(fields.get('count') ?? 0) + 1) }));
    }
  }

  /** Moves one from a field to another, in one commit. */
  async transfer(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      await this.update((fields) => ({
        a: String(Number(fields.get('a')) - 1),
        b: String(Number(fields.get('b')) + 1),
      }));
    }
  }
}

/** Atomicity with several openers. */
export const atomicity: Cases = {
  'increments of several openers are never lost': async (arena) => {
    const openers = [await arena.open(), await arena.open(), await arena.open()];
    const updaters = openers.map((adapter, index) => new Updater(arena, adapter, `w${index}`));
    await together(updaters.map((updater) => updater.increment(20)));
    const reader = await arena.open();
    const { fields } = await reader.read(arena.bucket());
    same(fields.get('count'), '60', 'no update is lost: 3 openers add 20 times each');
  },
  'increments that one opener makes at once are never lost': async (arena) => {
    const adapter = await arena.open();
    const writers = Array.from({ length: 20 }, (_, index) => `w${index}`);
    // Sixteen writers are remembered; these never repeat, so more of them do no harm.
    await together(writers.map((writer) => new Updater(arena, adapter, writer).increment(1)));
    const { fields } = await adapter.read(arena.bucket());
    same(fields.get('count'), '20', 'no update is lost: 20 additions at once');
  },
  'a commit of two fields is never seen half done': async (arena) => {
    const [writer, other, reader] = [await arena.open(), await arena.open(), await arena.open()];
    await arena.commit(writer, arena.bucket(), { set: { a: '100', b: '0' } });
    let isDone = false;
    const look = async (): Promise<void> => {
      for (let reads = 1; !isDone; reads++) {
        const { fields } = await reader.read(arena.bucket());
        const sum = Number(fields.get('a')) + Number(fields.get('b'));
        same(sum, 100, 'a commit is seen as a whole: the sum of two fields stays');
        // Reads of a fast storage must not keep the commits of another kind from going on.
        if (reads % 50 === 0) await arena.sleep(0);
      }
    };
    const moving = together([
      new Updater(arena, writer, 'one').transfer(20),
      new Updater(arena, other, 'two').transfer(20),
    ]).finally(() => {
      isDone = true;
    });
    await together([look(), moving]);
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
