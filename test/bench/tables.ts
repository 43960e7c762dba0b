/** Tables as the benchmarks hand them over. */
import type { Table, Verdict } from '../../bench/harness/figures.js';

/** A row: its name, and a ratio for each column or nothing where it is wrong. */
type Ratios = readonly [name: string, ...ratios: (number | undefined)[]];

/** A table of ratios; those of the library are told by its name. */
export function tableOf({
  rows,
  ...rest
}: Partial<Omit<Table, 'rows'>> & { readonly rows: readonly Ratios[] }): Table {
  return {
    ...{ title: 'A table', detail: '10 rounds', against: rows[0]?.[0] ?? '', columns: [] },
    ...{ verdicts: [], notes: [], ...rest },
    rows: rows.map(([name, ...ratios]) => ({
      ...{ name, isOurs: name.startsWith('qtasks-lite'), without: '' },
      figures: ratios.map((ratio) =>
        ratio === undefined
          ? { text: 'WRONG' }
          : { text: String(ratio), value: { median: ratio, low: ratio, high: ratio } },
      ),
    })),
  };
}

/** What became of a goal of 1. */
export function verdictOf(given: Partial<Verdict> & { readonly value: number }): Verdict {
  return {
    ...{ what: 'set', of: 'qtasks-lite', against: 'keyv', allowed: '≤ 1', isCost: true },
    ...{ found: String(given.value), holds: given.value <= 1, ...given },
  };
}
