import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { testStorage } from '../../../adapters/testing/index.js';
import { ManualClock } from '../../support/clock.js';
import { apart, bare, broken, type Openers } from './broken.js';
import { mutants } from './broken-data.js';
import { noticeMutants } from './broken-notices.js';
import { strangers } from './broken-openers.js';

// The suite has a listener throw, which the memory adapter under all of these prints.
beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs the suite on adapters that live on a clock of their own; gives what failed, by name. */
async function failures(openers: Openers): Promise<Map<string, string>> {
  const cases: [name: string, run: () => Promise<void>][] = [];
  testStorage(
    (name, run) => cases.push([name, run]),
    'it',
    () => {
      const clock = new ManualClock();
      return { open: openers(clock), sleep: (duration) => clock.advance(duration) };
    },
  );
  const failed = new Map<string, string>();
  for (const [name, run] of cases) {
    try {
      await run();
    } catch (error) {
      failed.set(name.slice('it: '.length), (error as Error).message);
    }
  }
  return failed;
}

test('the suite passes on an adapter that is right', async () => {
  expect([...(await failures(broken(() => ({}))))]).toEqual([]);
  expect([...(await failures(apart(() => ({}))))]).toEqual([]);
});

async function isCaught(openers: Openers, caughtBy: string, says: RegExp): Promise<void> {
  const failed = await failures(openers);
  const caught = [...failed].find(([name]) => name.startsWith(caughtBy));
  expect([...failed.keys()], caughtBy).toContain(caught?.[0] ?? caughtBy);
  expect(caught?.[1]).toMatch(says);
}

test.for([...mutants, ...noticeMutants])(
  'the suite catches an adapter that %s',
  ([, change, caughtBy, says]) => isCaught(broken(change), caughtBy, says),
);

test.for(strangers)('the suite catches an opener that %s', ([, change, caughtBy, says]) =>
  isCaught(apart(change), caughtBy, says),
);

test('every opener is closed after a test, also one that failed, and so is the source', async () => {
  const counts = { opened: 0, closed: 0, sources: 0, sourcesClosed: 0 };
  const runs: (() => Promise<void>)[] = [];
  testStorage(
    (_name, run) => runs.push(run),
    'it',
    () => {
      const right = bare(new ManualClock());
      counts.sources++;
      return {
        async open() {
          counts.opened++;
          let isOpen = true;
          const close = async (): Promise<void> => {
            if (isOpen) counts.closed++;
            isOpen = false;
          };
          return { ...right, close, read: () => Promise.reject(new Error('no')) };
        },
        async close() {
          counts.sourcesClosed++;
        },
      };
    },
    { watch: false },
  );
  const results = await Promise.allSettled(runs.map((run) => run()));
  expect(results.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(40);
  expect(counts.sources).toBe(runs.length);
  expect(counts.sourcesClosed).toBe(runs.length);
  expect(counts.opened).toBeGreaterThan(runs.length);
  expect(counts.closed).toBe(counts.opened);
});

test('an adapter may have a method open of its own', async () => {
  const runs: (() => Promise<void>)[] = [];
  const open = (): never => expect.unreachable('the suite opens it by using it');
  testStorage(
    (_name, run) => runs.push(run),
    'it',
    () => ({ ...bare(new ManualClock()), open }),
  );
  await runs[0]?.();
});

test('a gap that is declared is tested as one', async () => {
  const names: string[] = [];
  testStorage(
    (name) => names.push(name),
    'it',
    () => bare(new ManualClock()),
    { watch: false, lock: false },
  );
  expect(names.filter((name) => /^it: (watching|locking)/.test(name))).toEqual([
    'it: watching: has no watch, as declared',
    'it: locking: has no lock, as declared',
  ]);
});
