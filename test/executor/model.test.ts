/** Random runs, cancels, closes, readers, middleware and faults: what the executor promises holds of all. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Settled } from '../../src/index.js';
import { settle } from '../support/clock.js';
import { turn } from '../support/promises.js';
import { Check } from './model/check.js';
import type { RunLog } from './model/history.js';
import { scenario } from './model/scenario.js';
import { World } from './model/world.js';

it('settles every run once and truthfully and gives everything back, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const world = new World(given);
      await world.play();
      expect(world.violations).toEqual([]);
      await world.probe();
      // A failure is told in a turn of its own.
      if (world.runs.some(({ looked, ends }) => !looked && ends[0]?.type === 'run:error'))
        await turn();
      const settled = new Map<RunLog, Settled<unknown>>();
      for (const log of world.runs) {
        if (log.run !== undefined) settled.set(log, await log.run.settled);
      }
      const closing = world.app.close();
      await world.clock.advance(10_000);
      await closing;
      await settle();
      expect(world.app.inspect().runs).toEqual([]);
      expect(new Check(world, settled).problems).toEqual([]);
    }),
    { numRuns: 300 },
  );
}, 60_000);
