/** What the compiler makes of `input` and `output`, with the schemas of three libraries and by hand. */
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  AsyncState,
  type BoundTask,
  Context,
  isQTasksError,
  QTasks,
  type Run,
  type SchemaIssue,
  type StandardSchema,
  type StateFields,
  type Task,
  type TaskOptions,
  task,
} from '../../src/index.js';
import { db, Registration } from './tasks.js';

const kinds = ['free', 'paid'] as const;

describe('zod', () => {
  const input = z.tuple([z.string(), z.string().transform(Number)]);
  const output = z.object({ kind: z.enum(kinds), at: z.string().transform((at) => new Date(at)) });

  test('types what the handler gets and what callers give', () => {
    const plan = task(
      'plan',
      (name, seats) => {
        expectTypeOf(name).toEqualTypeOf<string>();
        expectTypeOf(seats).toEqualTypeOf<number>();
        return seats;
      },
      { input },
    );
    expectTypeOf(plan).toEqualTypeOf<Task<'plan', [string, string], number>>();
  });

  test('types what the handler returns and what callers get', () => {
    const plan = task(
      'plan',
      { db },
      async ({ db }, sql: string) => {
        await db.execute(sql);
        return { kind: 'free', at: '2030-01-01' };
      },
      { output },
    );
    type Planned = { kind: 'free' | 'paid'; at: Date };
    expectTypeOf(plan).toEqualTypeOf<Task<'plan', [sql: string], Planned>>();
  });

  test('types arguments that are optional, have a default or are the rest', () => {
    const optional = task('t', (count) => count, { input: z.tuple([z.number().optional()]) });
    expectTypeOf(optional).toEqualTypeOf<Task<'t', [(number | undefined)?], number | undefined>>();
    const preset = task('t', (count) => count, { input: z.tuple([z.number().default(1)]) });
    expectTypeOf(preset).toEqualTypeOf<Task<'t', [(number | undefined)?], number>>();
    const rest = task('t', (...all) => all, { input: z.array(z.coerce.date<string>()) });
    expectTypeOf(rest).toEqualTypeOf<Task<'t', string[], Date[]>>();
  });
});

describe('valibot', () => {
  const input = v.tuple([v.string(), v.pipe(v.string(), v.transform(Number))]);
  const output = v.object({
    kind: v.picklist(kinds),
    at: v.pipe(
      v.string(),
      v.transform((at) => new Date(at)),
    ),
  });

  test('types what the handler gets and what callers give', () => {
    const plan = task(
      'plan',
      (name, seats) => {
        expectTypeOf(name).toEqualTypeOf<string>();
        expectTypeOf(seats).toEqualTypeOf<number>();
        return seats;
      },
      { input },
    );
    expectTypeOf(plan).toEqualTypeOf<Task<'plan', [string, string], number>>();
  });

  test('types what the handler returns and what callers get', () => {
    const plan = task('plan', { db }, ({ db: _db }) => ({ kind: 'paid', at: '2030-01-01' }), {
      output,
    });
    expectTypeOf(plan).toEqualTypeOf<Task<'plan', [], { kind: 'free' | 'paid'; at: Date }>>();
  });

  test('types arguments of a schema that is asynchronous or read-only', () => {
    const later = task('t', (name) => name, { input: v.tupleAsync([v.string()]) });
    expectTypeOf(later).toEqualTypeOf<Task<'t', [string], string>>();
    const frozen = task('t', (name) => name, {
      input: v.pipe(v.tuple([v.string()]), v.readonly()),
    });
    expectTypeOf(frozen).toEqualTypeOf<Task<'t', [string], string>>();
  });
});

describe('arktype', () => {
  const input = type(['string', 'string.numeric.parse']);
  const output = type({ kind: type.enumerated(...kinds), at: 'string.date.parse' });

  test('types what the handler gets and what callers give', () => {
    const plan = task(
      'plan',
      (name, seats) => {
        expectTypeOf(name).toEqualTypeOf<string>();
        expectTypeOf(seats).toEqualTypeOf<number>();
        return seats;
      },
      { input },
    );
    expectTypeOf(plan).toEqualTypeOf<Task<'plan', [string, string], number>>();
  });

  test('types what the handler returns and what callers get', () => {
    const plan = task('plan', { db }, async ({ db: _db }) => ({ kind: 'free', at: '2030-01-01' }), {
      output,
    });
    expectTypeOf(plan).toEqualTypeOf<Task<'plan', [], { kind: 'free' | 'paid'; at: Date }>>();
  });

  test('types an argument that has a default', () => {
    const preset = task('t', (name, count) => name.repeat(count), {
      input: type(['string', 'number = 1']),
    });
    expectTypeOf(preset).toEqualTypeOf<Task<'t', [string, number?], string>>();
  });
});

