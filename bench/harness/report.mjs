/** What docs/benchmarks.md says: the goals first, then what was measured on what. */

/** @typedef {import('./figures.js').Table} Table */
/** @typedef {import('./figures.js').Verdict} Verdict */
/** @typedef {ReadonlyMap<string, readonly Table[]>} Run the tables of each section */
/** @typedef {Verdict & { section: string, title: string }} Goal */

const intro = `# Benchmarks

Nobody types these figures: \`npm run bench -- --report\` measures and writes them, and draws the plots.

All contestants of a table take turns in one process, round by round, and each sample is checked for what it has done. A
figure is a ratio to the first row of its column, taken in the same round: the median, then the lowest and the highest.
0.50 takes half the time. The first row has its time on this machine instead. What a contestant does not do stands beside
it, so that a fast half answer shows as one.`;

/**
 * @param {readonly Run[]} runs of the same sections, but for those that only the last one has
 * @param {readonly string[]} machine a line each
 */
export function pageOf(runs, machine) {
  const last = runs.at(-1) ?? new Map();
  return [
    intro,
    goalsOf(runs),
    `## What it ran on\n\n${machine.map((line) => `- ${line}`).join('\n')}`,
    `The tables are those of the last run.`,
    ...[...last].map(([name, tables]) => [`## ${name}`, ...tables.map(tableOf)].join('\n\n')),
    '',
  ].join('\n\n');
}

/** @param {readonly Run[]} runs */
function goalsOf(runs) {
  const each = runs.map(goalsOfRun);
  const rows = (each.at(-1) ?? []).map((goal) => {
    const hasRun = runs.map((run) => run.has(goal.section));
    return rowOf(goal, each, hasRun);
  });
  const held = rows.filter(({ holds }) => holds).length;
  const explained = rows.filter(({ holds, because }) => !holds && because);
  const head = [
    'section',
    'what',
    'of',
    'against',
    'allowed',
    ...runs.map((_, run) => `${run + 1}`),
    '',
  ];
  return [
    '## Goals',
    `${held} of ${rows.length} hold: where the middle one of up to ${runs.length} runs is within what is allowed.`,
    markdown([head, ...rows.map(({ cells }) => cells)]),
    ...explained.map(({ name, because }) => `- ${name}: ${because}`),
  ].join('\n\n');
}

/**
 * @param {Run} run
 * @returns {Goal[]}
 */
function goalsOfRun(run) {
  return [...run].flatMap(([section, tables]) =>
    tables.flatMap(({ title, verdicts }) =>
      verdicts.map((verdict) => ({ ...verdict, section, title })),
    ),
  );
}

/**
 * @param {Goal} goal
 * @param {readonly (readonly Goal[])[]} runs
 * @param {readonly boolean[]} hasRun which of them have run its section
 */
function rowOf(goal, runs, hasRun) {
  const { section, title, what, against, allowed } = goal;
  const isSame = (/** @type {Goal} */ other) =>
    /** @type {const} */ (['section', 'title', 'what', 'of', 'against']).every(
      (key) => other[key] === goal[key],
    );
  const found = runs.map((run) => run.find(isSame));
  const because = found.find((verdict) => verdict?.because)?.because;
  const holds =
    found.filter((verdict) => verdict?.holds).length * 2 > hasRun.filter(Boolean).length;
  const name = `${title}: ${what}`;
  const figures = found.map((verdict, run) => verdict?.found ?? (hasRun[run] ? 'no figure' : '–'));
  return {
    ...{ name, holds, because },
    cells: [section, name, goal.of, against, allowed, ...figures, holds ? 'ok' : '**MISS**'],
  };
}

/** @param {Table} table */
function tableOf({ title, detail, columns, rows, notes, growth }) {
  const head = ['', ...columns, 'does not'];
  const cells = rows.map(({ name, figures, without }) => [
    name,
    ...figures.map((figure) => figure?.text ?? '–'),
    without,
  ]);
  return [
    `### ${title}`,
    `${detail}.`,
    markdown(
      rows.some(({ without }) => without) ? [head, ...cells] : withoutLast([head, ...cells]),
    ),
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join('\n')] : []),
    ...(growth ? [`![${title}](growth/${growth.file}.svg)`] : []),
  ].join('\n\n');
}

/** @param {readonly (readonly string[])[]} rows */
const withoutLast = (rows) => rows.map((row) => row.slice(0, -1));

/** @param {readonly (readonly string[])[]} rows the first is the head */
function markdown([head = [], ...rows]) {
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
