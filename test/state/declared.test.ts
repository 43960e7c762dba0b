/** What a state class declares by its static members: id, ttl, fields and initial. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { AsyncState, QTasks } from '../../src/index.js';
import { ManualClock } from '../support/clock.js';
import { FaultyStorage } from '../support/faulty.js';
import { number, schema, trimmed } from '../support/schemas.js';

type Shape = Record<string, unknown>;

const app = (storage = memory()): QTasks => new QTasks({ name: 'app', storage });

/** A class with these static members. */
function declare(
  members: object,
): typeof AsyncState<Shape> & (new () => AsyncState<Shape>) & { id: string } {
  class Declared extends AsyncState<Shape> {
    static readonly id: string = 'declared';
  }
  return Object.assign(Declared, members);
}

const wrongMembers: readonly (readonly [string, object])[] = [
  ['id', { id: undefined }],
  ['id', { id: '' }],
  ['id', { id: 1 }],
  ['ttl', { ttl: 0 }],
  ['ttl', { ttl: -1 }],
  ['ttl', { ttl: Number.NaN }],
  ['ttl', { ttl: Number.POSITIVE_INFINITY }],
  ['ttl', { ttl: '1000' }],
  ['fields', { fields: 1 }],
  ['fields', { fields: null }],
  ['fields.step', { fields: { step: Number } }],
  ['fields.step', { fields: { step: undefined } }],
  ['initial', { initial: null }],
  ['initial', { initial: [] }],
  ['version', { version: 0 }],
  ['version', { version: 1.5, migrate: () => ({}) }],
  ['version', { version: '2', migrate: () => ({}) }],
  ['migrate', { version: 2 }],
  ['migrate', { version: 2, migrate: {} }],
];

describe('a state class', () => {
  it.each(wrongMembers)('is refused for its static %s in %o', (member, members) => {
    const stateClass = declare(members);
    const wrong = expect.objectContaining({
      code: 'STATE_INVALID',
      message: expect.stringContaining(`static ${member} `),
    });
    expect(() => app().state(stateClass)).toThrow(wrong);
    expect(() => app().task('t', { state: stateClass }, async () => {})).toThrow(wrong);
  });

  it('is refused for an initial value that cannot be stored', () => {
    const refused = expect.objectContaining({
      code: 'VALUE_UNSUPPORTED',
      data: { path: ['make', 0] },
    });
    expect(() => app().state(declare({ initial: { make: [() => {}] } }))).toThrow(refused);
  });

  it('is refused beside another one of its id, which stays', async () => {
    const [one, other] = [declare({}), declare({})];
    const both = app();
    const state = both.state(one);
    expect(() => both.state(other)).toThrow(expect.objectContaining({ code: 'STATE_DUPLICATE' }));
    await state.set('a', 1);
    expect(await both.state(one).get('a')).toBe(1);
  });

  it('needs a storage', () => {
    const missing = expect.objectContaining({ code: 'STORAGE_MISSING' });
    expect(() => new QTasks().state(declare({}))).toThrow(missing);
  });
});

describe('ttl', () => {
  it('drops a session at that time after its last write, reads not counted', async () => {
    const clock = new ManualClock();
    const storage = memory({ clock });
    const state = app(storage).state(declare({ ttl: 1_000 }));
    await state.set('a', 1);
    await clock.advance(999);
    await state.set('b', 2);
    await clock.advance(999);
    expect(await state.getAll()).toEqual({ a: 1, b: 2 });
    await clock.advance(1);
    expect(await state.getAll()).toEqual({});
    expect(await state.update(({ a }) => ({ seen: a }))).toEqual({ seen: undefined });
  });

  it.each(['update', 'delete'] as const)('begins anew with %s', async (call) => {
    const clock = new ManualClock();
    const state = app(memory({ clock })).state(declare({ ttl: 1_000 }));
    await state.update({ a: 1, b: 1 });
    await clock.advance(500);
    if (call === 'update') await state.update(() => ({ a: 2 }));
    else await state.delete('b');
    await clock.advance(999);
    expect(await state.get('a')).toBeDefined();
    await clock.advance(1);
    expect(await state.get('a')).toBeUndefined();
  });

  it('keeps other sessions and other states', async () => {
    const clock = new ManualClock();
    const one = app(memory({ clock }));
    const [short, long] = [declare({ ttl: 1_000 }), declare({ id: 'long' })];
    await one.session('s').state(short).set('a', 1);
    await one.session('s').state(long).set('a', 1);
    await clock.advance(600);
    await one.session('t').state(short).set('a', 1);
    await clock.advance(600);
    const states = [
      one.session('s').state(short),
      one.session('s').state(long),
      one.session('t').state(short),
    ];
    expect(await Promise.all(states.map((state) => state.get('a')))).toEqual([undefined, 1, 1]);
  });

  it('that a newer class no longer has is taken off by its next write', async () => {
    const clock = new ManualClock();
    const storage = memory({ clock });
    await app(storage)
      .state(declare({ ttl: 1_000 }))
      .set('a', 1);
    await app(storage).state(declare({})).set('b', 1);
    await clock.advance(1e12);
    expect(await app(storage).state(declare({})).getAll()).toEqual({ a: 1, b: 1 });
  });
});

