/** What lies in the database: nothing too much, nothing too little, whatever the values and the clock. */
import { expect, test, vi } from 'vitest';
import type { StorageAdapter } from '../../../src/storage.js';
import { WallClock } from '../../support/clock.js';
import { rejection } from '../../support/promises.js';
import { bucket, fieldsOf, keysIn, newDatabase, open, put, requested } from './support.js';

const hour = 3_600_000;
const large = 'x'.repeat(5_000);

/** An adapter on a clock moved by hand. */
function timed() {
  const database = newDatabase();
  const clock = new WallClock();
  return { database, clock, storage: open(database, { clock }) };
}

/** Lets the sweeper look; a clock by hand waits for promises, but not for a database. */
async function sweep(clock: WallClock, database: string): Promise<void> {
  await clock.advance(5_000);
  // Transactions come one after the other.
  await keysIn(database);
}

test('9 a value of 5 MB comes back, is replaced and goes', async () => {
  const { database, storage } = timed();
  const value = JSON.stringify('ж'.repeat(2_500_000));
  await put(storage, bucket(), { small: '1', big: value });
  expect((await storage.read(bucket(), { fields: ['big'] })).fields.get('big')).toBe(value);
  await put(storage, bucket(), { big: `${value}\n` });
  expect((await storage.read(bucket())).fields.get('big')?.length).toBe(value.length + 1);
  await put(storage, bucket(), { big: '2' });
  expect(await keysIn(database)).toEqual([['app', 'ann', 'cart']]);
});

test('11 ten thousand fields are written, read, changed one by one and cleared', async () => {
  const { database, storage } = timed();
  const names = Array.from({ length: 10_000 }, (_, at) => `field ${at}`);
  await put(storage, bucket(), Object.fromEntries(names.map((name) => [name, '0'])));
  await put(storage, bucket(), { 'field 5000': '1' });
  const fields = await fieldsOf(storage, bucket());
  expect(Object.keys(fields)).toEqual(names);
  expect(Object.values(fields).filter((value) => value === '1')).toHaveLength(1);
  await put(storage, bucket(), {}, { clear: true });
  expect(await keysIn(database)).toEqual([
    [0, 1_120_000, 'app', 'ann', 'cart'],
    [1, 'app', 'ann', 'cart'],
  ]);
});

test('14 a thousand commits at once to one bucket, each to its own field, all count', async () => {
  const { storage } = timed();
  const names = Array.from({ length: 1_000 }, (_, at) => `${at}`);
  await Promise.all(names.map((name) => put(storage, bucket(), { [name]: name })));
  expect(Object.keys(await fieldsOf(storage, bucket()))).toHaveLength(1_000);
});

test.each<[string, Parameters<typeof put>[2], Parameters<typeof put>[3]]>([
  ['a clear', {}, { clear: true }],
  ['a clear that writes something else', { other: '1' }, { clear: true }],
  ['a deletion', { other: '1' }, { delete: ['one', 'two', 'three'] }],
  ['small values', { one: '1', two: '2', three: '3' }, {}],
])('large values leave no row after %s', async (_title, fields, changes) => {
  const { database, storage } = timed();
  await put(storage, bucket(), { one: large, two: large, three: large });
  expect(await keysIn(database)).toHaveLength(4);
  await put(storage, bucket(), fields, changes);
  expect(
    (await keysIn(database)).filter(
      (key) => (key as unknown[]).length === 4 && (key as unknown[])[0] === 'app',
    ),
  ).toEqual([]);
  expect(await fieldsOf(storage, bucket())).toEqual(fields);
});

test('large values leave no row after they expire, and a new bucket has none of them', async () => {
  const { database, clock, storage } = timed();
  await put(storage, bucket(), { one: large }, { ttl: 1_000 });
  await put(storage, bucket('ben'), { one: large }, { ttl: 1_000 });
  await clock.advance(1_000);
  await put(storage, bucket(), { two: '2' });
  expect(await fieldsOf(storage, bucket())).toEqual({ two: '2' });
  await sweep(clock, database);
  expect(await keysIn(database)).not.toContainEqual(['app', 'ann', 'cart', 'one']);
  expect(await keysIn(database)).not.toContainEqual(['app', 'ben', 'cart', 'one']);
});

