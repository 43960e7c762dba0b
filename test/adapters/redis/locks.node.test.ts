import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Calls } from '../../../adapters/redis/calls.js';
import { Connection } from '../../../adapters/redis/client.js';
import { Locks } from '../../../adapters/redis/locks.js';
import * as faults from '../../support/redis-faults.js';
import { codeOf, Stage } from './support.js';

const stage = new Stage();

/** Locks of a client of their own, which count only briefly without a renewal. */
const brief = (ttl = 300): { locks: Locks; die: () => void } => {
  const client = stage.server.ioredis();
  const locks = new Locks(new Calls(new Connection(client), { limit: 0 }), {
    session: ttl,
    state: ttl,
  });
  return { locks, die: () => client.disconnect() };
};

test('a lock is kept for longer than its time, and free once it is given back', async () => {
  const [one, other] = [brief(), brief()];
  const place = { app: stage.app, session: 'ann' };
  const release = await one.locks.acquire(place);
  let isIn = false;
  const next = other.locks.acquire(place).then((free) => {
    isIn = true;
    return free;
  });
  await sleep(900);
  expect(isIn).toBe(false);
  await release();
  await (await next)();
});

test('a lock whose holder died is free once its time is over', async () => {
  const [one, other] = [brief(), brief()];
  const place = { app: stage.app, session: 'ann' };
  await one.locks.acquire(place);
  one.die();
  const start = performance.now();
  const release = await other.locks.acquire(place);
  expect(performance.now() - start).toBeGreaterThan(150);
  await release();
});

test('one that died waiting keeps the others no longer than its time', async () => {
  const [one, dead, other] = [brief(), brief(), brief()];
  const place = { app: stage.app, session: 'ann' };
  const release = await one.locks.acquire(place);
  const died = codeOf(dead.locks.acquire(place));
  await sleep(50);
  dead.die();
  const next = other.locks.acquire(place);
  await release();
  await (await next)();
  expect(await died).toBe('STORAGE_UNAVAILABLE');
});

test('who came first is served first', async () => {
  const all = [brief(3_000), brief(3_000), brief(3_000), brief(3_000)];
  const place = { app: stage.app, session: 'ann', state: 'cart' };
  const release = await brief(3_000).locks.acquire(place);
  const order: number[] = [];
  const entering = [];
  for (const [index, { locks }] of all.entries()) {
    entering.push(
      locks.acquire(place).then(async (free) => {
        order.push(index);
        await free();
      }),
    );
    await sleep(30);
  }
  await release();
  await Promise.all(entering);
  expect(order).toEqual([0, 1, 2, 3]);
});

test('locks pass from hand to hand where a third of the answers is lost', async () => {
  const storages = Array.from({ length: 3 }, () =>
    stage.open({ retry: { limit: 20, delay: 1, maxDelay: 10 } }),
  );
  let request = 0;
  const fates = [undefined, faults.dropReply, undefined, undefined, faults.drop];
  stage.rest.fault = (exchange) => fates[request++ % fates.length]?.(exchange);
  const place = { app: stage.app, session: 'ann' };
  let inside = 0;
  let most = 0;
  await Promise.all(
    storages.map(async (storage) => {
      for (let round = 0; round < 10; round++) {
        const release = await storage.lock?.(place, {});
        most = Math.max(most, ++inside);
        await sleep(1);
        inside--;
        await release?.();
      }
    }),
  );
  expect(most).toBe(1);
});

test('an abort while the question is on its way leaves nobody in the queue', async () => {
  const [one, other] = [stage.open(), stage.open()];
  const place = { app: stage.app, session: 'ann' };
  stage.rest.next.push(faults.delay(100));
  const controller = new AbortController();
  const reason = new Error('enough');
  const waiting = one.lock?.(place, { signal: controller.signal }) ?? Promise.reject();
  await expect.poll(() => stage.rest.next.length).toBe(0);
  controller.abort(reason);
  expect(await codeOf(waiting)).toBe(reason);
  await sleep(150);
  const start = performance.now();
  await (await other.lock?.(place, {}))?.();
  expect(performance.now() - start).toBeLessThan(2_000);
});

test('a lock that is held when its storage is closed can still be given back', async () => {
  const [one, other] = [stage.open(), stage.open()];
  const place = { app: stage.app, session: 'ann' };
  const release = await one.lock?.(place, {});
  await one.close();
  await release?.();
  await (await other.lock?.(place, {}))?.();
});
