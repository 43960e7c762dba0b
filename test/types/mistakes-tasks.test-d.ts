/** What must not compile: defining tasks. Each directive stands for one mistake. */
import { describe, test } from 'vitest';
import { AsyncState, Context, QTasks, task } from '../../src/index.js';
import { db, Registration } from './tasks.js';

const app = new QTasks();

describe('a definition is refused', () => {
  test('without a handler', () => {
    // @ts-expect-error
    task('t');
    // @ts-expect-error
    task('t', { db });
  });

  test('with a name that is no string', () => {
    // @ts-expect-error
    task(1, () => 1);
    // @ts-expect-error
    app.task(Symbol('t'), () => 1);
  });

  test('with something else in the place of the handler', () => {
    // @ts-expect-error
    task('t', 'handler');
    // @ts-expect-error
    task('t', { db }, db);
  });

  test('with the options before the handler', () => {
    // @ts-expect-error
    task('t', { db }, { timeout: 1 }, () => 1);
  });

  test('with an option that does not exist', () => {
    // @ts-expect-error
    task('t', () => 1, { timeOut: 1 });
    // @ts-expect-error
    app.task('t', { db }, () => 1, { timeOut: 1 });
  });

  test('with an option of the wrong type', () => {
    // @ts-expect-error
    task('t', () => 1, { timeout: '1s' });
    // @ts-expect-error
    task('t', () => 1, { grace: null });
    // @ts-expect-error
    task('t', () => 1, { priority: 'high' });
    // @ts-expect-error
    task('t', () => 1, { tags: 'slow' });
    // @ts-expect-error
    task('t', () => 1, { description: 1 });
    // @ts-expect-error
    task('t', () => 1, { meta: 'owner' });
  });

  test('with a retry that is no number and no policy', () => {
    // @ts-expect-error
    task('t', () => 1, { retry: '3' });
    // @ts-expect-error
    task('t', () => 1, { retry: true });
  });

  test('with a policy that lacks its limit or has an unknown option', () => {
    // @ts-expect-error
    task('t', () => 1, { retry: { delay: 1 } });
    // @ts-expect-error
    task('t', () => 1, { retry: { limit: 1, times: 3 } });
  });

  test('with a policy whose option has the wrong type', () => {
    // @ts-expect-error
    task('t', () => 1, { retry: { limit: '1' } });
    // @ts-expect-error
    task('t', () => 1, { retry: { limit: 1, jitter: 0.5 } });
    // @ts-expect-error
    task('t', () => 1, { retry: { limit: 1, when: Error } });
    // @ts-expect-error
    task('t', () => 1, { retry: { limit: 1, when: ['Error'] } });
    // @ts-expect-error
    task('t', () => 1, { retry: { limit: 1, when: () => 'yes' } });
  });
});

describe('needs are refused', () => {
  test('that hold a value instead of a need', () => {
    // @ts-expect-error
    task('t', { url: 'postgres://' }, () => 1);
    // @ts-expect-error
    task('t', { count: 1 }, () => 1);
    // @ts-expect-error
    task('t', { db: undefined }, () => 1);
  });

  test('that hold a function instead of what Depends makes of it', () => {
    // @ts-expect-error
    task('t', { db: () => 1 }, () => 1);
    // @ts-expect-error
    task('t', { db: async function* () {} }, () => 1);
  });

  test('that hold a promise', () => {
    // @ts-expect-error
    task('t', { db: Promise.resolve(db) }, () => 1);
  });

  test('that hold a class which is no state', () => {
    // @ts-expect-error
    task('t', { map: Map }, () => 1);
    class Named {
      static readonly id = 'named';
      readonly step = 1;
    }
    // @ts-expect-error
    task('t', { named: Named }, () => 1);
  });

  test('that hold a state class without an id', () => {
    class Nameless extends AsyncState<{ step: number }> {}
    // @ts-expect-error
    task('t', { state: Nameless }, () => 1);
    // @ts-expect-error
    task('t', { state: AsyncState }, () => 1);
  });

  test('that hold a state class whose id is no string', () => {
    class Numbered extends AsyncState<{ step: number }> {
      static readonly id = 1;
    }
    // @ts-expect-error
    task('t', { state: Numbered }, () => 1);
  });

  test('that hold a state instead of its class', () => {
    // @ts-expect-error
    task('t', { state: app.state(Registration) }, () => 1);
  });

  test('that are an array', () => {
    // @ts-expect-error
    task('t', [db], () => 1);
  });

  test('that are one need without a record', () => {
    // @ts-expect-error
    task('t', db, () => 1);
    // @ts-expect-error
    task('t', Registration, () => 1);
  });
});

describe('a handler is refused', () => {
  test('that takes a key which is not in needs', () => {
    // @ts-expect-error
    task('t', { db }, ({ dbs }) => dbs);
  });

  test('that misuses an injected value', () => {
    // @ts-expect-error
    task('t', { db }, ({ db }) => db.exec('select 1'));
    // @ts-expect-error
    task('t', { db }, ({ db }) => db.execute(1));
    // @ts-expect-error
    task('t', { ctx: Context }, ({ ctx }) => ctx.sleep('1s'));
    // @ts-expect-error
    task('t', { ctx: Context }, ({ ctx }) => ctx.defer(1));
    // @ts-expect-error
    task('t', { ctx: Context }, ({ ctx }) => ctx.run());
  });

  test('that declares another type for an injected value', () => {
    // @ts-expect-error
    task('t', { db }, (needs: { db: string }) => needs);
  });

  test('that takes the arguments first', () => {
    // @ts-expect-error
    task('t', { db }, (phone: string, { db }) => db.execute(phone));
  });

  test('that writes to its needs', () => {
    // @ts-expect-error
    task('t', { db }, (needs) => delete needs.db);
    task('t', { db }, (needs) => {
      // @ts-expect-error
      needs.db = { ...needs.db };
    });
  });

  test('that writes to its context', () => {
    task('t', { ctx: Context }, ({ ctx }) => {
      // @ts-expect-error
      ctx.attempt = 2;
      // @ts-expect-error
      ctx.signal = new AbortController().signal;
    });
  });
});

test('a context is not constructed by hand', () => {
  // @ts-expect-error
  new Context();
});

test('a task is not called before it is bound to an app', () => {
  const step = task('step', () => 1);
  // @ts-expect-error
  step();
});

test('a task does not change', () => {
  const step = task('step', () => 1);
  // @ts-expect-error
  step.name = 'step';
  // @ts-expect-error
  step.options = {};
  // @ts-expect-error
  step.options.timeout = 1;
  // @ts-expect-error
  app.task = task;
});
