/** `input`, `output` and the `fields` of a state with the schemas that people have: zod, valibot, arktype. */
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { memory } from '../adapters/memory.js';
import {
  type AnyTask,
  AsyncState,
  Depends,
  isQTasksError,
  type MiddlewareRun,
  QTasks,
  type StandardSchema,
  task,
} from '../src/index.js';
import { ManualClock } from './support/clock.js';
import { traced } from './support/traced.js';

/** The same schemas of one library. */
interface Library {
  readonly name: string;
  /** Trims the name and makes a number of the age. */
  readonly person: StandardSchema<[name: string, age: string], [name: string, age: number]>;
  /** An object in an array, so that a path has several steps. */
  readonly cart: StandardSchema<[{ items: { price: number }[] }]>;
  /** Takes short texts, gives their length. */
  readonly length: StandardSchema<string, number>;
  readonly adult: StandardSchema<number>;
  readonly trimmed: StandardSchema<string>;
}

const libraries: readonly Library[] = [
  {
    name: 'zod',
    person: z.tuple([z.string().trim().min(1), z.string().regex(/^\d+$/).transform(Number)]),
    cart: z.tuple([z.object({ items: z.array(z.object({ price: z.number() })) })]),
    length: z
      .string()
      .max(9)
      .transform((text) => text.length),
    adult: z.number().min(18),
    trimmed: z.string().trim(),
  },
  {
    name: 'valibot',
    person: v.tuple([
      v.pipe(v.string(), v.trim(), v.minLength(1)),
      v.pipe(v.string(), v.digits(), v.transform(Number)),
    ]),
    cart: v.strictTuple([v.object({ items: v.array(v.object({ price: v.number() })) })]),
    length: v.pipe(
      v.string(),
      v.maxLength(9),
      v.transform((text) => text.length),
    ),
    adult: v.pipe(v.number(), v.minValue(18)),
    trimmed: v.pipe(v.string(), v.trim()),
  },
  {
    name: 'arktype',
    person: type([type('string.trim').to('string > 0'), 'string.integer.parse']),
    cart: type([{ items: type({ price: 'number' }).array() }]),
    length: type('string <= 9').pipe((text) => text.length),
    adult: type('number >= 18'),
    trimmed: type('string.trim'),
  },
];

/** What a refusal brings, to be read by programs in any thread. */
const plainIssue = (path: readonly (string | number)[]) => ({ message: expect.any(String), path });

describe.each(libraries)('$name', ({ person, cart, length, adult, trimmed }) => {
  test('gives handler and middleware what it makes of the arguments, and callers what it makes of the result', async () => {
    const app = new QTasks();
    const seen: unknown[] = [];
    app.use(async (run: MiddlewareRun, next) => {
      seen.push(run.args);
      const value = await next();
      seen.push(value);
      return value;
    });
    app.on('run:success', ({ value }) => seen.push(value));
    const greet = app.task(
      'greet',
      (name, age) => {
        seen.push(name.toUpperCase(), age.toFixed(1));
        return `${name} ${age}`;
      },
      { input: person, output: length },
    );
    const count: number = await greet('  Ann ', '30');
    expect(count).toBe(6);
    expect(seen).toEqual([['Ann', 30], 'ANN', '30.0', 6, 6]);
  });

  test('refuses arguments before anything starts, with plain issues and their paths', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const seen: unknown[] = [];
    const dep = Depends(() => seen.push('opened'));
    const note = async (_run: MiddlewareRun, next: () => Promise<unknown>): Promise<unknown> => {
      seen.push('middleware');
      return next();
    };
    const options = { input: person, retry: 3, middleware: note };
    const greet = app.task('greet', { dep }, () => seen.push('handler'), options);
    app.on('run:start', () => seen.push('start'));
    app.on('run:retry', () => seen.push('retry'));
    const { status, error, attempts } = await greet('Ann', 'thirty').settled;
    expect([status, attempts, clock.pending, seen]).toEqual(['error', 0, 0, []]);
    if (!isQTasksError(error, 'INPUT_INVALID')) throw error;
    expect(error.data.issues).toEqual([plainIssue([1])]);
    expect(structuredClone(error.data)).toEqual(error.data);
    for (const issue of error.data.issues) {
      expect(Object.getPrototypeOf(issue)).toBe(Object.prototype);
      expect(Object.getPrototypeOf(issue.path)).toBe(Array.prototype);
    }
    expect(error.message).toMatch(/^task "greet": the arguments: its schema refused the value/);
    expect(error.message).not.toContain('thirty');
  });

  test('tells of everything that is wrong with the arguments, however deep', async () => {
    const buy = task('buy', ({ items }) => items.length, { input: cart });
    const app = new QTasks({ tasks: { buy } });
    const issuesOf = async (...args: readonly unknown[]): Promise<unknown> => {
      // As from another thread, or from code that was not compiled.
      const unchecked: AnyTask = buy;
      const { status, error, attempts } = await app.run(unchecked, ...args).settled;
      return isQTasksError(error, 'INPUT_INVALID') && [status, attempts, error.data.issues];
    };
    const deep = { items: [{ price: 1 }, { price: 'much' }] };
    expect(await issuesOf(deep)).toEqual(['error', 0, [plainIssue([0, 'items', 1, 'price'])]]);
    expect(await issuesOf()).toEqual(['error', 0, expect.any(Array)]);
    expect(await issuesOf({ items: [] }, 'extra')).toEqual(['error', 0, expect.any(Array)]);
    expect(await app.run(buy, { items: [] })).toBe(0);
  });

  test('refuses a result: what is open rolls back, and nothing is tried again', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const log: string[] = [];
    const transaction = Depends(() => traced(log, 'transaction'));
    const returned: unknown[] = [];
    app.on('run:return', (event) => returned.push(event));
    const options = { output: length, retry: 3 };
    const speak = app.task('speak', { transaction }, async (_needs, text: string) => text, options);
    const { status, error, attempts } = await speak('far too long').settled;
    expect([status, attempts, clock.pending, returned]).toEqual(['error', 1, 0, []]);
    if (!isQTasksError(error, 'OUTPUT_INVALID')) throw error;
    expect(log).toEqual(['+transaction', `!transaction ${error.message}`]);
    const [issue, ...others] = error.data.issues;
    expect([issue?.message, issue?.path ?? [], others]).toEqual([expect.any(String), [], []]);
    expect(error.message).not.toContain('far too long');
    expect(await speak('short')).toBe(5);
  });

  test('checks what is written to a state, and what it gives is stored', async () => {
    class Profile extends AsyncState<{ name: string; age: number }> {
      static readonly id = 'profile';
      static readonly fields = { name: trimmed, age: adult };
    }
    const profile = new QTasks({ storage: memory() }).state(Profile);
    await profile.set('name', ' Ann ');
    await profile.update({ age: 18 });
    await profile.update((now) => ({ name: `${now.name} Lee  ` }));
    const refused = await Promise.allSettled([
      profile.set('age', 17),
      profile.update({ name: 'Bob', age: 17 }),
      profile.update(() => ({ name: 'Bob', age: Number.NaN })),
    ]);
    for (const outcome of refused) {
      const reason: unknown = outcome.status === 'rejected' && outcome.reason;
      if (!isQTasksError(reason, 'STATE_INVALID')) throw reason;
      expect(reason.data).toMatchObject({
        field: 'age',
        issues: [{ message: expect.any(String) }],
      });
      expect(structuredClone(reason.data)).toEqual(reason.data);
    }
    expect(await profile.getAll()).toEqual({ name: 'Ann Lee', age: 18 });
  });
});
