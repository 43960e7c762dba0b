/**
 * The measuring engine: contestants take turns round by round in one process, each sample is checked,
 * and what is printed are ratios to the first contestant of the same round.
 */

/** One thing that is timed. */
export interface Case {
  /** For what happens in other threads: by the clock, as what counts is how long the caller waits. */
  readonly waits?: boolean;
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
  /** What it does not do, so that a fast half answer shows as one. */
  readonly without?: string;
  /** One for each column; `undefined` where it has no such thing. */
  readonly cases: readonly (Case | undefined)[];
}

/** What one of them shall reach in a column: at most so many times the other. */
interface Goal {
  readonly column: string;
  readonly of: string;
  readonly than: string;
  readonly atMost: number;
}

/** A table: columns of operations, rows of contestants; the first row is the baseline. */
export interface Suite {
  readonly title: string;
  readonly columns: readonly string[];
  readonly contestants: readonly Contestant[];
  /** Calls a sample, for those that take no longer than ten milliseconds for them. */
  readonly calls: number;
  readonly goals?: readonly Goal[];
  /**
   * The first column is a run with nothing in it, and the others are what they cost more than it:
   * differences of medians.
   */
  readonly added?: boolean;
  /** For operations of nanoseconds, which an `await` would drown. */
  readonly sync?: boolean;
}

const isPage = typeof process === 'undefined';
const quick = isPage ? location.search.includes('quick') : process.argv.includes('--quick');
/** A page waits for disks and other processes, whose time is counted as well: fewer will do. */
const rounds = isPage ? (quick ? 5 : 15) : quick ? 10 : 35;

/** Whether this is a fast pass whose figures are rough. */
export { quick };

/** A case with the times of its samples, in nanoseconds a call. */
interface Entry {
  readonly row: number;
  readonly column: number;
  readonly case: Case;
  calls: number;
  readonly times: number[];
  wrong: string | undefined;
}

/** The median time of a contestant's call in nanoseconds. */
export type Times = (name: string, column: string) => number;

/** Runs a suite and prints its table. */
export async function measure(suite: Suite): Promise<Times> {
  // by columns, so that those who are compared stand close together in time
  const entries = suite.columns.flatMap((_, column) =>
    suite.contestants.flatMap(({ cases }, row): Entry[] => {
      const one = cases[column];
      if (!one) return [];
      return [{ row, column, case: one, calls: suite.calls, times: [], wrong: undefined }];
    }),
  );
  for (let round = 0; round < rounds; round++) {
    if (round % 5 === 0) await warmUp(suite, entries);
    const empty = await sample({ sync: true }, { call: () => undefined }, suite.calls);
    for (const entry of inTurn(entries, round)) {
      const nanoseconds = await take(suite, entry);
      // Of what waits the empty loop is no part that counts, but whoever interrupts it is.
      entry.times.push(nanoseconds - (entry.case.waits ? 0 : empty.nanoseconds));
    }
  }
  print(suite, entries);
  return (name, column) => {
    const row = suite.contestants.findIndex((one) => one.name === name);
    const index = suite.columns.indexOf(column);
    const entry = entries.find((one) => one.row === row && one.column === index);
    return median(entry?.times ?? []);
  };
}

/**
 * Collects what some contestants leak, at a time when it is nobody's cost, and runs everybody untimed:
 * a full collection forgets the optimised code of closures that nobody holds just then.
 */
