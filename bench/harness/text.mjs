/** A table as it is printed. */

/** @typedef {import('./figures.js').Table} Table */
/** @typedef {import('./figures.js').Verdict} Verdict */

/** @param {Table} table */
export function textOf({ title, detail, columns, rows, verdicts, notes }) {
  const head = ['', ...columns, 'does not'];
  const cells = rows.map(({ name, figures, without }) => [
    name,
    ...figures.map((figure) => figure?.text ?? '-'),
    without,
  ]);
  const lines = [...aligned([head, ...cells]), ...notes, ...verdicts.map(lineOf)];
  return [`\n${title} (${detail})`, ...lines.map((line) => `  ${line}`)].join('\n');
}

/** @param {Verdict} verdict */
function lineOf({ what, of, against, allowed, found, holds, because }) {
  const goal = `${what}: ${of} ${allowed}${against ? ` of ${against}` : ''}`;
  return `${holds ? 'ok  ' : 'MISS'} ${goal}: ${found}${because ? ` (${because})` : ''}`;
}

/**
 * Rows with aligned columns.
 * @param {readonly (readonly string[])[]} rows
 */
export function aligned(rows) {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
