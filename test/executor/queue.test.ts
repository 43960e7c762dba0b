/** Whatever is added, taken and dropped in whatever order, the queue is a sorted list. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { PriorityQueue, type Waiting } from '../../src/queue.js';

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ add: fc.oneof(fc.constant(0), fc.integer(), fc.nat(3)) }) },
  { weight: 4, arbitrary: fc.constant('take' as const) },
  { weight: 2, arbitrary: fc.record({ drop: fc.nat(50) }) },
);

it('gives the smallest priority first and the oldest among equals, and none that was dropped', async () => {
  await fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new PriorityQueue<Waiting>();
      let left: Waiting[] = [];
      const take = (): void => {
        const [first, ...rest] = left;
        expect(queue.take()).toBe(first);
        left = rest;
      };
      for (const [order, one] of steps.entries()) {
        if (one === 'take') take();
        else if ('add' in one) {
          const item = { priority: one.add, order, gone: false };
          queue.add(item);
          left = [...left, item].sort((a, b) => a.priority - b.priority || a.order - b.order);
        } else {
          const dropped = left[one.drop % Math.max(1, left.length)];
          if (dropped) queue.drop(dropped);
          left = left.filter((item) => item !== dropped);
        }
      }
      while (left.length > 0) take();
      take();
      expect(queue.isEmpty).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});
