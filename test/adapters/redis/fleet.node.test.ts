import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { redis } from '../../../adapters/redis.js';
import { QTasks } from '../../../src/index.js';
import { mishaps } from '../../support/redis-faults.js';
import { Fleet, Ledger, type Remote } from './fleet.js';
import { Counter } from './fleet-member.js';

const fleet = new Fleet();
const timeout = 150_000;

const stateOf = (app: string) =>
  new QTasks({ name: app, storage: redis({ client: fleet.redis.ioredis() }) })
    .session('ann')
    .state(Counter);

/** What has to be there once each has made so many. */
const totals = (members: readonly Remote[], times: number): Record<string, number> => ({
  ...Object.fromEntries(members.map(({ name }) => [name, times])),
  n: members.length * times,
});

const seenBy = (members: readonly Remote[]): Promise<number[]> =>
  Promise.all(members.map((member) => member.seen()));

test(
  'four that count to 4,000 over a network that disturbs every third request count exactly',
  async () => {
    const app = 'disturbed';
    const members = await fleet.open(app);
    const ledger = await Ledger.open(fleet.redis, app);
    const mishap = mishaps(11);
    let [requests, disturbed] = [0, 0];
    fleet.faults.fault = async (exchange) => {
      requests++;
      await mishap(exchange);
      if (exchange.response.headersSent || exchange.response.destroyed) disturbed++;
    };
    await Promise.all(members.map((member) => member.watch()));
    await Promise.all(members.map((member) => member.count(1_000)));
    expect(await stateOf(app).getAll()).toEqual(totals(members, 1_000));
    expect(disturbed).toBeGreaterThan(requests / 5);
    // Ten increments travel together, unless somebody else comes between.
    expect(ledger.length).toBeLessThanOrEqual(4_000);
    ledger.check();
    await expect.poll(() => seenBy(members), { timeout: 20_000 }).toEqual(Array(4).fill(4_000));
    fleet.faults.fault = undefined;
    await Promise.all(members.map((member) => member.close()));
  },
  timeout,
);

test(
  'Redis and the proxy are killed and come back: nothing that was made is lost, and all go on',
  async () => {
    const app = 'interrupted';
    const members = await fleet.open(app);
    await Promise.all(members.map((member) => member.watch()));
    let isOver = false;
    const counting = members.map(async (member) => {
      while (!isOver) await member.count(10);
    });
    const failed = Promise.all(counting).then(() => {});
    /** Until each has made some more, which what has happened before has not ended. */
    const allGoOn = async (): Promise<void> => {
      const before = await Promise.all(members.map((member) => member.made()));
      const after = async () => {
        const made = await Promise.all(members.map((member) => member.made()));
        return made.every((count, index) => count >= (before[index] ?? 0) + 30);
      };
      await Promise.race([failed, expect.poll(after, { timeout: 30_000 }).toBe(true)]);
    };
    const redisAway = [() => fleet.redis.kill(), () => fleet.redis.restart()] as const;
    const proxyAway = [() => fleet.killProxy(), () => fleet.startProxy()] as const;
    // What is on its way is lost, before or after it was done.
    const cut = [() => fleet.faults.cut(), () => {}] as const;
    for (const [end, begin] of [redisAway, cut, proxyAway, redisAway, proxyAway]) {
      await allGoOn();
      await end();
      await sleep(300);
      await begin();
    }
    await allGoOn();
    isOver = true;
    await failed;
    const made = await Promise.all(members.map((member) => member.made()));
    const n = made.reduce((sum, count) => sum + count, 0);
    const own = Object.fromEntries(members.map(({ name }, index) => [name, made[index]]));
    expect(await stateOf(app).getAll()).toEqual({ ...own, n });
    await expect.poll(() => seenBy(members), { timeout: 20_000 }).toEqual(Array(4).fill(n));
    await Promise.all(members.map((member) => member.close()));
  },
  timeout,
);
