/** Costs against sizes: the same operations at each of them, in turns. */
import { type Contestant, measure, type Suite } from '../harness/measure.js';

/** Up to here a cost counts as one that does not grow. */
const atMost = 3;

/** Operations, and what there is more and more of around them. */
export interface Series {
  /** The name of the plot's file, without the ending. */
  readonly file: string;
  readonly title: string;
  /** What the sizes count. */
  readonly of: string;
  readonly sizes: readonly number[];
  readonly columns: readonly string[];
  readonly calls: number;
  /** Why a column grows all the same. */
  readonly because?: Suite['because'];
  /** The operations at a size, one for each column. */
  at(size: number): Contestant['cases'] | Promise<Contestant['cases']>;
}

/** Powers of ten. */
export const tens = (from: number, to: number): number[] =>
  from > to ? [] : [from, ...tens(from * 10, to)];

/** Measures all sizes against the smallest. */
export async function grow(series: Series): Promise<void> {
  const { file, title, of, sizes, columns, calls, because } = series;
  const contestants: Contestant[] = [];
  for (const size of sizes) {
    const name = `${size.toLocaleString('en')} ${of}`;
    contestants.push({ name, isOurs: true, cases: await series.at(size) });
  }
  await measure({
    ...{ title, columns, calls, contestants, growth: { file, of, sizes, atMost } },
    ...(because ? { because } : {}),
  });
}
