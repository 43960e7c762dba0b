/** What may lie in localStorage: items that are damaged, over, of somebody else, or called like methods. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { localstorage } from '../../../adapters/localstorage.js';
import type { BucketId, CommitResult, StorageAdapter } from '../../../src/storage.js';
import { WallClock } from '../../support/clock.js';
import { rejection } from '../../support/promises.js';

const hour = 3_600_000;
const prefix = 'qtasks-lite:';

let app: string;
let storage: StorageAdapter;
let clock: WallClock;
let sequence = 0;

beforeEach(() => {
  app = crypto.randomUUID();
  clock = new WallClock();
  storage = localstorage({ clock });
});

afterEach(async () => {
  await storage.close();
  for (const name of names()) localStorage.removeItem(name);
});

const bucket = (session = ''): BucketId => ({ app, session, state: 'cart' });
const nameOf = (id: BucketId): string => prefix + JSON.stringify([id.app, id.session, id.state]);

/** The names of this test's items. */
function names(): string[] {
  const all = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index));
  return all.filter((name): name is string => name?.includes(app) ?? false);
}

function set(
  fields: Record<string, string>,
  id = bucket(),
  more: { ttl?: number } = {},
): Promise<CommitResult> {
  const commit = { writer: 'w', sequence: ++sequence, set: new Map(Object.entries(fields)) };
  return storage.commit(id, { ...commit, ...more });
}

async function fieldsOf(id = bucket()): Promise<Record<string, string>> {
  return Object.fromEntries((await storage.read(id)).fields);
}

async function listed(): Promise<string[]> {
  const sessions: string[] = [];
  for await (const { session } of storage.list({ app })) sessions.push(session);
  return sessions.sort();
}

/** Lets time pass, more than an hour, until the sweeper has looked at all items. */
async function sweep(): Promise<void> {
  const over = bucket('~');
  // It looks in any order; the second pass begins when the first one has ended.
  for (let pass = 0; pass < 2; pass++) {
    await set({ x: '1' }, over, { ttl: 1 });
    await clock.advance(hour);
    await vi.waitFor(async () => {
      await set({ x: '1' }, bucket('other'));
      await clock.advance(hour / 60);
      expect(names()).not.toContain(nameOf(over));
    });
  }
}

const whole = {
  version: 1,
  expiresAt: null,
  revision: 'r',
  sequences: [],
  changes: [],
  fields: [['x', '1']],
};

test('the items of this file are what the adapter writes', async () => {
  localStorage.setItem(nameOf(bucket()), JSON.stringify(whole));
  expect(await fieldsOf()).toEqual({ x: '1' });
});

const damaged: Record<string, string> = {
  'no JSON': 'none',
  'cut off': JSON.stringify({ ...whole, expiresAt: 1 }).slice(0, -5),
  null: 'null',
  'an empty text': '',
  'a list': '[]',
  'no expiry': JSON.stringify({ ...whole, expiresAt: undefined }),
  'no revision': JSON.stringify({ ...whole, revision: undefined }),
  'no fields': JSON.stringify({ ...whole, fields: undefined }),
  'a version that is none': JSON.stringify({ ...whole, version: '1' }),
  'an expiry that is none': JSON.stringify({ ...whole, expiresAt: 'soon' }),
  'a revision that is none': JSON.stringify({ ...whole, revision: 1 }),
  'changes that are none': JSON.stringify({ ...whole, changes: null }),
  'sequences that are none': JSON.stringify({ ...whole, sequences: [1] }),
  'fields that are none': JSON.stringify({ ...whole, fields: { x: '1' } }),
  'a field that is no text': JSON.stringify({ ...whole, fields: [['x', 1]] }),
  'a field without a text': JSON.stringify({ ...whole, fields: [['x']] }),
};

for (const [what, text] of Object.entries(damaged)) {
  test(`23 a damaged item is told of and left alone: ${what}`, async () => {
    const name = nameOf(bucket());
    localStorage.setItem(name, text);
    const corrupt = { code: 'STORAGE_CORRUPT', data: { key: name } };
    expect(await rejection(storage.read(bucket()))).toMatchObject(corrupt);
    expect(await rejection(set({ y: '1' }))).toMatchObject(corrupt);
    const clear = { writer: 'w', sequence: ++sequence, clear: true };
    expect(await rejection(storage.commit(bucket(), clear))).toMatchObject(corrupt);
    await sweep();
    expect(localStorage.getItem(name)).toBe(text);
  });
}

test('23 a damaged item harms no other one, and is listed, as it is there', async () => {
  await set({ x: '1' }, bucket('whole'));
  localStorage.setItem(nameOf(bucket('damaged')), '{');
  expect(await listed()).toEqual(['damaged', 'whole']);
  expect(await fieldsOf(bucket('whole'))).toEqual({ x: '1' });
});

test('23 an item that somebody has removed by hand is a new bucket', async () => {
  const name = nameOf(bucket());
  localStorage.setItem(name, '{');
  await rejection(set({ x: '1' }));
  localStorage.removeItem(name);
  expect(await set({ x: '2' })).toMatchObject({ ok: true, previous: null });
  expect(await fieldsOf()).toEqual({ x: '2' });
});

