import { expect, test } from 'vitest';
import { heapUsed } from '../../support/heap.js';
import { chaos } from './chaos.js';

test('workers that are killed all the time leave no call unsettled, no thread and no memory', async () => {
  const before = await heapUsed();
  await chaos();
  expect((await heapUsed()) - before).toBeLessThan(5);
}, 240_000);
