import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { memory } from '../../adapters/memory.js';
import type { Clock } from '../../src/clock.js';
import type { BucketId, StorageAdapter } from '../../src/storage.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const set = new Map([['field', 'value']]);
let sequence = 0;

function used(): number {
  for (let pass = 0; pass < 3; pass++) collect();
  return process.memoryUsage().heapUsed;
}

/** A clock that one count moves. */
const clockOf = (now: () => number): Clock => ({ now, setTimeout() {}, clearTimeout() {} });

/** How many MiB more the heap holds after so many rounds than after the first tenth of them. */
async function growth(times: number, round: (index: number) => Promise<unknown>): Promise<number> {
  let before = 0;
  for (let index = 1; index <= times; index++) {
    const one = round(index);
    if (index % 1_000 === 0) await one;
    if (index === times / 10) before = used();
  }
  return (used() - before) / 2 ** 20;
}

function setAndClear(storage: StorageAdapter, id: BucketId): Promise<unknown> {
  void storage.commit(id, { writer: 'w', sequence: ++sequence, set });
  return storage.commit(id, { writer: 'w', sequence: ++sequence, clear: true });
}

const cart = Object.freeze({ app: 'app', session: 'ann', state: 'cart' });
/** For a machine that is busy with other things. */
const slow = 120_000;

test('a million times set and clear leave nothing', { timeout: slow }, async () => {
  const storage = memory();
  expect(await growth(1_000_000, () => setAndClear(storage, cart))).toBeLessThan(1);
});

test('many sessions that were set and cleared leave little', { timeout: slow }, async () => {
  const storage = memory();
  const round = (index: number) => setAndClear(storage, { ...cart, session: `s${index}` });
  expect(await growth(200_000, round)).toBeLessThan(5);
});

test('buckets that expire and are never looked at again leave nothing', async () => {
  let now = 0;
  const storage = memory({ clock: clockOf(() => now) });
  const expire = (index: number) => {
    now += 1;
    const id = { app: 'app', session: `s${index % 3}`, state: `t${index}` };
    return storage.commit(id, { writer: 'w', sequence: ++sequence, set, ttl: 1_000 });
  };
  expect(await growth(200_000, expire)).toBeLessThan(5);
});

test('sessions that nobody uses again are dropped while others go on', async () => {
  let now = 0;
  let evicted = 0;
  const storage = memory({
    ttl: 1_000,
    onEvict: () => evicted++,
    clock: clockOf(() => now),
  });
  const leave = (index: number) => {
    now += 1;
    const id = { app: 'app', session: `s${index}`, state: 'cart' };
    return storage.commit(id, { writer: 'w', sequence: ++sequence, set });
  };
  expect(await growth(200_000, leave)).toBeLessThan(5);
  expect(evicted).toBeGreaterThan(198_000);
});

test('a commit looks at no more buckets the more there are', async () => {
  let looks = 0;
  // Whether a bucket has expired cannot be told without a look at the clock.
  const storage = memory({ clock: clockOf(() => ++looks) });
  let most = 0;
  for (let index = 0; index < 20_000; index++) {
    const before = looks;
    const id = { app: 'app', session: `s${index % 100}`, state: `t${index}` };
    await storage.commit(id, { writer: 'w', sequence: ++sequence, set, ttl: 1e9 });
    most = Math.max(most, looks - before);
  }
  expect(most).toBeLessThan(10);
});

test('a commit looks at no more sessions the more there are that nobody uses', async () => {
  let looks = 0;
  let now = 0;
  const clock = clockOf(() => {
    looks++;
    return now;
  });
  const storage = memory({ ttl: 1_000, clock });
  for (let index = 0; index < 1_000; index++) {
    await storage.commit({ ...cart, session: `s${index}` }, { writer: 'w', sequence: 1, set });
  }
  now = 2_000;
  looks = 0;
  await storage.commit(cart, { writer: 'w', sequence: 1, set });
  expect(looks).toBeLessThan(20);
});
