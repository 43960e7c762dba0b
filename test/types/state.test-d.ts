/** What the compiler says of a state beside what `inference` and `mistakes-state` test: odd names, odd calls. */
import { describe, expectTypeOf, test } from 'vitest';
import { AsyncState, QTasks, type StateChange } from '../../src/index.js';
import { Registration } from './tasks.js';

interface Optional {
  step: number;
  note?: string;
  choice: 'a' | 'b' | null;
  1: boolean;
}

class Odd extends AsyncState<Optional> {
  static readonly id = 'odd';
}

const app = new QTasks();
const state = app.state(Registration);
const odd = app.state(Odd);

describe('get', () => {
  test('of undefined or null gives all fields', () => {
    type Fields = Partial<{ step: number; phone: string; tags: string[] }>;
    expectTypeOf(state.get(undefined)).resolves.toEqualTypeOf<Fields>();
    expectTypeOf(state.get(null)).resolves.toEqualTypeOf<Fields>();
  });

  test('of a default that is null adds null', () => {
    expectTypeOf(state.get('step', null)).resolves.toEqualTypeOf<number | null>();
    expectTypeOf(state.get('step', undefined)).resolves.toEqualTypeOf<number | undefined>();
    expectTypeOf(odd.get('choice', 'a')).resolves.toExtend<'a' | 'b' | null>();
  });

  test('of one of several names gives one of their types', () => {
    const name = 'step' as 'step' | 'phone';
    expectTypeOf(state.get(name)).resolves.toEqualTypeOf<number | string | undefined>();
  });

  test('refuses names that are no strings', () => {
    // @ts-expect-error
    void state.get(['step']);
    // @ts-expect-error
    void state.get(Symbol('step'));
    // @ts-expect-error
    void odd.get(1);
    // @ts-expect-error
    void state.get('step' as string);
  });

  test('refuses a default without a name', () => {
    // @ts-expect-error
    void state.get(undefined, 1);
    // @ts-expect-error
    void state.getAll('step');
  });
});

describe('writes', () => {
  test('refuse a field that is undefined where its type is not', () => {
    // @ts-expect-error
    void state.set('step', undefined);
    // @ts-expect-error
    void state.update({ step: undefined });
    // @ts-expect-error
    void state.update(() => ({ step: undefined }));
  });

  test('refuse a value of another field, by a name that may be both', () => {
    // @ts-expect-error
    void odd.set('choice', 'c');
    // @ts-expect-error
    void odd.set('note', 1);
    // @ts-expect-error
    void state.update({ step: 'phone', phone: 1 });
  });

  test('refuse too few and too many arguments', () => {
    // @ts-expect-error
    void state.delete();
    // @ts-expect-error
    void state.delete('step', 'phone');
    // @ts-expect-error
    void state.clear('step');
    // @ts-expect-error
    void state.set();
    // @ts-expect-error
    void state.update({ step: 1 }, { phone: '' });
  });

  test('refuse promises of fields', () => {
    // @ts-expect-error
    void state.update(Promise.resolve({ step: 1 }));
    // @ts-expect-error
    void state.set('step', Promise.resolve(1));
  });

  test('resolve to nothing, but update to all fields', () => {
    expectTypeOf(state.set('step', 1)).resolves.toEqualTypeOf<void>();
    expectTypeOf(state.delete('step')).resolves.toEqualTypeOf<void>();
    expectTypeOf(state.clear()).resolves.toEqualTypeOf<void>();
    expectTypeOf(odd.update({})).resolves.toEqualTypeOf<Partial<Optional>>();
  });
});

describe('a state class', () => {
  test('is not made by hand and has no state of its own to set', () => {
    // @ts-expect-error
    new AsyncState<Optional>();
    // @ts-expect-error
    void state.step;
    // @ts-expect-error
    state.step = 1;
  });

  test('has an id that is a string', () => {
    class Numbered extends AsyncState<{ step: number }> {
      static readonly id = 1;
    }
    // @ts-expect-error
    app.state(Numbered);
    // @ts-expect-error
    app.task('t', { state: Numbered }, () => {});
  });

  test('is no other one of the same shape', () => {
    class Other extends AsyncState<{ step: string }> {
      static readonly id = 'other';
    }
    // @ts-expect-error
    const wrong: Other = state;
    return wrong;
  });

  test('tells its listeners of its own fields only', () => {
    const listener = (change: StateChange<Optional>): unknown => change;
    // @ts-expect-error
    state.subscribe(listener);
    odd.subscribe(listener);
    // @ts-expect-error
    odd.subscribe(({ changed }) => changed.includes('other'));
  });
});
