/** What a section hands over to the process that prints it, compares it and writes it down. */

/** Of the rounds: the middle one, and the extremes. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** A cell of a table. */
export interface Figure {
  /** As it is shown. */
  readonly text: string;
  /** Against the first row of its column, or a number that stands alone; missing where it is wrong. */
  readonly value?: Spread;
}

/** A contestant with its figures. */
export interface Row {
  readonly name: string;
  /** Whether it is the library's own: `npm run bench:guard` watches it. */
  readonly isOurs: boolean;
  /** What it does not do; empty where nothing is missing. */
  readonly without: string;
  /** One for each column; `null` where it has no such thing. */
  readonly figures: readonly (Figure | null)[];
}

/** What became of a goal. */
export interface Verdict {
  /** The column. */
  readonly what: string;
  readonly of: string;
  /** Empty where the goal is a number of its own. */
  readonly against: string;
  /** With its sign and unit: `≤ 1.25`. */
  readonly allowed: string;
  /** As it is shown, with its unit. */
  readonly found: string;
  /** Missing where there is no figure. */
  readonly value?: number;
  /** Whether a smaller value is a better one. */
  readonly isCost: boolean;
  readonly holds: boolean;
  /** Why it is missed, where that is known. */
  readonly because?: string;
}

/** How costs grow: what a plot shows. */
export interface Growth {
  /** The name of its file, without the ending. */
  readonly file: string;
  /** What there is more and more of. */
  readonly of: string;
  /** One for each row of the table. */
  readonly sizes: readonly number[];
  /** Up to how many times the smallest one's cost nothing has to be explained. */
  readonly atMost: number;
}

/** A table, finished. */
export interface Table {
  readonly title: string;
  /** How it was measured. */
  readonly detail: string;
  /** What the values of its figures are ratios to; empty where they stand alone. */
  readonly against: string;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
  /** Wrong answers, and what else has to be said. */
  readonly notes: readonly string[];
  readonly growth?: Growth;
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** A quarter of them is below it: of times, those of quiet moments. */
export function lowerQuartile(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 4)] ?? Number.NaN;
}

/** Three digits, about. */
export const digits = (value: number): string =>
  value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

/** A ratio with its extremes. */
export const spread = ({ median, low, high }: Spread): string =>
  `${digits(median)} (${digits(low)}–${digits(high)})`;

/** A time for orientation only: it moves by a factor of 2 between machines. */
export const time = (nanoseconds: number): string =>
  nanoseconds < 10_000 ? `${digits(nanoseconds)} ns` : `${digits(nanoseconds / 1000)} µs`;
