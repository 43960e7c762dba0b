/** What must not compile: states. Each directive stands for one mistake. */
import { describe, test } from 'vitest';
import {
  AsyncState,
  QTasks,
  type StandardSchema,
  type StateFields,
  type StateInitial,
} from '../../src/index.js';
import { db, Registration } from './tasks.js';

const app = new QTasks();
const state = app.state(Registration);
declare const text: StandardSchema<unknown, string>;

describe('an unknown field is refused', () => {
  test('by get', () => {
    // @ts-expect-error
    void state.get('age');
    // @ts-expect-error
    void state.get('age', 1);
    // @ts-expect-error
    void state.get(1);
  });

  test('by set', () => {
    // @ts-expect-error
    void state.set('age', 1);
  });

  test('by update', () => {
    // @ts-expect-error
    void state.update({ step: 1, age: 1 });
    // @ts-expect-error
    void state.update(() => ({ age: 1 }));
    // @ts-expect-error
    void state.update((now) => ({ step: now.age }));
  });

  test('by delete', () => {
    // @ts-expect-error
    void state.delete('age');
  });

  test('in what a change tells', () => {
    // @ts-expect-error
    state.subscribe(({ changed }) => changed.includes('age'));
    // @ts-expect-error
    state.subscribe(({ fields }) => fields);
  });

  test('in what is read', async () => {
    // @ts-expect-error
    (await state.getAll()).age;
    // @ts-expect-error
    for await (const { age } of state.changes()) console.log(age);
  });
});

describe('a value of the wrong type is refused', () => {
  test('by set', () => {
    // @ts-expect-error
    void state.set('step', '1');
    // @ts-expect-error
    void state.set('tags', [1]);
    // @ts-expect-error
    void state.set('phone', null);
    // @ts-expect-error
    void state.set('step');
  });

  test('by update', () => {
    // @ts-expect-error
    void state.update({ step: '1' });
    // @ts-expect-error
    void state.update('step');
    // @ts-expect-error
    void state.update();
  });

  test('as the result of the function that update calls', () => {
    // @ts-expect-error
    void state.update(() => ({ step: '1' }));
    // @ts-expect-error
    void state.update((now) => now.step);
  });

  test('as a promise of the result, because the function is synchronous', () => {
    // @ts-expect-error
    void state.update(async () => ({ step: 1 }));
  });

  test('as the default', () => {
    // @ts-expect-error
    void state.get('step', 'none');
  });

  test('by whoever reads it', async () => {
    // @ts-expect-error
    const step: string | undefined = await state.get('step');
    // @ts-expect-error
    const certain: number = await state.get('step');
    // @ts-expect-error
    const { phone }: { phone: string } = await state.getAll();
    return [step, certain, phone];
  });
});

describe('a state class is refused', () => {
  test('without an id', () => {
    class Nameless extends AsyncState<{ step: number }> {}
    // @ts-expect-error
    app.state(Nameless);
  });

  test('that is no state', () => {
    // @ts-expect-error
    app.state(class {});
    // @ts-expect-error
    app.state({ id: 'registration' });
    // @ts-expect-error
    app.state(db);
    // @ts-expect-error
    app.state(state);
    // @ts-expect-error
    app.state();
  });

  test('whose initial values do not satisfy its shape', () => {
    // @ts-expect-error
    return { step: '0' } satisfies StateInitial<{ step: number }>;
  });

  test('whose schemas do not satisfy its shape', () => {
    // @ts-expect-error
    return { step: text } satisfies StateFields<{ step: number }>;
  });

  test('whose shape is no record', () => {
    // @ts-expect-error
    return class extends AsyncState<string> {};
  });
});

describe('a state is watched', () => {
  test('by a function only', () => {
    // @ts-expect-error
    state.subscribe('step');
    // @ts-expect-error
    state.subscribe();
  });

  test('with known options only', () => {
    // @ts-expect-error
    state.changes({ abort: new AbortController().signal });
    // @ts-expect-error
    state.changes({ signal: new AbortController() });
  });

  test('by a reader that does not write to what it is told', () => {
    state.subscribe((change) => {
      // @ts-expect-error
      change.origin = 'remote';
      // @ts-expect-error
      change.changed.push('step');
    });
  });
});
