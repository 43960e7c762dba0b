/**
 * The measuring engine: contestants take turns round by round in one process, each sample is checked,
 * and what counts are ratios to the first contestant of the same round.
 */
import { type Compared, compare } from './compare.js';
import { type Growth, median } from './figures.js';
import { deliver, rounds } from './runtime.js';
import { reasonable, sample, warmupOf } from './sample.js';

/** One thing that is timed. */
export interface Case {
  /** For what happens in other threads: by the clock, as what counts is how long the caller waits. */
  readonly waits?: boolean;
  /** How many things one operation does: the figure is that of one thing. Default 1. */
  readonly things?: number;
  /** Makes what so many calls need; not timed. */
  prepare?(calls: number): void;
  /** One operation. Its promise is awaited, unless the suite is `sync`. */
  call(): unknown;
  /**
   * Looks at what the calls of a sample did; not timed.
   * @param calls how many there were
   * @param last what the last one gave
   * @returns what is wrong, if anything is
   */
  check(calls: number, last: unknown): string | undefined | Promise<string | undefined>;
}

/** Somebody to compare with, in every column that it can do. */
export interface Contestant {
  readonly name: string;
  /** Whether it is the library. Default: whether its name says so. */
  readonly isOurs?: boolean;
  /** What it does not do, so that a fast half answer shows as one. */
  readonly without?: string;
  /** One for each column; `undefined` where it has no such thing. */
  readonly cases: readonly (Case | undefined)[];
}

/** What one of them shall reach in a column: at most so many times the other. */
export interface Goal {
  readonly column: string;
  readonly of: string;
  readonly than: string;
  readonly atMost: number;
}

/** How many things one of them shall do in a second. */
export interface Rate {
  readonly column: string;
  readonly of: string;
  readonly things: string;
  /** How many one operation does. */
  readonly each: number;
  readonly atLeast: number;
}

/** A table: columns of operations, rows of contestants; the first row is the baseline. */
export interface Suite {
  readonly title: string;
  readonly columns: readonly string[];
  readonly contestants: readonly Contestant[];
  /**
   * Calls a sample: fewer of those that take longer than ten milliseconds for them, more of those that
   * the clock could not tell apart.
   */
  readonly calls: number;
  readonly goals?: readonly Goal[];
  readonly rate?: Rate;
  /**
   * The first column is a run with nothing in it, and the others are what they cost more than it:
   * differences of lower quartiles.
   */
  readonly added?: boolean;
  /** For operations of nanoseconds, which an `await` would drown; the empty loop is subtracted. */
  readonly sync?: boolean;
  /** Whether a third of the rounds will do, as a multiple is looked for, not a percentage. */
  readonly coarse?: boolean;
  /** The rows are sizes, from the smallest, and no column shall grow with them; it is coarse. */
  readonly growth?: Growth;
  /** Why a column grows all the same. */
  readonly because?: Readonly<Record<string, string>>;
  readonly notes?: readonly string[];
}

/** A case with the times of its samples, in nanoseconds a call. */
interface Entry extends Compared {
  readonly case: Case;
  calls: number;
  readonly times: number[];
  wrong: string | undefined;
}

/** Runs a suite and hands its table over. */
export async function measure(suite: Suite): Promise<void> {
  const entries = entriesOf(suite);
  // A first figure of how long a call takes is that of code that nobody has optimised yet.
  await warmUp(suite, entries);
  const many = suite.growth || suite.coarse ? Math.ceil(rounds / 3) : rounds;
  for (let round = 0; round < many; round++) {
    if (round % 5 === 0) await warmUp(suite, entries);
    const empty = suite.sync ? await emptyLoop(suite) : 0;
    for (const entry of inTurn(entries, round))
      entry.times.push((await take(suite, entry)) - empty);
  }
  await deliver(compare(suite, entries));
}

/** By columns, so that those who are compared stand close together in time. */
function entriesOf({ columns, contestants, calls }: Suite): Entry[] {
  return columns.flatMap((_, column) =>
    contestants.flatMap(({ cases }, row): Entry[] => {
      const one = cases[column];
      return one ? [{ row, column, case: one, calls, times: [], wrong: undefined }] : [];
    }),
  );
}

/**
 * Collects what some contestants leak, at a time when it is nobody's cost, and runs everybody untimed:
 * a full collection forgets the optimised code of closures that nobody holds just then.
 */
async function warmUp(suite: Suite, entries: readonly Entry[]): Promise<void> {
  globalThis.gc?.();
  for (const entry of inTurn(entries, 0)) {
    const nanoseconds = (await take(suite, entry)) * (entry.case.things ?? 1);
    entry.calls = reasonable(suite.calls, nanoseconds);
  }
}

/** Those that have done nothing wrong; nobody is always the first, whose processor is the coldest. */
function* inTurn(entries: readonly Entry[], round: number): Generator<Entry> {
  for (let turn = 0; turn < entries.length; turn++) {
    const entry = entries[(turn + round * 7) % entries.length];
    if (entry && entry.wrong === undefined) yield entry;
  }
}

/** Takes one sample and checks it. */
async function take({ sync = false }: Suite, entry: Entry): Promise<number> {
  try {
    const { nanoseconds, last } = await sample(entry.case, entry.calls, sync);
    entry.wrong = await entry.case.check(entry.calls + warmupOf(entry.calls), last);
    return nanoseconds / (entry.case.things ?? 1);
  } catch (error) {
    entry.wrong = String(error);
    return Number.NaN;
  }
}

async function emptyLoop({ calls }: Suite): Promise<number> {
  const samples = [];
  for (let pass = 0; pass < 3; pass++) {
    samples.push((await sample({ call: () => undefined }, Math.max(calls, 1e6), true)).nanoseconds);
  }
  return median(samples);
}
