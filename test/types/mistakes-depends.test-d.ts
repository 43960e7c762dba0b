/** What must not compile: dependencies. Each directive stands for one mistake. */
import { describe, test } from 'vitest';
import { AsyncState, Context, Depends, QTasks } from '../../src/index.js';
import { db, Registration, step1 } from './tasks.js';

const app = new QTasks();
const ofTask = Depends(() => 1);
const ofSession = Depends(() => 1, { scope: 'session' });
const ofWorker = Depends(() => 1, { scope: 'worker' });

describe('Depends refuses', () => {
  test('to describe nothing', () => {
    // @ts-expect-error
    Depends();
    // @ts-expect-error
    Depends({ db });
  });

  test('something else in the place of open', () => {
    // @ts-expect-error
    Depends(1);
    // @ts-expect-error
    Depends({ db }, 'open');
    // @ts-expect-error
    Depends(Promise.resolve(1));
  });

  test('a scope that does not exist', () => {
    // @ts-expect-error
    Depends(() => 1, { scope: 'broker' });
    // @ts-expect-error
    Depends({ db }, () => 1, { scope: 'request' });
  });

  test('an option that does not exist', () => {
    // @ts-expect-error
    Depends(() => 1, { scopes: 'task' });
    // @ts-expect-error
    Depends({ db }, () => 1, { deps: [] });
  });

  test('an option of the wrong type', () => {
    // @ts-expect-error
    Depends(() => 1, { timeout: '1s' });
    // @ts-expect-error
    Depends(() => 1, { closeTimeout: null });
    // @ts-expect-error
    Depends(() => 1, { cache: 'no' });
  });

  test('needs that are none', () => {
    // @ts-expect-error
    Depends({ url: 'postgres://' }, () => 1);
    // @ts-expect-error
    Depends({ open: () => 1 }, () => 1);
    // @ts-expect-error
    Depends([db], () => 1);
  });

  test('a state class without an id', () => {
    class Nameless extends AsyncState<{ step: number }> {}
    // @ts-expect-error
    Depends({ state: Nameless }, () => 1);
  });

  test('an open function that takes a key which is not in needs', () => {
    // @ts-expect-error
    Depends({ db }, ({ dbs }) => dbs);
  });

  test('an open function that misuses an injected value', () => {
    // @ts-expect-error
    Depends({ db }, ({ db }) => db.execute(1));
    // @ts-expect-error
    Depends({ state: Registration }, ({ state }) => state.get('age'));
  });

  test('an open function that takes more than its needs', () => {
    // @ts-expect-error
    Depends((url: string) => url);
    // @ts-expect-error
    Depends({ db }, ({ db }, sql: string) => db.execute(sql));
  });
});

describe('a dependency of session scope refuses', () => {
  test('one of task scope', () => {
    // @ts-expect-error
    Depends({ ofTask }, () => 1, { scope: 'session' });
  });

  test('the context', () => {
    // @ts-expect-error
    Depends({ ctx: Context }, () => 1, { scope: 'session' });
  });
});

describe('a dependency of worker scope refuses', () => {
  test('one of task scope', () => {
    // @ts-expect-error
    Depends({ ofTask }, () => 1, { scope: 'worker' });
  });

  test('one of session scope', () => {
    // @ts-expect-error
    Depends({ ofSession }, () => 1, { scope: 'worker' });
  });

  test('a state', () => {
    // @ts-expect-error
    Depends({ state: Registration }, () => 1, { scope: 'worker' });
  });

  test('the context', () => {
    // @ts-expect-error
    Depends({ ctx: Context }, () => 1, { scope: 'worker' });
  });
});

describe('a dependency of storage scope refuses', () => {
  test('one of task scope', () => {
    // @ts-expect-error
    Depends({ ofTask }, () => 1, { scope: 'storage' });
  });

  test('one of session scope', () => {
    // @ts-expect-error
    Depends({ ofSession }, () => 1, { scope: 'storage' });
  });

  test('one of worker scope', () => {
    // @ts-expect-error
    Depends({ ofWorker }, () => 1, { scope: 'storage' });
  });

  test('a state', () => {
    // @ts-expect-error
    Depends({ state: Registration }, () => 1, { scope: 'storage' });
  });

  test('the context, also as one need among others', () => {
    const ofStorage = Depends(() => 1, { scope: 'storage' });
    // @ts-expect-error
    Depends({ ofStorage, ctx: Context }, () => 1, { scope: 'storage' });
  });
});

describe('Depends.using refuses', () => {
  test('a function whose result cannot be disposed', () => {
    // @ts-expect-error
    Depends.using(() => ({ close() {} }));
    // @ts-expect-error
    Depends.using(() => 'text');
  });

  test('an async function whose result cannot be disposed', () => {
    // @ts-expect-error
    Depends.using(async () => ({ close() {} }));
  });

  test('a need that lives too short', () => {
    // @ts-expect-error
    Depends.using({ ofTask }, () => null, { scope: 'worker' });
  });
});

describe('override refuses', () => {
  test('a fake of another type', () => {
    // @ts-expect-error
    app.override(ofTask, () => 'text');
    // @ts-expect-error
    app.override(db, async () => ({ execute: 1 }));
  });

  test('a generator that yields another type', () => {
    // @ts-expect-error
    app.override(ofTask, function* () {
      yield 'text';
    });
    // @ts-expect-error
    app.override(ofTask, async function* () {
      yield 'text';
    });
  });

  test('a dependency of another type', () => {
    // @ts-expect-error
    app.override(ofTask, db);
  });

  test('a fake that takes needs', () => {
    // @ts-expect-error
    app.override(ofTask, ({ db }: { db: number }) => db);
  });

  test('a value instead of a function', () => {
    // @ts-expect-error
    app.override(ofTask, 2);
  });

  test('what is no dependency', () => {
    // @ts-expect-error
    app.override(step1, () => 1);
    // @ts-expect-error
    app.override(Registration, () => 1);
    // @ts-expect-error
    app.override(ofTask);
  });
});

test('a dependency is not the value that it opens', () => {
  // @ts-expect-error
  db.execute('select 1');
});

test('a dependency does not change', () => {
  // @ts-expect-error
  ofWorker.scope = 'worker';
});
