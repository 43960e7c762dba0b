/** Draws how a cost grows, into docs/growth: a plot that can be read on a light and on a dark page. */
import { mkdirSync, writeFileSync } from 'node:fs';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** @typedef {import('./figures.js').Table} Table */

/** It has a ground of its own, as nobody knows that of the page. */
const style = `
  svg { background: #fff; color: #24292f; font-family: system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { svg { background: #161b22; color: #e6edf3; } }
`;

/** Of three times the contrast at least, on both grounds; a symbol each for those who see no colours. */
const colors = ['#3b82f6', '#d97706', '#0d9f6e', '#e0475b', '#a855f7', '#7d8590'];
/** @type {import('@observablehq/plot').SymbolType[]} */
const symbols = ['circle', 'square', 'triangle', 'diamond', 'star', 'wye'];

/** @param {Table} table of a growing number of things */
export function draw(table) {
  if (!table.growth) return;
  mkdirSync('docs/growth', { recursive: true });
  writeFileSync(`docs/growth/${table.growth.file}.svg`, `${svgOf(table)}\n`);
}

/**
 * @param {Table} table
 * @returns {string}
 */
export function svgOf({ title, columns, rows, growth }) {
  if (!growth) throw new Error(`${title} is about no growth`);
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const points = rows.flatMap(({ figures }, row) =>
    columns.map((operation, at) => ({
      operation,
      size: growth.sizes[row],
      ratio: figures[at]?.value?.median,
    })),
  );
  const axes = { type: /** @type {const} */ ('log'), grid: true, nice: false };
  const svg = Plot.plot({
    document,
    ...{ width: 720, height: 340, marginTop: 30, marginBottom: 40 },
    ...{ marginLeft: 50, marginRight: 210 },
    x: { ...axes, label: growth.of, ticks: [...growth.sizes], tickFormat: ',' },
    y: {
      ...axes,
      label: `times the cost with ${rows[0]?.name}`,
      ticks: [0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50, 100],
      tickFormat: '~r',
      domain: domainOf(points.flatMap(({ ratio }) => ratio ?? [])),
    },
    color: { range: colors, domain: columns },
    symbol: { range: symbols, domain: columns },
    marks: [
      Plot.ruleY([growth.atMost], { strokeDasharray: '4 4', strokeOpacity: 0.7 }),
      Plot.line(points, { x: 'size', y: 'ratio', stroke: 'operation', strokeWidth: 2 }),
      Plot.dot(points, { x: 'size', y: 'ratio', fill: 'operation', symbol: 'operation', r: 4 }),
      ...columns.flatMap(legendOf),
    ],
  });
  return finished(svg, document, `${title}: times the cost with ${rows[0]?.name}`);
}

/**
 * Beside the plot, as the ends of lines lie upon each other.
 * @param {string} name
 * @param {number} line
 */
function legendOf(name, line) {
  const same = (/** @type {string} */ text) => text;
  const place = { frameAnchor: /** @type {const} */ ('top-right'), dy: 18 * line + 9 };
  return [
    Plot.dot([name], { ...place, dx: 20, r: 4, fill: same, symbol: same }),
    Plot.text([name], { ...place, dx: 30, textAnchor: 'start', lineAnchor: 'middle' }),
  ];
}

/**
 * What makes it a file that stands alone and can be read aloud.
 * @param {Element} svg
 * @param {Document} document
 * @param {string} title
 */
function finished(svg, document, title) {
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('font-size', '12');
  const titled = document.createElement('title');
  titled.textContent = title;
  const styled = document.createElement('style');
  styled.textContent = style;
  svg.prepend(titled, styled);
  return svg.outerHTML;
}

/** @param {readonly number[]} ratios */
const domainOf = (ratios) => [Math.min(0.5, ...ratios) * 0.9, Math.max(5, ...ratios) * 1.1];