test('nothing is left of buckets that are gone once two minutes are over', async () => {
  const { database, clock, storage } = timed();
  for (const session of ['ann', 'ben', 'cem']) {
    await put(storage, bucket(session), { one: large, two: '2' }, { ttl: hour });
    await put(storage, bucket(session), { two: '3' }, { ttl: 2 * hour });
  }
  await put(storage, bucket('ann'), {}, { clear: true });
  await put(storage, bucket('ben'), {}, { delete: ['one', 'two'] });
  await clock.advance(3 * hour);
  for (let looks = 0; looks < 3; looks++) {
    await clock.advance(125_000);
    await put(storage, bucket('dot'), { one: '1' });
    await sweep(clock, database);
  }
  expect(await keysIn(database)).toEqual([['app', 'dot', 'cart']]);
});

test('a bucket whose time is prolonged again and again has one row that says when to look', async () => {
  const { database, clock, storage } = timed();
  for (let time = 0; time < 20; time++) {
    await put(storage, bucket(), { time: `${time}` }, { ttl: hour });
    await clock.advance(hour / 10);
    await sweep(clock, database);
  }
  expect(await fieldsOf(storage, bucket())).toEqual({ time: '19' });
  expect((await keysIn(database)).filter((key) => (key as unknown[])[0] === 0)).toHaveLength(1);
});

test('39 a clock that is set forward and back keeps what lives and brings nothing back that was swept', async () => {
  const { database, clock, storage } = timed();
  await put(storage, bucket('long'), { one: '1' }, { ttl: 10 * hour });
  await put(storage, bucket('short'), { one: '1' }, { ttl: hour / 2 });
  await clock.advance(hour);
  expect(await fieldsOf(storage, bucket('short'))).toEqual({});
  await put(storage, bucket('other'), { one: '1' });
  await sweep(clock, database);
  clock.set(-hour);
  expect(await fieldsOf(storage, bucket('short'))).toEqual({});
  expect(await fieldsOf(storage, bucket('long'))).toEqual({ one: '1' });
  clock.set(-hour);
  await put(storage, bucket('long'), { two: '2' }, { ttl: hour });
  await clock.advance(hour - 1);
  expect(await fieldsOf(storage, bucket('long'))).toEqual({ one: '1', two: '2' });
  await clock.advance(1);
  expect(await fieldsOf(storage, bucket('long'))).toEqual({});
  for (let looks = 0; looks < 30; looks++) {
    await clock.advance(hour);
    await put(storage, bucket('other'), { one: '1' });
    await sweep(clock, database);
  }
  expect(await keysIn(database)).toEqual([['app', 'other', 'cart']]);
});

test('41 a commit on what has expired since it was read is refused', async () => {
  const { clock, storage } = timed();
  await put(storage, bucket(), { one: '1', two: large }, { ttl: 1_000 });
  const { revision } = await storage.read(bucket());
  await clock.advance(1_000);
  expect(await put(storage, bucket(), { one: '2' }, { ifRevision: revision })).toEqual({
    ok: false,
    current: { revision: null, fields: new Map() },
  });
  expect(await fieldsOf(storage, bucket())).toEqual({});
});

test('42 a commit without a ttl leaves the time that a bucket has', async () => {
  const { clock, storage } = timed();
  await put(storage, bucket(), { one: '1' }, { ttl: hour });
  await clock.advance(hour - 1);
  await put(storage, bucket(), { two: '2' });
  expect(Object.keys(await fieldsOf(storage, bucket()))).toEqual(['one', 'two']);
  await clock.advance(1);
  expect(await fieldsOf(storage, bucket())).toEqual({});
});

