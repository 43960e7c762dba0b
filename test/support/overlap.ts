/** Tells whether runs overlap: a dependency that is inside from its opening to the end of its teardown. */
import { type Dependency, Depends } from '../../src/index.js';
import { settle } from './clock.js';

/** How often it was open, and how often at the same time. */
export interface Overlap {
  readonly dep: Dependency<void, 'task'>;
  readonly seen: { entered: number; now: number; most: number };
}

/** One place to be inside of; each turn in it takes a while. */
export function overlap(): Overlap {
  const seen = { entered: 0, now: 0, most: 0 };
  const dep = Depends(async function* () {
    seen.entered++;
    seen.now++;
    seen.most = Math.max(seen.most, seen.now);
    try {
      await settle();
      yield;
    } finally {
      await settle();
      seen.now--;
    }
  });
  return { dep, seen };
}