describe('input', () => {
  const input = z.tuple([z.string(), z.number()]);

  test('types the parameters behind the needs', () => {
    const save = task(
      't',
      { db, state: Registration, ctx: Context },
      async (needs, name, count) => {
        expectTypeOf(needs.state).toEqualTypeOf<Registration>();
        expectTypeOf(needs.ctx).toEqualTypeOf<Context>();
        expectTypeOf(name).toEqualTypeOf<string>();
        expectTypeOf(count).toEqualTypeOf<number>();
        return needs.db.execute(name);
      },
      { input },
    );
    expectTypeOf(save).toEqualTypeOf<Task<'t', [string, number], number>>();
  });

  test('lets the handler take fewer arguments, also where it says their types', () => {
    expectTypeOf(task('t', () => 1, { input })).toEqualTypeOf<
      Task<'t', [string, number], number>
    >();
    expectTypeOf(task('t', { db }, () => 1, { input })).toEqualTypeOf<
      Task<'t', [string, number], number>
    >();
    expectTypeOf(task('t', (name: string) => name, { input })).toEqualTypeOf<
      Task<'t', [string, number], string>
    >();
    expectTypeOf(task('t', { db }, (_needs, name) => name, { input })).toEqualTypeOf<
      Task<'t', [string, number], string>
    >();
  });

  test('lets the handler say that it takes more than the schema gives', () => {
    const wide = task('t', (name: string | null, count: unknown) => [name, count], { input });
    expectTypeOf(wide).toEqualTypeOf<Task<'t', [string, number], unknown[]>>();
  });

  test('types what a bound task takes, and run by the task and by its name', () => {
    const app = new QTasks({
      tasks: { t: task('t', (name, count) => name.repeat(count), { input }) },
    });
    const bound = app.task('bound', { db }, async (_needs, name, count) => name.repeat(count), {
      input,
    });
    expectTypeOf(bound).toEqualTypeOf<BoundTask<'bound', [string, number], string>>();
    expectTypeOf(bound('a', 1)).toEqualTypeOf<Run<string>>();
    expectTypeOf(app.run('t', 'a', 1)).toEqualTypeOf<Run<string>>();
    expectTypeOf(app.session('ann').run(bound, 'a', 1)).toEqualTypeOf<Run<string>>();
  });

  test('may take anything, and then so do callers', () => {
    const input = z.preprocess((args) => args, z.tuple([z.number()]));
    const open = task('t', (count) => count, { input });
    expectTypeOf(open).toEqualTypeOf<Task<'t', unknown[], number>>();
  });

  test('may be any Standard Schema', () => {
    const byHand: StandardSchema<[at: string], [at: Date]> = {
      '~standard': { version: 1, vendor: 'mine', validate: () => ({ value: [new Date()] }) },
    };
    const later = task('t', (at) => at.getTime(), { input: byHand });
    expectTypeOf(later).toEqualTypeOf<Task<'t', [at: string], number>>();
  });
});

describe('output', () => {
  test('types what a generator returns, and leaves what it yields', () => {
    const output = z.string().transform((text) => text.length);
    const count = task(
      't',
      async function* (to: number) {
        for (let now = 0; now < to; now++) yield now;
        return 'done';
      },
      { output },
    );
    expectTypeOf(count).toEqualTypeOf<Task<'t', [to: number], number, number>>();
    const sync = task(
      't',
      function* (to) {
        yield { to };
        return Promise.resolve('done');
      },
      { input: z.tuple([z.number()]), output },
    );
    expectTypeOf(sync).toEqualTypeOf<Task<'t', [number], number, { to: number }>>();
  });

  test('may have a handler that returns more than it takes', () => {
    const output = z.object({ id: z.number() });
    const more = task('t', { db }, async ({ db }) => ({ id: await db.execute(''), secret: 'x' }), {
      output,
    });
    expectTypeOf(more).toEqualTypeOf<Task<'t', [], { id: number }>>();
  });

  test('stands beside the other options', () => {
    const options = { timeout: 1_000, retry: 2 } as const satisfies TaskOptions;
    const all = task('t', (count) => `${count}`, {
      ...options,
      input: type(['number']),
      output: v.pipe(v.string(), v.transform(Number)),
      exclusive: true,
      middleware: async (_run, next) => next(),
    });
    expectTypeOf(all).toEqualTypeOf<Task<'t', [number], number>>();
  });
});

test('options that say nothing of schemas leave the types to the handler', () => {
  const shared: TaskOptions = { timeout: 1_000 };
  expectTypeOf(task('t', (count: number) => count, shared)).toEqualTypeOf<
    Task<'t', [count: number], number>
  >();
  const more = task('t', { db }, async ({ db }, sql: string) => db.execute(sql), {
    ...shared,
    retry: 1,
  });
  expectTypeOf(more).toEqualTypeOf<Task<'t', [sql: string], number>>();
});

test('the fields of a state may be schemas of any library', () => {
  class Profile extends AsyncState<{ name: string; age: number; kind: 'free' | 'paid' }> {
    static readonly id = 'profile';
    static readonly fields = {
      name: z.string().trim(),
      age: v.pipe(v.number(), v.minValue(18)),
      kind: type.enumerated(...kinds),
    } satisfies StateFields<{ name: string; age: number; kind: 'free' | 'paid' }>;
  }
  const profile = new QTasks().state(Profile);
  expectTypeOf(profile.get('kind', 'free')).resolves.toEqualTypeOf<'free' | 'paid'>();
});

test('a refusal has issues', () => {
  const error: unknown = undefined;
  if (isQTasksError(error, 'INPUT_INVALID') || isQTasksError(error, 'OUTPUT_INVALID')) {
    expectTypeOf(error.data.issues).toEqualTypeOf<readonly SchemaIssue[]>();
    expectTypeOf(error.data.issues[0]?.message).toEqualTypeOf<string | undefined>();
  }
});
