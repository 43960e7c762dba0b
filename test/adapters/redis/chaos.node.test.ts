import { expect, test } from 'vitest';
import { redis } from '../../../adapters/redis.js';
import { AsyncState, QTasks } from '../../../src/index.js';
import type { StorageAdapter } from '../../../src/storage.js';
import * as faults from '../../support/redis-faults.js';
import { Stage } from './support.js';

const stage = new Stage();

class Counter extends AsyncState<{ count: number }> {
  static readonly id = 'counter';
}

const counterOf = (storage: StorageAdapter) =>
  new QTasks({ name: stage.app, storage }).session('ann').state(Counter);

/** Increments one after the other, each made once it resolves. */
async function increment(storage: StorageAdapter, times: number): Promise<void> {
  const counter = counterOf(storage);
  for (let time = 0; time < times; time++) {
    await counter.update((now) => ({ count: (now.count ?? 0) + 1 }));
  }
}

test('of 4 clients that increment 250 times each none loses an update and none makes one twice', async () => {
  stage.rest.fault = faults.mishaps(7);
  const retry = { limit: 12, delay: 1, maxDelay: 20 };
  const storages = Array.from({ length: 4 }, () => stage.open({ retry }));
  await Promise.all(storages.map((storage) => increment(storage, 250)));
  stage.rest.fault = undefined;
  expect(await counterOf(stage.open()).get('count')).toBe(1_000);
});

test.each(['HTTP', 'a client', 'both'])(
  'two that update without a pause both finish: over %s',
  async (way) => {
    const [one, other] = [stage.open(), redis({ client: stage.server.ioredis() })];
    const storages =
      way === 'both'
        ? [one, other]
        : way === 'HTTP'
          ? [one, stage.open()]
          : [other, redis({ client: stage.server.ioredis() })];
    await Promise.all(storages.map((storage) => increment(storage, 200)));
    expect(await counterOf(one).get('count')).toBe(400);
  },
);

test('one that is far away finishes while one that is near never pauses', async () => {
  const near = counterOf(redis({ client: stage.server.ioredis() }));
  stage.rest.fault = faults.delay(10, 10);
  let isOver = false;
  const hurry = async (): Promise<number> => {
    let times = 0;
    for (; !isOver; times++) await near.update((now) => ({ count: (now.count ?? 0) + 1 }));
    return times;
  };
  const hurrying = hurry();
  await increment(stage.open(), 10);
  isOver = true;
  const times = await hurrying;
  expect(await near.get('count')).toBe(times + 10);
});

test('the holder of a state’s lock goes first; the others wait for it, but not for ever', async () => {
  const [holder, other] = [stage.open(), stage.open()];
  const id = stage.bucket();
  const release = await holder.lock?.(id, {});
  const order: string[] = [];
  const start = performance.now();
  const waiting = other
    .commit(id, stage.commit({ writer: 'other', ifRevision: null }))
    .then(({ ok }) => order.push(`other ${ok}`));
  await new Promise((resolve) => setTimeout(resolve, 100));
  await holder
    .commit(id, stage.commit({ writer: 'holder', ifRevision: null }))
    .then(({ ok }) => order.push(`holder ${ok}`));
  await release?.();
  await waiting;
  expect(order).toEqual(['holder true', 'other false']);

  const again = await holder.lock?.(id, {});
  await other.commit(id, stage.commit({ writer: 'other' }));
  expect(performance.now() - start).toBeGreaterThan(1_990);
  await again?.();
});

test('a session’s lock keeps no commit waiting', async () => {
  const [holder, other] = [stage.open(), stage.open()];
  const { app, session } = stage.bucket();
  const release = await holder.lock?.({ app, session }, {});
  const start = performance.now();
  await other.commit(stage.bucket(), stage.commit());
  expect(performance.now() - start).toBeLessThan(1_500);
  await release?.();
});
