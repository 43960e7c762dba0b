/** The ratios that `npm run bench:guard` watches, and when one of them is worse than it was. */

/** @typedef {import('./figures.js').Table} Table */
/** @typedef {Readonly<Record<string, number>>} Figures by `section: title: contestant, column, of the other` */

/** By how much a ratio may be higher than in the baseline: less than this is noise on a busy machine. */
export const tolerance = 0.25;

/**
 * The library's own costs in the tables of a section, as ratios to the first row and to whom its goals name.
 * @param {string} section
 * @param {readonly Table[]} tables
 * @returns {Figures}
 */
export function figuresOf(section, tables) {
  return Object.fromEntries(
    tables.flatMap((table) =>
      [...ownRows(table), ...goals(table)].map(([name, value]) => [
        `${section}: ${table.title}: ${name}`,
        Number(value.toPrecision(3)),
      ]),
    ),
  );
}

/**
 * @param {Table} table
 * @returns {[string, number][]}
 */
function ownRows({ rows, columns, against }) {
  return rows.flatMap(({ name, isOurs, figures }) =>
    columns.flatMap((column, at) => {
      const value = figures[at]?.value;
      if (!isOurs || !value || !against || name === against) return [];
      return [
        /** @type {[string, number]} */ ([`${name}, ${column}, of ${against}`, value.median]),
      ];
    }),
  );
}

/**
 * @param {Table} table
 * @returns {[string, number][]}
 */
function goals({ verdicts }) {
  return verdicts.flatMap(({ what, of, against, value }) =>
    against && value !== undefined
      ? [/** @type {[string, number]} */ ([`${of}, ${what}, of ${against}`, value])]
      : [],
  );
}

/**
 * Measures until nothing looks worse than it was, five times at most. Noise only ever adds to a ratio, so
 * what counts is the lowest of each.
 * @param {Figures} was
 * @param {(looksWorse: number) => Promise<Figures>} measure told how much looked worse after the run before
 * @returns {Promise<Figures>}
 */
export async function bestOf(was, measure) {
  /** @type {Figures} */
  let best = {};
  let looksWorse = 0;
  for (let run = 0; run < 5; run++) {
    best = lowest(best, await measure(looksWorse));
    looksWorse = worse(was, best).length;
    if (looksWorse === 0) break;
  }
  return best;
}

/**
 * @param {Figures} some
 * @param {Figures} others
 * @returns {Figures}
 */
function lowest(some, others) {
  const all = Object.entries({ ...some, ...others });
  return Object.fromEntries(
    all.map(([name, value]) => [name, Math.min(value, some[name] ?? value)]),
  );
}

/**
 * The middle one of each, of those runs that have it.
 * @param {readonly Figures[]} runs
 * @returns {Figures}
 */
export function middle(runs) {
  const names = new Set(runs.flatMap((run) => Object.keys(run)));
  return Object.fromEntries(
    [...names].map((name) => {
      const values = runs.flatMap((run) => run[name] ?? []).sort((a, b) => a - b);
      return [name, values[Math.floor(values.length / 2)] ?? Number.NaN];
    }),
  );
}

/**
 * @param {Figures} was
 * @param {Figures} is the best that was found
 * @returns {{ name: string, was: number, is: number | undefined }[]} what is worse, or gone
 */
export function worse(was, is) {
  return Object.entries(was).flatMap(([name, before]) => {
    const now = is[name];
    if (now !== undefined && now <= before * (1 + tolerance)) return [];
    return [{ name, was: before, is: now }];
  });
}

/**
 * @param {Figures} was
 * @param {Figures} is
 * @returns {string[]} what is measured, but was not when the baseline was written
 */
export const unknown = (was, is) => Object.keys(is).filter((name) => !(name in was));