test('items of somebody else are neither listed nor removed', async () => {
  const foreign = [
    app,
    `${prefix}${app}`,
    `${prefix}${JSON.stringify([app])}`,
    `${prefix}${JSON.stringify([app, '', null])}`,
    `${prefix}${JSON.stringify([app, 1, 'cart'])}`,
    `${prefix}${JSON.stringify([app, '', 'cart', ''])}`,
    `${prefix}["${app}", "", "cart"]`,
    `other:${JSON.stringify([app, '', 'cart'])}`,
  ];
  const over = JSON.stringify({ ...whole, expiresAt: 1 });
  for (const name of foreign) localStorage.setItem(name, over);
  await set({ x: '1' }, bucket('own'));
  await sweep();
  expect(await listed()).toEqual(['other', 'own']);
  for (const name of foreign) expect(localStorage.getItem(name)).toBe(over);
});

test('53 buckets that come and go while they are listed disturb no other one', async () => {
  const all = ['a', 'b', 'c', 'd'];
  for (const session of all) await set({ x: '1' }, bucket(session));
  const sessions: string[] = [];
  let gone = '';
  for await (const { session } of storage.list({ app })) {
    sessions.push(session);
    if (sessions.length > 1) continue;
    // They come in any order.
    gone = session === 'c' ? 'd' : 'c';
    for (const name of names()) if (name.includes(`"${gone}"`)) localStorage.removeItem(name);
    await set({ x: '1' }, bucket('aa'));
  }
  const left = all.filter((session) => session !== gone);
  expect(sessions.filter((session) => all.includes(session)).sort()).toEqual(left);
});

test('1 items called as a storage’s methods are called hide none of ours', async () => {
  const odd = ['length', 'key', 'getItem', 'setItem', 'removeItem', '__proto__', 'constructor', ''];
  for (const name of odd) localStorage.setItem(name, 'odd');
  try {
    const sessions = ['a', 'b', 'c', ...odd.filter((name) => name !== '')];
    for (const session of sessions) await set({ length: '1', ['__proto__']: '2' }, bucket(session));
    expect(await listed()).toEqual(sessions.sort());
    for (const session of sessions) {
      const { fields } = await storage.read(bucket(session));
      expect([...fields]).toEqual([
        ['length', '1'],
        ['__proto__', '2'],
      ]);
    }
    await storage.commit(bucket('a'), { writer: 'w', sequence: ++sequence, clear: true });
    await sweep();
    expect(names()).not.toContain(nameOf(bucket('a')));
    for (const name of odd) expect(localStorage.getItem(name)).toBe('odd');
  } finally {
    for (const name of odd) localStorage.removeItem(name);
  }
});

test('39 a clock that is set back or forward brings nothing back, and keeps nothing too long', async () => {
  await set({ x: '1' }, bucket(), { ttl: hour });
  clock.set(-hour);
  expect(await fieldsOf()).toEqual({ x: '1' });
  await set({ y: '1' }, bucket(), { ttl: hour });
  clock.set(2 * hour);
  expect(await fieldsOf()).toEqual({});
  await set({ z: '1' });
  clock.set(-2 * hour);
  expect(await fieldsOf()).toEqual({ z: '1' });
});

test('39 what was swept away stays away when the clock is set back', async () => {
  await set({ x: '1' }, bucket(), { ttl: 1 });
  await sweep();
  clock.set(-clock.now());
  expect(await fieldsOf()).toEqual({});
  await set({ y: '1' });
  expect(await fieldsOf()).toEqual({ y: '1' });
});

test('a commit that was cleared is known as a repeat for two minutes, and its item goes after them', async () => {
  const clear = { writer: 'w', sequence: ++sequence, clear: true };
  await set({ x: '1' });
  await storage.commit(bucket(), { ...clear, sequence: ++sequence });
  const repeat = { ...clear, set: new Map([['x', '2']]) };
  await clock.advance(119_000);
  expect(await storage.commit(bucket(), repeat)).toMatchObject({ ok: true, previous: null });
  expect(await fieldsOf()).toEqual({});
  await sweep();
  expect(names()).not.toContain(nameOf(bucket()));
});

test('52 closing during commits waits for them, and the next use opens again', async () => {
  const commits = ['a', 'b', 'c'].map((x) => set({ [x]: '1' }));
  const others = ['a', 'b', 'c'].map((session) => set({ x: '1' }, bucket(session)));
  await storage.close();
  expect(await Promise.all([...commits, ...others])).toHaveLength(6);
  expect(await fieldsOf()).toEqual({ a: '1', b: '1', c: '1' });
  const { held = [] } = await navigator.locks.query();
  expect(held.filter(({ name }) => name?.includes(app))).toEqual([]);
  await set({ d: '1' });
  expect(await fieldsOf()).toEqual({ a: '1', b: '1', c: '1', d: '1' });
});
