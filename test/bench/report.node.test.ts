import { expect, test } from 'vitest';
import { pageOf } from '../../bench/harness/report.mjs';
import { tableOf, verdictOf } from './tables.js';

/** The page of three runs, in which a goal of 1 was measured so. */
function page(values: readonly [number, number, number], because?: string): string {
  const runs = values.map((value) => {
    const verdict = { ...verdictOf({ value }), ...(because && value > 1 ? { because } : {}) };
    const table = tableOf({
      ...{ title: 'State', columns: ['set'], verdicts: [verdict] },
      rows: [
        ['Map', 1],
        ['qtasks-lite', value],
      ],
    });
    return new Map([['state', [table]]]);
  });
  return pageOf(runs, ['a machine', 'a runtime']);
}

const goal = (text: string) => text.split('\n').find((line) => line.startsWith('| state |'));

test('the goals come first, each with what the three runs have measured', () => {
  const text = page([0.5, 2, 0.75]);
  expect(text.indexOf('## Goals')).toBeLessThan(text.indexOf('## What it ran on'));
  expect(goal(text)).toBe(
    '| state | State: set | qtasks-lite | keyv | ≤ 1 | 0.5 | 2 | 0.75 | ok |',
  );
  expect(text).toContain('1 of 1 hold');
});

test('a goal is missed where most of the runs miss it', () => {
  const text = page([2, 0.5, 3]);
  expect(goal(text)).toMatch(/\| \*\*MISS\*\* \|$/);
  expect(text).toContain('0 of 1 hold');
});

test('it is said why, where that is known', () => {
  expect(page([2, 2, 2], 'the moon is full')).toContain('- State: set: the moon is full');
  expect(page([0.5, 0.5, 2], 'the moon is full')).not.toContain('moon');
});

test('a goal that some run did not measure is missed', () => {
  const [first, second] = [page([1, 1, 1]), new Map([['state', []]])];
  expect(first).toContain('1 of 1 hold');
  const table = tableOf({ title: 'State', verdicts: [verdictOf({ value: 1 })], rows: [] });
  const text = pageOf([second, second, new Map([['state', [table]]])], []);
  expect(goal(text)).toBe(
    '| state | State: set | qtasks-lite | keyv | ≤ 1 | no figure | no figure | 1 | **MISS** |',
  );
});

test('the tables are those of the last run, with their plots', () => {
  const growth = { file: 'fields', of: 'fields', sizes: [1, 10], atMost: 3 };
  const table = tableOf({
    ...{ title: 'Fields', columns: ['get | set'], notes: ['a note'], growth },
    rows: [
      ['1', 1],
      ['10', undefined],
    ],
  });
  const text = pageOf([new Map([['growth', []]]), new Map([['growth', [table]]])], []);
  expect(text).toContain(
    [
      '## growth\n\n### Fields\n\n10 rounds.\n',
      '|  | get \\| set |\n| --- | --- |\n| 1 | 1 |\n| 10 | WRONG |\n',
      '- a note\n\n![Fields](growth/fields.svg)',
    ].join('\n'),
  );
});
