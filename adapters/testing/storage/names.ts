/** Names that break naive encodings. */
import type { BucketId } from '../../../src/storage.js';
import type { Cases } from './arena.js';
import { hasFields, same } from './expect.js';

const hostile = [
  '__proto__',
  'constructor',
  'length',
  'getItem',
  'a:b',
  'a%3Ab',
  'a\0b',
  '\0',
  '\0v',
  '*',
  '?',
  '[a]',
  '{a}',
  '%',
  '"',
  '\\',
  ' ',
  'a/b',
  'a,b',
  '\u{1F600}',
  '\ud800',
  '\udfff',
  'é',
  'e\u0301',
  'x'.repeat(1_000),
];

/** Pairs of parts that become one text when they are joined by something that they may contain, or by nothing. */
export const collisions = (
  app: string,
): readonly (readonly [Partial<BucketId>, Partial<BucketId>])[] =>
  ['', ':', '/', '\0', ',', '|', '%', '","'].flatMap((mark) => [
    [
      { session: `a${mark}b`, state: 'c' },
      { session: 'a', state: `b${mark}c` },
    ],
    [
      { app: `${app}${mark}a`, session: 'b' },
      { app, session: `a${mark}b` },
    ],
    [
      { session: '', state: `a${mark}b` },
      { session: 'a', state: 'b' },
    ],
  ]);

/** Hostile names. */
export const names: Cases = {
  'every string is a name of a field': async (arena) => {
    const adapter = await arena.open();
    const all = ['', ...hostile];
    const set = new Map(all.map((name, index) => [name, String(index)]));
    await adapter.commit(arena.bucket(), { writer: 'w', sequence: 1, set });
    const { fields } = await adapter.read(arena.bucket());
    same(fields.size, all.length, 'every field is one of its own');
    for (const [name, value] of set) {
      same(fields.get(name), value, `the field ${JSON.stringify(name.slice(0, 20))} is stored`);
      const one = await adapter.read(arena.bucket(), { fields: [name] });
      same([...one.fields], [[name, value]], 'and can be read by its name');
    }
    await adapter.commit(arena.bucket(), { writer: 'w', sequence: 2, delete: all });
    hasFields(await adapter.read(arena.bucket()), {}, 'and deleted by its name');
  },
  'every string is a name of a session and of a state': async (arena) => {
    const adapter = await arena.open();
    const ids = hostile.flatMap((name) => [
      arena.bucket({ session: name }),
      arena.bucket({ state: name }),
    ]);
    for (const [index, id] of ids.entries()) {
      await arena.commit(adapter, id, { set: { a: String(index) } });
    }
    for (const [index, id] of ids.entries()) {
      hasFields(await adapter.read(id), { a: String(index) }, 'every name is a bucket of its own');
    }
    const found = new Set<string>();
    for await (const { app, session, state } of adapter.list({ app: arena.app })) {
      found.add(JSON.stringify([app, session, state]));
    }
    const expected = ids.map(({ app, session, state }) => JSON.stringify([app, session, state]));
    same([...found].sort(), expected.sort(), 'and is listed as it was given');
  },
  'every string is a name of an app': async (arena) => {
    const adapter = await arena.open();
    for (const name of hostile) {
      const id = arena.bucket({ app: `${arena.app}${name}` });
      await arena.commit(adapter, id, { set: { a: '1' } });
      hasFields(await adapter.read(id), { a: '1' }, 'the app is a bucket’s of its own');
      hasFields(await adapter.read(arena.bucket()), {}, 'and not another one’s');
      await arena.commit(adapter, id, { clear: true });
    }
  },
  'parts that look alike when joined stay apart: a:b + c and a + b:c': async (arena) => {
    const adapter = await arena.open();
    for (const [one, other] of collisions(arena.app)) {
      await arena.commit(adapter, arena.bucket(one), { set: { a: 'one' } });
      const promise = 'app, session and state are encoded so that no two buckets become one';
      hasFields(await adapter.read(arena.bucket(other)), {}, promise);
      await arena.commit(adapter, arena.bucket(other), { set: { a: 'other' } });
      hasFields(await adapter.read(arena.bucket(one)), { a: 'one' }, promise);
      for (const id of [one, other]) await arena.commit(adapter, arena.bucket(id), { clear: true });
    }
  },
  'what is known of a bucket that is gone is not taken for one that looks alike': async (arena) => {
    const adapter = await arena.open();
    for (const [index, [one, other]] of collisions(arena.app).entries()) {
      const [writer, gone, id] = [`w${index}`, arena.bucket(one), arena.bucket(other)];
      await arena.commit(adapter, gone, { writer, sequence: 5, set: { a: 'gone' } });
      await arena.commit(adapter, gone, { writer, sequence: 6, clear: true });
      await arena.commit(adapter, id, { writer, sequence: 1, set: { a: 'here' } });
      const promise = 'the sequences of a bucket that is gone count for that bucket only';
      hasFields(await adapter.read(id), { a: 'here' }, promise);
      await arena.commit(adapter, id, { writer, sequence: 2, clear: true });
    }
  },
};
