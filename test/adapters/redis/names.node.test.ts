import { expect, test } from 'vitest';
import { redis } from '../../../adapters/redis.js';
import { Stage } from './support.js';

const stage = new Stage();

const hostile = [
  '__proto__',
  'a:b',
  '%',
  '}',
  '{',
  '{a}b',
  '*',
  '[a-z]',
  '\u{1F600}',
  '\ud83d',
  '\ude00\ud83d',
  '\ufffd',
  '\ufffdd83d',
  'x'.repeat(10_000),
  '%'.repeat(10_000),
  '\u0001',
  '\u0001\u0001',
  '\u0001a',
  '\n',
  ',',
];

test.each(['HTTP', 'a client'])(
  'hostile names and values come back as they were: over %s',
  async (way) => {
    const storage = way === 'HTTP' ? stage.open() : redis({ client: stage.server.ioredis() });
    const set = new Map(hostile.map((name) => [name, name]));
    for (const name of hostile) {
      const id = stage.bucket({ session: name, state: name });
      await storage.commit(id, { writer: name, sequence: 1, set });
      await storage.commit(id, { writer: name, sequence: 1, clear: true });
      expect((await storage.read(id)).fields).toEqual(set);
      expect((await storage.read(id, { fields: [name, 'zzz'] })).fields).toEqual(
        new Map([[name, name]]),
      );
      const listed = [];
      for await (const some of storage.list({ app: id.app, session: name })) listed.push(some);
      expect(listed).toEqual([id]);
      await storage.commit(id, { writer: name, sequence: 2, delete: hostile });
      expect((await storage.read(id)).revision).toBeNull();
    }
  },
);

test('what is stored can be read by others', async () => {
  const client = stage.server.ioredis();
  const storage = redis({ client });
  await storage.commit(stage.bucket(), {
    writer: 'w',
    sequence: 7,
    set: new Map([['phone', '"+351"']]),
    ttl: 60_000,
  });
  const { revision } = await storage.read(stage.bucket());
  const key = `qt:{${stage.app}:ann:cart}`;
  const { '\u0001': meta = '', ...fields } = await client.hgetall(key);
  expect(fields).toEqual({ phone: '"+351"' });
  expect(JSON.parse(meta)).toEqual([revision, expect.any(Number), 'w', '7']);
  // Two minutes longer than its time: until then repeats are known.
  expect(await client.pttl(key)).toBeGreaterThan(170_000);
  await storage.commit(stage.bucket(), stage.commit({ writer: 'x', ttl: null }));
  expect(await client.pttl(key)).toBe(-1);
  await storage.commit(stage.bucket(), stage.commit({ writer: 'x', clear: true, set: new Map() }));
  expect(await client.pttl(key)).toBeGreaterThan(100_000);
});

test.each([1e13, 1e14, 1e300, Infinity, 0.4, 0])('a ttl of %d', async (ttl) => {
  const storage = stage.open();
  await storage.commit(stage.bucket(), stage.commit({ ttl }));
  await new Promise((resolve) => setTimeout(resolve, 5));
  const { revision } = await storage.read(stage.bucket());
  expect(revision !== null).toBe(ttl > 1);
});

test('a commit of 20,000 fields, and a read of as many by their names', async () => {
  const storage = stage.open();
  const names = Array.from({ length: 20_000 }, (_, index) => `f${index}`);
  await storage.commit(
    stage.bucket(),
    stage.commit({ set: new Map(names.map((name) => [name, name])) }),
  );
  expect((await storage.read(stage.bucket(), { fields: names })).fields.size).toBe(20_000);
  await storage.commit(stage.bucket(), stage.commit({ delete: names, set: new Map() }));
  expect((await storage.read(stage.bucket())).revision).toBeNull();
});

test('an update that many conditional commits want at once is made by one of them at a time', async () => {
  const [one, other] = [stage.open(), redis({ client: stage.server.ioredis() })];
  const results = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      (index % 2 ? one : other).commit(
        stage.bucket(),
        stage.commit({ writer: `w${index}`, ifRevision: null }),
      ),
    ),
  );
  expect(results.filter(({ ok }) => ok).length).toBe(1);
});
