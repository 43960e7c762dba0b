/** `testStorage`: registers the whole contract suite with any test runner. */
import { QTasksError } from '../../../src/errors.js';
import { check, checkOptions, kinds } from '../../../src/options.js';
import { aborting } from './aborting.js';
import { Arena, type Cases, type StorageFactory } from './arena.js';
import { atomicity } from './atomicity.js';
import { closing } from './closing.js';
import { committing } from './committing.js';
import { conditions } from './conditions.js';
import { expiry } from './expiry.js';
import { listing } from './listing.js';
import { locking } from './locking.js';
import { names } from './names.js';
import { reading } from './reading.js';
import { repeats } from './repeats.js';
import { values } from './values.js';
import { watching } from './watching.js';

/** `test(name, fn)` of any runner: Vitest, Jest, Mocha, `node:test`. */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown;

/** Optional members of the contract that an adapter leaves out; then their absence is tested. */
export interface StorageGaps {
  readonly watch?: false;
  readonly lock?: false;
}

const topics: Readonly<Record<string, Cases>> = {
  reading,
  committing,
  conditions,
  repeats,
  atomicity,
  expiry,
  listing,
  watching,
  locking,
  names,
  values,
  aborting,
  closing,
};

/**
 * Registers the contract suite of `StorageAdapter`: one test for each promise, named
 * `"<name>: <topic>: <promise>"`. A test opens what it needs, closes it in the end, also after a
 * failure, and uses an app name of its own, so that a server can be shared.
 *
 * @param factory called once for each test
 * @param gaps which optional members the adapter lacks; a gap that is not declared fails
 * @throws OPTION_INVALID
 * @example
 * import { test } from 'node:test';
 * testStorage(test, 'my storage', () => myStorage());
 * testStorage(test, 'my server', () => ({ open: () => myStorage({ url }) })); // many openers
 */
export function testStorage(
  test: TestFunction,
  name: string,
  factory: StorageFactory,
  gaps: StorageGaps = {},
): void {
  check('testStorage: test', test, kinds.function);
  check('testStorage: the name', name, kinds.name);
  check('testStorage: the factory', factory, kinds.function);
  const isFalse = ['false', (value: unknown) => value === false] as const;
  checkOptions('testStorage: the gaps', gaps, { watch: isFalse, lock: isFalse });
  for (const [topic, cases] of Object.entries(topics)) {
    const gap = topic === 'watching' ? 'watch' : topic === 'locking' ? 'lock' : undefined;
    const chosen = gap && gaps[gap] === false ? absence(gap) : cases;
    for (const [promise, run] of Object.entries(chosen)) {
      test(`${name}: ${topic}: ${promise}`, () => play(factory, run));
    }
  }
}

const absence = (member: 'watch' | 'lock'): Cases => ({
  [`has no ${member}, as declared`]: async (arena) => {
    const adapter = await arena.open();
    if (adapter[member] === undefined) return;
    throw new QTasksError('OPTION_INVALID', `the adapter has ${member}; do not declare it a gap`);
  },
});

async function play(factory: StorageFactory, run: Cases[string]): Promise<void> {
  const arena = new Arena(await factory());
  try {
    await run(arena);
  } catch (error) {
    // The broken promise is the news, not what closing says of it.
    await arena.close().catch(() => {});
    throw error;
  }
  await arena.close();
}
