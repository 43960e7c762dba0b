import { expect, test } from 'vitest';
import { chaos } from './chaos.js';

test('workers that are killed all the time leave no call unsettled, and none of them stays', async () => {
  const { tally, lost, alive } = await chaos();
  const ends = ['right', 'stopped', 'WORKER_LOST'];
  const strange = Object.keys(tally).filter((kind) => !ends.some((end) => kind.endsWith(end)));
  expect(strange).toEqual([]);
  expect(tally['call: right']).toBeGreaterThan(1_000);
  expect(tally['retried: right']).toBeGreaterThan(1_000);
  expect(lost).toBeGreaterThanOrEqual(50);
  expect(alive).toBe(0);
}, 240_000);
