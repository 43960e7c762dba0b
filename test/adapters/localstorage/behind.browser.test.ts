/** Tabs whose copies of the storage are behind, as those of other processes are, with the page's real locks. */
import { afterEach, expect, test, vi } from 'vitest';
import { localstorage } from '../../../adapters/localstorage.js';
import type { StorageAdapter } from '../../../src/storage.js';
import { ManualClock, settle } from '../../support/clock.js';
import { type Copy, copies } from './copies.js';

const id = { app: 'behind', session: '', state: 'cart' };
const other = { ...id, state: 'other' };
const hour = 3_600_000;
const opened: StorageAdapter[] = [];
let sequence = 0;

afterEach(async () => {
  vi.restoreAllMocks();
  for (const adapter of opened.splice(0)) await adapter.close();
});

/** An adapter that takes a copy for the page's own localStorage. */
function open(area: Copy, clock?: ManualClock): StorageAdapter {
  vi.stubGlobal('localStorage', area);
  const adapter = localstorage(clock ? { clock } : {});
  vi.unstubAllGlobals();
  opened.push(adapter);
  return adapter;
}

interface Process {
  readonly storage: StorageAdapter;
  readonly copy: Copy;
}

/** Two processes. */
function two(clock?: ManualClock): { a: Process; b: Process } {
  const [a, b] = copies(2).map((copy) => ({ copy, storage: open(copy, clock) }));
  if (!a || !b) throw new Error('not two');
  return { a, b };
}

interface More {
  readonly bucket?: typeof id;
  readonly clear?: boolean;
  readonly ttl?: number;
}

async function set(
  { storage }: Process,
  fields: Record<string, string>,
  { bucket = id, ...more }: More = {},
): Promise<void> {
  const commit = { writer: 'w', sequence: ++sequence, set: new Map(Object.entries(fields)) };
  expect(await storage.commit(bucket, { ...commit, ...more })).toMatchObject({ ok: true });
}

async function fieldsOf({ storage }: Process, bucket = id): Promise<Record<string, string>> {
  return Object.fromEntries((await storage.read(bucket)).fields);
}

test('a read waits until its copy shows what another tab has committed', async () => {
  const { a, b } = two();
  await set(a, { x: '1' });
  b.copy.catchUpAfter(20);
  expect(await fieldsOf(b)).toEqual({ x: '1' });
});

test('a commit is made on what another tab has committed', async () => {
  const { a, b } = two();
  await set(a, { x: '1' });
  b.copy.catchUpAfter(20);
  await set(b, { y: '2' });
  expect(await fieldsOf(b)).toEqual({ x: '1', y: '2' });
});

test('a page that stands still while it waits has not waited', async () => {
  const { a, b } = two();
  await set(a, { x: '1' });
  let now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 60_000));
  b.copy.catchUpAfter(20);
  expect(await fieldsOf(b)).toEqual({ x: '1' });
});

test('32 a tab that goes at once after its commits loses none, of no bucket', async () => {
  const { a, b } = two();
  await set(a, { x: '1' });
  b.copy.catchUp();
  // Now it knows of the other.
  await fieldsOf(b);
  await set(a, { x: '2' });
  await set(a, { x: '3' }, { bucket: other });
  await a.storage.close();
  const reads = Promise.all([fieldsOf(b), fieldsOf(b, other)]);
  for (let turn = 0; turn < 20; turn++) await settle();
  b.copy.catchUp();
  expect(await reads).toEqual([{ x: '2' }, { x: '3' }]);
});

test('a hidden tab, whose timers are late, waits for none of them', async () => {
  const { a, b } = two();
  await set(a, { x: '1' });
  b.copy.catchUp();
  await fieldsOf(b);
  await set(a, { x: '2' });
  await a.storage.close();
  const late = vi.spyOn(globalThis, 'setTimeout').mockReturnValue(0 as never);
  b.copy.catchUp();
  await set(b, { y: '1' });
  late.mockRestore();
  expect(await fieldsOf(b)).toEqual({ x: '2', y: '1' });
});

test('a tab holds one name for a bucket, and lets go of it a while after its last commit', async () => {
  const { a } = two();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const names = async (): Promise<string[]> => {
    const { held = [] } = await navigator.locks.query();
    return held.flatMap(({ name = '' }) => (name.includes('"behind"') ? [name] : []));
  };
  for (const x of ['1', '2', '3']) {
    await set(a, { x });
    vi.advanceTimersByTime(9_000);
  }
  await settle();
  const [last, ...more] = await names();
  expect(more).toEqual([]);
  vi.advanceTimersByTime(1_000);
  vi.useRealTimers();
  // Nobody gets it before it is free.
  await navigator.locks.request(last ?? '', () => {});
  expect(await names()).toEqual([]);
});

test('what is over is not removed where another tab has written to it again', async () => {
  const clock = new ManualClock();
  const { a, b } = two(clock);
  await set(a, { x: '1' }, { ttl: hour });
  b.copy.catchUp();
  await clock.advance(2 * hour);
  await set(a, { x: '2' }, { ttl: hour });
  // Its sweeper is about to look, at what is there no more.
  await set(b, { y: '1' }, { bucket: other });
  b.copy.catchUpAfter(20);
  await clock.advance(hour / 60);
  await set(b, { z: '1' });
  a.copy.catchUp();
  expect(await fieldsOf(a)).toEqual({ x: '2', z: '1' });
});

test('what is written after a removal is newer than what was there before', async () => {
  const clock = new ManualClock();
  const { a, b } = two(clock);
  for (const x of ['1', '2', '3']) await set(a, { x }, { ttl: hour });
  b.copy.catchUp();
  await clock.advance(2 * hour);
  await set(a, { y: '1' }, { bucket: other });
  await clock.advance(hour / 60);
  await vi.waitFor(() => expect(a.copy).toHaveLength(1));
  // Nobody tells of the old version any more.
  await a.storage.close();
  await set(a, { x: '4' });
  b.copy.catchUpAfter(20);
  await set(b, { y: '1' });
  a.copy.catchUp();
  expect(await fieldsOf(a)).toEqual({ x: '4', y: '1' });
});

test('33 whoever empties the storage does not keep its own page waiting', async () => {
  const { a } = two();
  await set(a, { x: '1', y: '1' });
  a.copy.clear();
  const { reads } = a.copy;
  expect(await fieldsOf(a)).toEqual({});
  await set(a, { x: '2' });
  expect(await fieldsOf(a)).toEqual({ x: '2' });
  expect(a.copy.reads - reads).toBeLessThan(20);
});

test('33 whoever empties the storage keeps other pages waiting once, and brings nothing back', async () => {
  const { a, b } = two();
  await set(a, { x: '1', y: '1' });
  a.copy.clear();
  b.copy.catchUp();
  expect(await fieldsOf(b)).toEqual({});
  const { reads } = b.copy;
  await set(b, { z: '1' });
  expect(await fieldsOf(b)).toEqual({ z: '1' });
  expect(b.copy.reads - reads).toBeLessThan(20);
  a.copy.catchUpAfter(20);
  expect(await fieldsOf(a)).toEqual({ z: '1' });
});
