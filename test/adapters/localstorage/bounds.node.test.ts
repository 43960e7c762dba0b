/** What an adapter on a web storage keeps in memory. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { localstorage } from '../../../adapters/localstorage.js';
import { copies } from './copies.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function used(): number {
  for (let pass = 0; pass < 3; pass++) collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

test('buckets that were written and removed leave nothing in memory', {
  timeout: 120_000,
}, async () => {
  const [area] = copies(1);
  if (!area) throw new Error('no area');
  const clock = { now: () => 0, setTimeout() {}, clearTimeout() {} };
  const storage = localstorage({ area, clock });
  let sequence = 0;
  const writeMany = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      const id = { app: 'app', session: `s${++sequence}`, state: 'cart' };
      await storage.commit(id, { writer: 'w', sequence, set: new Map([['x', '1']]) });
    }
    area.clear();
  };
  await writeMany(5_000);
  const before = used();
  await writeMany(50_000);
  expect(used() - before).toBeLessThan(5);
});