describe('fields', () => {
  const Checked = declare({ fields: { step: number, name: trimmed } });

  it('store what their schema returns', async () => {
    const state = app().state(Checked);
    await state.set('name', '  Ada ');
    expect(await state.get('name')).toBe('Ada');
    expect(await state.update({ name: ' Bea' })).toEqual({ name: 'Bea' });
    expect(await state.update(() => ({ name: 7 }))).toEqual({ name: '7' });
    expect(await state.getAll()).toEqual({ name: '7' });
  });

  it('refuse a value with STATE_INVALID and write nothing of the call', async () => {
    const storage = new FaultyStorage();
    const state = app(storage).state(Checked);
    for (const call of [
      () => state.set('step', 'secret'),
      () => state.update({ other: 1, step: 'secret' }),
      () => state.update(() => ({ other: 1, step: 'secret' })),
    ]) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: 'STATE_INVALID',
        message: expect.stringMatching(/declared.*step/),
        data: { field: 'step', issues: [{ message: 'is no number', path: ['deep'] }] },
      });
      expect(String(error)).not.toContain('secret');
    }
    expect(storage.commits).toEqual([]);
    expect(await state.getAll()).toEqual({});
  });

  it('see the value at the call, and what cannot be stored after them', async () => {
    const seen: unknown[] = [];
    const spy = schema((value) => {
      seen.push(value);
      return { value: () => {} };
    });
    const state = app().state(declare({ fields: { a: spy } }));
    const call = state.set('a', 1);
    expect(seen).toEqual([1]);
    await expect(call).rejects.toMatchObject({ code: 'VALUE_UNSUPPORTED', data: { path: ['a'] } });
  });

  it.each([
    ['resolves', async (value: unknown) => ({ value })],
    ['rejects', async () => Promise.reject(new Error('nobody awaits this'))],
  ])('refuse a schema whose promise %s', async (_, validate) => {
    const state = app().state(declare({ fields: { a: schema(validate) } }));
    const wrong = { code: 'STATE_INVALID', message: expect.stringContaining('asynchronously') };
    await expect(state.set('a', 1)).rejects.toMatchObject(wrong);
    await expect(state.update(() => ({ a: 1 }))).rejects.toMatchObject(wrong);
    expect(await state.getAll()).toEqual({});
  });

  it('are checked on write only, not what is there or is initial', async () => {
    const storage = memory();
    await app(storage).state(declare({})).set('step', 'old');
    const state = app(storage).state(declare({ fields: { step: number }, initial: { name: 1 } }));
    expect(await state.getAll()).toEqual({ step: 'old', name: 1 });
    await state.set('other', 1);
    expect(await state.get('step')).toBe('old');
  });

  it('may have hostile names', async () => {
    const fields = Object.fromEntries([['__proto__', number]]);
    const state = app().state(declare({ fields }));
    await expect(state.set('__proto__', 'x')).rejects.toMatchObject({ code: 'STATE_INVALID' });
    await state.set('constructor', 'free');
    expect(await state.getAll()).toEqual({ constructor: 'free' });
  });
});

describe('initial', () => {
  const Started = declare({ initial: { step: 0, list: [1] } });

  it('counts wherever nothing is stored, before a fallback', async () => {
    const state = app().state(Started);
    expect(await state.get('step', 9)).toBe(0);
    expect(await state.get('other', 9)).toBe(9);
    expect(await state.get()).toEqual({ step: 0, list: [1] });
    expect(await state.getAll()).toEqual({ step: 0, list: [1] });
    let seen = {};
    await state.update((now) => {
      seen = now;
      return { other: 1 };
    });
    expect(seen).toEqual({ step: 0, list: [1] });
    expect(await state.update({})).toEqual({ step: 0, list: [1], other: 1 });
  });

  it('counts again after delete and clear, and not while something is stored', async () => {
    const state = app().state(Started);
    await state.update({ step: 5, list: undefined });
    expect(await state.getAll()).toStrictEqual({ step: 5, list: undefined });
    expect(await state.get('list', 'fallback')).toBeUndefined();
    await state.delete('step');
    expect(await state.get('step')).toBe(0);
    await state.clear();
    expect(await state.getAll()).toEqual({ step: 0, list: [1] });
  });

  it('is never written by a read or with other fields', async () => {
    const storage = memory();
    const state = app(storage).state(Started);
    await state.getAll();
    await state.update((now) => ({ other: now.step }));
    const raw = app(storage).state(declare({}));
    expect(await raw.getAll()).toEqual({ other: 0 });
  });

  it('is a copy for each reader, taken as the class is registered', async () => {
    const list = [1];
    const state = app().state(declare({ initial: { list } }));
    list.push(2);
    for (let time = 0; time < 2; time++) {
      const copies = [await state.get('list'), (await state.getAll()).list];
      await state.update((now) => {
        copies.push(now.list);
        return {};
      });
      for (const copy of copies as number[][]) {
        expect(copy).toEqual([1]);
        copy.push(3);
      }
    }
  });

  it('may have hostile names and a value of undefined', async () => {
    const initial = Object.fromEntries([
      ['__proto__', { deep: 1 }],
      ['\0v', undefined],
    ]);
    const state = app().state(declare({ initial }));
    expect(Object.entries(await state.getAll())).toEqual(Object.entries(initial));
    expect(await state.get('__proto__')).toEqual({ deep: 1 });
    expect(await state.get('\0v', 1)).toBeUndefined();
    expect(await state.get('constructor')).toBeUndefined();
    expect(await state.get('toString', 1)).toBe(1);
  });
});
