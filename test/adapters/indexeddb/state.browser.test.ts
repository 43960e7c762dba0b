/** `AsyncState` on IndexedDB: what steps write is what steps read. */
import { expect, test } from 'vitest';
import { AsyncState, QTasks } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { fieldsOf, newDatabase, open } from './support.js';

class Any extends AsyncState<Record<string, unknown>> {
  static readonly id = 'any';
}

class Other extends AsyncState<Record<string, unknown>> {
  static readonly id = 'any:archive';
}

/** Apps that share a database, as tabs do. */
function apps() {
  const database = newDatabase();
  const make = () => {
    const storage = open(database);
    return { storage, app: new QTasks({ name: 'app', storage }) };
  };
  return [make(), make()] as const;
}

const names = [
  '__proto__',
  'constructor',
  'length',
  'getItem',
  '',
  'a:b',
  'a\0b',
  '\0',
  '*',
  '🙂',
  '\ud800',
  '\udfff',
];

test('1 fields of all names keep their values, and Object.prototype is as it was', async () => {
  const [{ app }, { app: other }] = apps();
  const state = app.state(Any);
  const before = Object.getOwnPropertyNames(Object.prototype);
  for (const name of names) await state.set(name, `value of ${name}`);
  const all = await other.state(Any).getAll();
  expect(new Map(Object.entries(all))).toEqual(
    new Map(names.map((name) => [name, `value of ${name}`])),
  );
  for (const name of names) expect(await other.state(Any).get(name)).toBe(`value of ${name}`);
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
});

test('1, 2 sessions, states and fields of all names are told from one another', async () => {
  const [{ app }] = apps();
  const places = names
    .filter((name) => name !== '')
    .flatMap((name) => [
      app.session(name).state(Any),
      app.session(name).state(Other),
      app.session(`${name}:any`).state(Any),
      app.session(`any:${name}`).state(Any),
    ]);
  await Promise.all(places.map((state, at) => state.set('b:c', at)));
  expect(await Promise.all(places.map((state) => state.get('b:c')))).toEqual([...places.keys()]);
  await places[0]?.clear();
  expect(await places[0]?.getAll()).toEqual({});
  expect(await Promise.all(places.slice(1).map((state) => state.get('b:c')))).toEqual(
    [...places.keys()].slice(1),
  );
});

const cyclic: unknown[] = [];
cyclic.push({ cyclic });

const values = {
  NaN: Number.NaN,
  'minus zero': -0,
  infinite: Number.NEGATIVE_INFINITY,
  big: 2n ** 70n,
  date: new Date(1),
  invalid: new Date(Number.NaN),
  maps: new Map([[{ a: 1 }, new Map([[undefined, null]])]]),
  set: new Set([1, '1']),
  bytes: new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
  'large bytes': new Uint8Array(3_000).fill(7),
  cyclic,
  undefined: undefined,
  null: null,
  zero: 0,
  empty: '',
  false: false,
  digits: '123',
  true: 'true',
  braces: '{}',
  long: '106242075399214372653',
  marked: '~1[["undefined",["undefined"]]]',
};

test('3, 4, 5 values of all kinds come back as they were, large ones too', async () => {
  const [{ app }, { app: other }] = apps();
  await app.state(Any).update(values);
  expect(await other.state(Any).getAll()).toStrictEqual(values);
  for (const [name, value] of Object.entries(values)) {
    expect(await other.state(Any).get(name, 'nothing')).toStrictEqual(value);
  }
  expect(await other.state(Any).get('missing', 'nothing')).toBe('nothing');
});

class Custom {
  readonly own = 1;
}

test.each([
  ['a function', () => {}],
  ['a symbol', Symbol('any')],
  ['a promise', Promise.resolve()],
  ['an instance', new Custom()],
  ['an element', document.createElement('p')],
])('6 %s is refused with its path before anything is written', async (_title, value) => {
  const [{ app, storage }] = apps();
  const failure = await rejection(app.state(Any).update({ fine: 1, deep: [{ value }] }));
  expect(failure).toMatchObject({
    code: 'VALUE_UNSUPPORTED',
    data: { path: ['deep', 0, 'value'] },
  });
  expect(await fieldsOf(storage, { app: 'app', session: '', state: 'any' })).toEqual({});
});

test('7 what was written and what was read can be changed without changing what is stored', async () => {
  const [{ app }] = apps();
  const state = app.state(Any);
  const value = { list: [1] };
  const written = state.set('value', value);
  value.list.push(2);
  await written;
  const read = (await state.get('value')) as typeof value;
  read.list.push(3);
  expect(await state.getAll()).toEqual({ value: { list: [1] } });
});

test('16 an update that throws writes nothing and keeps nobody waiting', async () => {
  const [{ app }, { app: other }] = apps();
  await app.state(Any).set('one', 1);
  const reason = new Error('no');
  const failing = app.state(Any).update(() => {
    throw reason;
  });
  expect(await rejection(failing)).toBe(reason);
  await other.state(Any).update(({ one }) => ({ one: Number(one) + 1 }));
  expect(await app.state(Any).getAll()).toEqual({ one: 2 });
});

test('18 a write from inside an update comes after it', async () => {
  const [{ app }] = apps();
  const state = app.state(Any);
  let inner: Promise<void> | undefined;
  await state.update(() => {
    inner ??= state.set('one', 'inner');
    return { one: 'outer' };
  });
  await inner;
  expect(await state.getAll()).toEqual({ one: 'inner' });
});

test('20 a clear and a set of two tabs at once end as one after the other', async () => {
  const [{ app }, { app: other }] = apps();
  const [one, two] = [app.state(Any), other.state(Any)];
  for (let round = 0; round < 20; round++) {
    await one.update({ old: 1, new: undefined });
    await Promise.all([one.clear(), two.set('new', 2)]);
    expect([{}, { new: 2 }]).toContainEqual(await one.getAll());
  }
});

test('two apps on one adapter that never pause both get their turn', async () => {
  const storage = open(newDatabase());
  const states = ['one', 'two'].map(() => new QTasks({ name: 'app', storage }).state(Any));
  const adding = states.map(async (state) => {
    for (let time = 0; time < 300; time++) {
      await state.update(({ count = 0 }) => ({ count: Number(count) + 1 }));
    }
  });
  await Promise.all(adding);
  expect(await states[0]?.get('count')).toBe(600);
});
