import { describe, expect, test } from 'vitest';
import { bestOf, figuresOf, middle, unknown, worse } from '../../bench/harness/baseline.mjs';
import { tableOf, verdictOf } from './tables.js';

const table = tableOf({
  title: 'State',
  columns: ['set', 'get'],
  rows: [
    ['Map', 1, 1],
    ['qtasks-lite', 9, undefined],
    ['keyv', 12, 40],
  ],
  verdicts: [
    verdictOf({ what: 'set', of: 'qtasks-lite', against: 'keyv', value: 0.75 }),
    verdictOf({ what: 'runs', of: 'qtasks-lite', against: '', value: 500_000 }),
  ],
});

describe('what is watched', () => {
  test('are our own ratios to the first row and to whom a goal names', () => {
    expect(figuresOf('state', [table])).toEqual({
      'state: State: qtasks-lite, set, of Map': 9,
      'state: State: qtasks-lite, set, of keyv': 0.75,
    });
  });

  test('are no numbers that stand alone', () => {
    expect(figuresOf('size', [{ ...table, against: '', verdicts: [] }])).toEqual({});
  });

  test('is the middle one of several runs', () => {
    expect(middle([{ set: 3 }, { set: 1, get: 5 }, { set: 2 }])).toEqual({ set: 2, get: 5 });
  });
});

describe('what is worse', () => {
  test('is above the baseline by more than a quarter', () => {
    const was = { set: 1, get: 1, increment: 1 };
    const is = { set: 1.25, get: 1.26, increment: 0.5 };
    expect(worse(was, is)).toEqual([{ name: 'get', was: 1, is: 1.26 }]);
  });

  test('is what has no figure any more', () => {
    expect(worse({ set: 1 }, {})).toEqual([{ name: 'set', was: 1, is: undefined }]);
  });

  test('is not what the baseline lacks, but that is named', () => {
    expect(worse({ set: 1 }, { set: 1, get: 9 })).toEqual([]);
    expect(unknown({ set: 1 }, { set: 1, get: 9 })).toEqual(['get']);
  });
});

describe('a section', () => {
  const measuring = (...runs: Record<string, number>[]) => {
    const told: number[] = [];
    const measure = async (looksWorse: number) => {
      told.push(looksWorse);
      return runs[told.length - 1] ?? {};
    };
    return { told, measure };
  };

  test('runs once where nothing looks worse', async () => {
    const { told, measure } = measuring({ set: 1.1 });
    expect(await bestOf({ set: 1 }, measure)).toEqual({ set: 1.1 });
    expect(told).toEqual([0]);
  });

  test('runs again as long as something looks worse, and the best of each counts', async () => {
    const { told, measure } = measuring({ set: 3, get: 1 }, { set: 1.2, get: 2 }, { set: 9 });
    expect(await bestOf({ set: 1, get: 1 }, measure)).toEqual({ set: 1.2, get: 1 });
    expect(told).toEqual([0, 1]);
  });

  test('runs five times at most', async () => {
    const { told, measure } = measuring(...Array.from({ length: 9 }, () => ({ set: 2 })));
    expect(await bestOf({ set: 1 }, measure)).toEqual({ set: 2 });
    expect(told).toEqual([0, 1, 1, 1, 1]);
  });
});
