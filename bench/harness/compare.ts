/** Makes a table of times: ratios to the first row, and what became of the goals. */
import {
  digits,
  type Figure,
  lowerQuartile,
  median,
  type Row,
  type Spread,
  spread,
  type Table,
  time,
  type Verdict,
} from './figures.js';
import type { Goal, Rate, Suite } from './measure.js';

/** The times of one contestant in one column, in nanoseconds a call, one for each round. */
export interface Compared {
  readonly row: number;
  readonly column: number;
  readonly times: readonly number[];
  /** What it has done wrong: then it has no figure. */
  readonly wrong: string | undefined;
}

/** Compares all rows of a suite with its first one. */
export function compare(suite: Suite, entries: readonly Compared[]): Table {
  return new Comparison(suite, entries).table();
}

class Comparison {
  readonly #suite: Suite;
  readonly #entries: readonly Compared[];

  constructor(suite: Suite, entries: readonly Compared[]) {
    this.#suite = suite;
    this.#entries = entries;
  }

  table(): Table {
    const { title, columns, contestants, growth, notes = [] } = this.#suite;
    const shown = [...columns.keys()].slice(this.#suite.added ? 1 : 0);
    const rows = contestants.map(
      ({ name, without = '', isOurs = name.startsWith('qtasks-lite') }, row): Row => {
        return { name, isOurs, without, figures: shown.map((column) => this.#figure(row, column)) };
      },
    );
    return {
      ...{ title, rows, columns: shown.map((column) => columns[column] ?? '') },
      detail: `${Math.max(...this.#entries.map(({ times }) => times.length))} rounds`,
      against: contestants[0]?.name ?? '',
      verdicts: this.#verdicts(),
      notes: [...this.#faults(), ...notes],
      ...(growth ? { growth } : {}),
    };
  }

  #find(row: number, column: number): Compared | undefined {
    return this.#entries.find((entry) => entry.row === row && entry.column === column);
  }

  #figure(row: number, column: number): Figure | null {
    if (!this.#find(row, column)) return null;
    const value = this.#ratio(row, 0, column);
    if (!value) return { text: 'WRONG' };
    return { text: row === 0 ? `1 = ${time(this.#time(0, column))}` : spread(value), value };
  }

  /** How many times the other's cost a contestant has; nothing where one of them is wrong or missing. */
  #ratio(row: number, other: number, column: number): Spread | undefined {
    const [mine, theirs] = [this.#find(row, column), this.#find(other, column)];
    if (mine?.wrong !== undefined || theirs?.wrong !== undefined) return undefined;
    if (!this.#suite.added) return mine && theirs && ratio(mine.times, theirs.times);
    const [nothing, theirNothing] = [this.#find(row, 0), this.#find(other, 0)];
    if (!mine || !theirs || !nothing || !theirNothing) return undefined;
    return addedRatio([mine.times, nothing.times], [theirs.times, theirNothing.times]);
  }

  #time(row: number, column: number): number {
    const times = this.#find(row, column)?.times ?? [];
    return this.#suite.added ? added([times, this.#find(row, 0)?.times ?? []]) : median(times);
  }

  #faults(): string[] {
    const { columns, contestants } = this.#suite;
    return this.#entries.flatMap(({ row, column, wrong }) =>
      wrong === undefined ? [] : [`WRONG ${contestants[row]?.name}, ${columns[column]}: ${wrong}`],
    );
  }

  #verdicts(): Verdict[] {
    const { goals = [], rate, growth, columns } = this.#suite;
    return [
      ...goals.map((goal) => this.#verdict(goal)),
      ...(rate ? [this.#rate(rate)] : []),
      ...(growth ? columns.map((column) => this.#grown(column, growth.atMost)) : []),
    ];
  }

  #verdict({ column, of, than, atMost }: Goal): Verdict {
    const rowOf = (name: string) => this.#suite.contestants.findIndex((one) => one.name === name);
    const found = this.#ratio(rowOf(of), rowOf(than), this.#suite.columns.indexOf(column));
    return {
      ...{ what: column, of, against: than, allowed: `≤ ${atMost}`, isCost: true },
      ...(found
        ? { found: digits(found.median), value: found.median, holds: found.median <= atMost }
        : { found: 'no figure', holds: false }),
    };
  }

  #rate({ column, of, things, each, atLeast }: Rate): Verdict {
    const row = this.#suite.contestants.findIndex(({ name }) => name === of);
    const value = Math.round((each * 1e9) / this.#time(row, this.#suite.columns.indexOf(column)));
    const show = (number: number): string => `${number.toLocaleString('en')} ${things} a second`;
    return {
      ...{ what: things, of, against: '', allowed: `≥ ${show(atLeast)}`, isCost: false },
      ...{ found: show(value), value, holds: value >= atLeast },
    };
  }

  /** Of the size that costs most, which need not be the largest. */
  #grown(column: string, atMost: number): Verdict {
    const { contestants, columns, because } = this.#suite;
    const at = columns.indexOf(column);
    const ratios = contestants.map((_, row) => this.#ratio(row, 0, at)?.median ?? Number.NaN);
    const most = contestants[ratios.indexOf(Math.max(...ratios))]?.name ?? '';
    const against = contestants[0]?.name ?? '';
    const verdict = this.#verdict({ column, of: most, than: against, atMost });
    const reason = because?.[column];
    return {
      ...verdict,
      ...{ of: 'qtasks-lite', found: `${verdict.found} with ${most || 'some number'}` },
      ...(reason && !verdict.holds ? { because: reason } : {}),
    };
  }
}

function ratio(mine: readonly number[], theirs: readonly number[]): Spread {
  const each = mine.map((time, round) => time / (theirs[round] ?? Number.NaN));
  return { median: median(each), low: Math.min(...each), high: Math.max(...each) };
}

type Full = readonly [full: readonly number[], nothing: readonly number[]];

/** A busy machine only ever adds to a time, and this is small beside those that it is the difference of. */
const added = ([full, nothing]: Full): number => lowerQuartile(full) - lowerQuartile(nothing);

/** Of all rounds; lowest and highest are those of some rounds each. */
function addedRatio(mine: Full, theirs: Full): Spread {
  const rounds = mine[0].length;
  const of = (from: number, to: number): number => {
    const cut = ([full, nothing]: Full): Full => [full.slice(from, to), nothing.slice(from, to)];
    return added(cut(mine)) / added(cut(theirs));
  };
  const parts = Math.max(2, Math.min(5, Math.floor(rounds / 6)));
  const each = Array.from({ length: parts }, (_, part) =>
    of(Math.round((part * rounds) / parts), Math.round(((part + 1) * rounds) / parts)),
  );
  return { median: of(0, rounds), low: Math.min(...each), high: Math.max(...each) };
}
