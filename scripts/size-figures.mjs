/**
 * The figures in the documentation, which nobody types: each stands between two comments that name it, like
 * `<!-- size:memory -->21.8 kB<!-- / -->`. `scripts/size.mjs` has measured them.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** @typedef {{ name: string, minified: number, brotli: number, limit: number }} Measured */

/** By how much a figure may be wrong until it has to be written anew. */
const tolerance = 0.02;

const figure = /(<!-- (\w+:\w+) -->)([^<]*)(<!-- \/ -->)/g;

/**
 * What the documentation may name, in bytes: `size` is compressed, `minified` is not, `limit` is the
 * budget, and `added` is what a storage adds to tasks, dependencies and states.
 * @param {readonly Measured[]} measured
 * @returns {ReadonlyMap<string, number>}
 */
export function figuresOf(measured) {
  const without = measured.find(({ name }) => name === 'state')?.brotli ?? 0;
  return new Map(
    measured.flatMap(({ name, minified, brotli, limit }) => [
      [`size:${name}`, brotli],
      [`minified:${name}`, minified],
      [`limit:${name}`, limit],
      [`added:${name}`, brotli - without],
    ]),
  );
}

/**
 * Compares the figures of README.md and docs/ with those that were measured, or writes them.
 * @param {ReadonlyMap<string, number>} figures
 * @param {boolean} write
 * @returns {string[]} what is wrong
 */
export function syncFigures(figures, write) {
  const docs = readdirSync('docs').filter((file) => file.endsWith('.md'));
  const pages = ['README.md', ...docs.map((file) => `docs/${file}`)];
  const faults = pages.flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    if (!write) return compare(path, text, figures);
    const written = text.replaceAll(
      figure,
      (_, before, name, shown, after) =>
        before + (isTrue(shown, name, figures) ? shown : format(name, figures)) + after,
    );
    if (written !== text) writeFileSync(path, written);
    return compare(path, written, figures);
  });
  const readme = readFileSync('README.md', 'utf8');
  if (!readme.includes('<!-- size:')) faults.push('README.md: there are no figures');
  return faults;
}

/**
 * @param {string} path
 * @param {string} text
 * @param {ReadonlyMap<string, number>} figures
 */
function compare(path, text, figures) {
  return [...text.matchAll(figure)].flatMap(([, , name = '', shown = '']) =>
    isTrue(shown, name, figures)
      ? []
      : [`${path}: ${name} is ${format(name, figures)}, not "${shown}"`],
  );
}

/**
 * @param {string} shown
 * @param {string} name
 * @param {ReadonlyMap<string, number>} figures
 */
function isTrue(shown, name, figures) {
  const bytes = figures.get(name);
  if (bytes === undefined) return false;
  if (name.startsWith('limit:')) return shown === format(name, figures);
  // As it is written: to a tenth of a kilobyte.
  const kilobytes = /^(\d+\.\d) kB$/.exec(shown)?.[1];
  const error = Math.abs(Number(kilobytes) * 1000 - bytes);
  return kilobytes !== undefined && error <= 50 + bytes * tolerance;
}

/**
 * @param {string} name
 * @param {ReadonlyMap<string, number>} figures
 */
function format(name, figures) {
  const bytes = figures.get(name);
  if (bytes === undefined) return 'nothing that is measured';
  return `${(bytes / 1000).toFixed(1)} kB`;
}