test('of two commits that travel together, a wrong one fails alone', async () => {
  const { storage } = timed();
  const calls = [
    put(storage, bucket('ann'), { one: '1' }),
    put(storage, bucket('ann'), { two: '2' }, { ttl: -1 }),
    put(storage, bucket('ben'), { one: '1' }),
    put(storage, bucket('ann'), { three: '3' }),
  ];
  const ends = await Promise.allSettled(calls);
  expect(ends.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  expect(await rejection(calls[1] as Promise<unknown>)).toMatchObject({ code: 'OPTION_INVALID' });
  expect(await fieldsOf(storage, bucket('ann'))).toEqual({ one: '1', three: '3' });
});

test('48 a commit that is aborted while it waits is not made, one that is being made is', async () => {
  const { storage } = timed();
  const commit = (sequence: number, name: string) => ({
    writer: 'w',
    sequence,
    set: new Map([[name, '1']]),
  });
  const [first, second] = [new AbortController(), new AbortController()];
  const made = storage.commit(bucket(), commit(1, 'first'), { signal: first.signal });
  await storage.read(bucket());
  const waits = storage.commit(bucket('ben'), commit(1, 'second'), { signal: second.signal });
  first.abort('too late');
  second.abort('in time');
  expect(await rejection(waits)).toBe('in time');
  expect(await made).toMatchObject({ ok: true });
  expect(await fieldsOf(storage, bucket())).toEqual({ first: '1' });
  expect(await fieldsOf(storage, bucket('ben'))).toEqual({});
});

test('53 a list taken while buckets come and go has each that stays, once', async () => {
  const { database, storage } = timed();
  const other = open(database);
  const stays = Array.from({ length: 60 }, (_, at) => `stays ${at}`);
  await Promise.all(stays.map((session) => put(storage, bucket(session), { one: large })));
  const changes = Array.from({ length: 60 }, async (_, at) => {
    await put(other, bucket(`comes ${at}`), { one: '1' });
    await put(other, bucket(`comes ${at}`), {}, { clear: true });
  });
  for (let looks = 0; looks < 5; looks++) {
    const found: string[] = [];
    for await (const { session } of storage.list({ app: 'app' })) {
      found.push(session);
      if (session.startsWith('comes')) await put(other, bucket(session), {}, { clear: true });
    }
    expect(new Set(found).size).toBe(found.length);
    expect(found.filter((session) => session.startsWith('stays')).sort()).toEqual(
      [...stays].sort(),
    );
  }
  await Promise.all(changes);
});

test('23 a row that somebody has damaged harms no other bucket and stops no sweeping', async () => {
  const { database, clock, storage } = timed();
  for (const session of ['ann', 'ben', 'cem']) {
    await put(storage, bucket(session), { one: '1' }, { ttl: 1_000 });
  }
  const db = await requested(indexedDB.open(database));
  const store = db.transaction('buckets', 'readwrite').objectStore('buckets');
  const stored: string = await requested(store.get(['app', 'ann', 'cart']));
  await requested(store.put(stored.slice(0, -3), ['app', 'ann', 'cart']));
  db.close();
  const unhandled = vi.fn();
  addEventListener('unhandledrejection', unhandled);
  const calls = [
    put(storage, bucket('ann'), { two: '2' }),
    put(storage, bucket('ben'), { two: '2' }),
  ];
  expect((await Promise.allSettled(calls)).map(({ status }) => status)).toEqual([
    'rejected',
    'fulfilled',
  ]);
  expect(await rejection(storage.read(bucket('ann')))).toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
  for (let looks = 0; looks < 2; looks++) {
    await clock.advance(120_000);
    await put(storage, bucket('dot'), { one: '1' });
    await sweep(clock, database);
  }
  expect(await keysIn(database)).toEqual([
    ['app', 'ann', 'cart'],
    ['app', 'dot', 'cart'],
  ]);
  removeEventListener('unhandledrejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

test('a bucket whose time is made longer and shorter has one row that says when to look', async () => {
  const { database, clock, storage } = timed();
  for (let time = 0; time < 20; time++) {
    await put(storage, bucket(), { time: `${time}` }, { ttl: 100 * hour });
    await put(storage, bucket(), { time: `${time}` }, { ttl: 2 * hour });
    await clock.advance(hour);
    await put(storage, bucket(), { time: `${time}` }, { ttl: 100 * hour });
    await clock.advance(hour);
    await sweep(clock, database);
  }
  expect((await keysIn(database)).filter((key) => (key as unknown[])[0] === 0)).toHaveLength(1);
});

// An adapter guesses that it will find what it has written last.
test.each<[string, (other: StorageAdapter) => Promise<unknown>, Record<string, string>]>([
  ['has changed it', (other) => put(other, bucket(), { b: '2' }), { a: '1', b: '2' }],
  ['has cleared it', (other) => put(other, bucket(), {}, { clear: true }), {}],
  ['has made it large', (other) => put(other, bucket(), { a: large }), { a: large }],
])('a commit after somebody else %s is made on what is there', async (_title, change, there) => {
  const database = newDatabase();
  const [storage, other] = [open(database), open(database)];
  await put(storage, bucket(), { a: '1' });
  await change(other);
  await put(storage, bucket(), { c: '3' });
  expect(await fieldsOf(other, bucket())).toEqual({ ...there, c: '3' });
  await put(storage, bucket(), { d: '4' });
  expect(await fieldsOf(other, bucket())).toEqual({ ...there, c: '3', d: '4' });
});

test.each<[string, (other: StorageAdapter) => Promise<unknown>]>([
  ['changed', (other) => put(other, bucket(), { b: '2' })],
  ['cleared', (other) => put(other, bucket(), {}, { clear: true })],
])(
  'a commit on what somebody else has %s is refused and leaves everything as it was',
  async (_title, change) => {
    const database = newDatabase();
    const [storage, other] = [open(database), open(database)];
    const first = await put(storage, bucket(), { a: '1' });
    await change(other);
    const keys = await keysIn(database);
    const there = await other.read(bucket());
    const ifRevision = first.ok ? first.revision : null;
    const result = await put(storage, bucket(), { c: '3' }, { ifRevision });
    expect(result).toEqual({ ok: false, current: there });
    expect(await other.read(bucket())).toEqual(there);
    expect(await keysIn(database)).toEqual(keys);
  },
);

test('a repeat of what was made meanwhile changes nothing', async () => {
  const database = newDatabase();
  const [storage, other] = [open(database), open(database)];
  await put(storage, bucket(), { a: '1' });
  const commit = { writer: 'both', sequence: 1, set: new Map([['b', '2']]) };
  await other.commit(bucket(), commit);
  await put(other, bucket(), { b: '3' });
  const { revision } = await other.read(bucket());
  expect(await storage.commit(bucket(), commit)).toEqual({
    ok: true,
    revision,
    previous: revision,
  });
  expect(await fieldsOf(other, bucket())).toEqual({ a: '1', b: '3' });
});

test('a bucket that expires between two commits begins anew', async () => {
  const { clock, storage } = timed();
  await put(storage, bucket(), { a: '1' }, { ttl: 1_000 });
  await clock.advance(1_000);
  await put(storage, bucket(), { b: '2' });
  expect(await fieldsOf(storage, bucket())).toEqual({ b: '2' });
});

test('a field that grows large, and small again, has a row of its own meanwhile', async () => {
  const { database, storage } = timed();
  for (const [value, rows] of [
    ['1', 1],
    [large, 2],
    [large, 2],
    ['2', 1],
    ['3', 1],
  ] as const) {
    await put(storage, bucket(), { a: value });
    expect(await keysIn(database)).toHaveLength(rows);
    expect(await fieldsOf(storage, bucket())).toEqual({ a: value });
  }
});