async function warmUp(suite: Suite, entries: readonly Entry[]): Promise<void> {
  globalThis.gc?.();
  for (const entry of inTurn(entries, 0)) {
    const nanoseconds = await take(suite, entry);
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
async function take(suite: Suite, entry: Entry): Promise<number> {
  try {
    const { nanoseconds, last } = await sample(suite, entry.case, entry.calls);
    entry.wrong = await entry.case.check(entry.calls + warmupOf(entry.calls), last);
    return nanoseconds;
  } catch (error) {
    entry.wrong = String(error);
    return Number.NaN;
  }
}

/** The slow ones need no thousand calls to be measured well. */
function reasonable(calls: number, nanoseconds: number): number {
  const least = Math.min(calls, 100);
  return Math.min(calls, Math.max(least, Math.ceil(1e7 / nanoseconds)));
}

interface Sample {
  /** Of processor time, for one call. */
  readonly nanoseconds: number;
  readonly last: unknown;
}

/** What went before left other code and data in the processor's caches. */
const warmupOf = (calls: number): number => (isPage && calls < 5 ? 0 : Math.ceil(calls / 5));

async function sample(
  { sync }: Pick<Suite, 'sync'>,
  { call, waits }: Pick<Case, 'call' | 'waits'>,
  calls: number,
): Promise<Sample> {
  for (let index = warmupOf(calls); index > 0; index--) await call();
  collectYoung();
  let last: unknown;
  const start = used(waits);
  if (sync) for (let index = 0; index < calls; index++) last = call();
  else for (let index = 0; index < calls; index++) last = await call();
  return { nanoseconds: (used(waits) - start) / calls, last };
}

/**
 * Nanoseconds: in Node of the processor, as nobody waits for anything else there but other threads, and
 * others may have it meanwhile; in a page of the clock, as most of what happens does so in other processes.
 */
function used(waits = false): number {
  if (isPage || waits) return performance.now() * 1e6;
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** So that nobody pays for what another one left behind. */
function collectYoung(): void {
  const collect = globalThis.gc as ((options?: { type: 'minor' }) => void) | undefined;
  collect?.({ type: 'minor' });
}

interface Ratio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

function print(suite: Suite, entries: readonly Entry[]): void {
  const { title, columns, contestants, added } = suite;
  const find = (row: number, column: number): Entry | undefined =>
    entries.find((entry) => entry.row === row && entry.column === column);
  const shown = columns.map((_, column) => column).filter((column) => !added || column > 0);
  const compare = (row: number, other: number, column: number): Ratio | undefined => {
    const [mine, theirs] = [find(row, column), find(other, column)];
    if (!mine || !theirs || mine.wrong !== undefined || theirs.wrong !== undefined)
      return undefined;
    if (!added) return ratio(mine.times, theirs.times);
    const [nothing, theirNothing] = [find(row, 0), find(other, 0)];
    return nothing && theirNothing && addedRatio([mine, nothing], [theirs, theirNothing]);
  };
  const cell = (row: number, column: number): string => {
    const entry = find(row, column);
    if (!entry) return '-';
    const found = compare(row, 0, column);
    if (!found) return 'WRONG';
    return row === 0 ? absolute(entry, added ? find(0, 0) : undefined) : format(found);
  };
  console.log(`\n${title} (${rounds} rounds of ${suite.calls} calls)`);
  table([
    ['', ...shown.map((column) => columns[column] ?? ''), 'does not'],
    ...contestants.map(({ name, without }, row) => [
      name,
      ...shown.map((column) => cell(row, column)),
      without ?? '',
    ]),
  ]);
  for (const { row, column, wrong } of entries) {
    if (wrong === undefined) continue;
    console.log(`  WRONG ${contestants[row]?.name}, ${columns[column]}: ${wrong}`);
  }
  for (const { column, of, than, atMost } of suite.goals ?? []) {
    const rowOf = (name: string) => contestants.findIndex((one) => one.name === name);
    const found = compare(rowOf(of), rowOf(than), columns.indexOf(column));
    const verdict = found && found.median <= atMost ? 'ok  ' : 'MISS';
    const what = `${column}: ${of} at most ${atMost} of ${than}`;
    console.log(`  ${verdict} ${what}: ${found ? number(found.median) : 'no figure'}`);
  }
}

function ratio(mine: readonly number[], theirs: readonly number[]): Ratio {
  const each = mine.map((time, round) => time / (theirs[round] ?? Number.NaN));
  return { median: median(each), low: Math.min(...each), high: Math.max(...each) };
}

/**
 * Differences are small beside the times they are of: a median of differences would wobble, so it is a
 * difference of medians; lowest and highest are those of a fifth of the rounds each.
 */
function addedRatio(mine: readonly [Entry, Entry], theirs: readonly [Entry, Entry]): Ratio {
  const added = ([full, nothing]: readonly [Entry, Entry], from = 0, to = rounds): number =>
    median(full.times.slice(from, to)) - median(nothing.times.slice(from, to));
  const fifth = Math.ceil(rounds / 5);
  const parts = Array.from({ length: 5 }, (_, part) => [part * fifth, (part + 1) * fifth] as const);
  const each = parts.map((part) => added(mine, ...part) / added(theirs, ...part));
  return {
    median: added(mine) / added(theirs),
    low: Math.min(...each),
    high: Math.max(...each),
  };
}

/** The baseline's own cell, for orientation only: it moves by a factor of 2 between machines. */
function absolute(entry: Entry, nothing: Entry | undefined): string {
  const nanoseconds = median(entry.times) - (nothing ? median(nothing.times) : 0);
  return nanoseconds < 10_000
    ? `1 = ${number(nanoseconds)} ns`
    : `1 = ${number(nanoseconds / 1000)} µs`;
}

/** The middle of some numbers. */
function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const number = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

const format = ({ median, low, high }: Ratio): string =>
  `${number(median)} (${number(low)}–${number(high)})`;

/** Prints rows with aligned columns. */
export function table(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of rows) {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    console.log(`  ${cells.join('  ').trimEnd()}`);
  }
}
