import { describe, expect, test } from 'vitest';
import { compare } from '../../bench/harness/compare.js';
import type { Suite } from '../../bench/harness/measure.js';

/** A suite without anything to run. */
const suite = (rest: Partial<Suite>): Suite => ({
  ...{ title: 'A suite', columns: ['set'], calls: 1, contestants: [] },
  ...rest,
});

const named = (...names: string[]) => names.map((name) => ({ name, cases: [] }));

/** The times of one column's contestants. */
const timesOf = (column: number, ...all: number[][]) =>
  all.map((times, row) => ({ row, column, times, wrong: undefined }));

test('a ratio is the middle one of the rounds, with the lowest and the highest', () => {
  const { rows, verdicts } = compare(
    suite({
      contestants: named('Map', 'qtasks-lite'),
      goals: [{ column: 'set', of: 'qtasks-lite', than: 'Map', atMost: 2 }],
    }),
    timesOf(0, [100, 100, 200], [200, 400, 500]),
  );
  const texts = rows.map(({ isOurs, figures }) => [isOurs, figures[0]?.text]);
  expect(texts).toEqual([
    [false, '1 = 100 ns'],
    [true, '2.50 (2.00–4.00)'],
  ]);
  expect(verdicts).toMatchObject([{ allowed: '≤ 2', found: '2.50', value: 2.5, holds: false }]);
});

test('who is wrong has no figure, and holds no goal', () => {
  const { rows, verdicts, notes } = compare(
    suite({
      contestants: named('Map', 'keyv'),
      goals: [{ column: 'set', of: 'keyv', than: 'Map', atMost: 2 }],
    }),
    [...timesOf(0, [100]), { row: 1, column: 0, times: [50], wrong: 'it lost something' }],
  );
  expect(rows[1]?.figures).toEqual([{ text: 'WRONG' }]);
  expect(verdicts).toMatchObject([{ found: 'no figure', holds: false }]);
  expect(notes).toEqual(['WRONG keyv, set: it lost something']);
});

test('an added cost is that of quiet moments', () => {
  const { columns, rows } = compare(
    suite({ added: true, columns: ['0', '1'], contestants: named('by hand', 'qtasks-lite') }),
    [
      ...timesOf(0, [100, 100, 900, 100], [100, 900, 100, 100]),
      ...timesOf(1, [200, 900, 200, 200], [250, 250, 900, 250]),
    ],
  );
  expect(columns).toEqual(['1']);
  expect(rows.map(({ figures }) => figures[0]?.value?.median)).toEqual([1, 1.5]);
});

describe('a cost that grows', () => {
  const growing = (...all: number[][]) =>
    compare(
      suite({
        contestants: named('10 fields', '100 fields', '1,000 fields'),
        growth: { file: 'fields', of: 'fields', sizes: [10, 100, 1_000], atMost: 3 },
        because: { set: 'there is one record' },
      }),
      timesOf(0, ...all),
    ).verdicts;

  test('is that of the size which costs most, and it is said why', () => {
    expect(growing([1], [9], [2])).toMatchObject([
      {
        ...{ against: '10 fields', found: '9.00 with 100 fields' },
        ...{ holds: false, because: 'there is one record' },
      },
    ]);
  });

  test('needs no reason where it does not', () => {
    const [verdict] = growing([1], [1.5], [2]);
    expect(verdict).toMatchObject({ found: '2.00 with 1,000 fields', holds: true });
    expect(verdict).not.toHaveProperty('because');
  });
});

test('a rate is how many there are in a second', () => {
  const { verdicts } = compare(
    suite({
      contestants: named('qtasks-lite'),
      rate: { column: 'set', of: 'qtasks-lite', things: 'runs', each: 100, atLeast: 100_000 },
    }),
    timesOf(0, [1e6]),
  );
  expect(verdicts).toMatchObject([
    { allowed: '≥ 100,000 runs a second', found: '100,000 runs a second', holds: true },
  ]);
});
