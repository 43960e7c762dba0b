/** What must not compile: `input`, `output` and `fields`. Each directive stands for one mistake. */
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, test } from 'vitest';
import { z } from 'zod';
import { AsyncState, isQTasksError, QTasks, type StateFields, task } from '../../src/index.js';
import { db } from './tasks.js';

const input = z.tuple([z.string(), z.string().transform(Number)]);
const output = z.object({ kind: z.enum(['free', 'paid']) });
const plan = task('plan', (name, seats) => name.repeat(seats), { input });
const app = new QTasks({ tasks: { plan } });

describe('callers of a task with input are refused', () => {
  test('that give what the handler gets instead of what the schema takes', () => {
    // @ts-expect-error
    void app.run(plan, 'ann', 2);
    // @ts-expect-error
    void app.run('plan', 'ann', 2);
  });

  test('that give too few or too many', () => {
    // @ts-expect-error
    void app.run(plan, 'ann');
    // @ts-expect-error
    void app.run('plan', 'ann', '2', 'more');
  });

  test('that give the array instead of its parts', () => {
    // @ts-expect-error
    void app.run(plan, ['ann', '2']);
  });

  test('of a bound task too', () => {
    const bound = app.task('bound', { db }, (_needs, name) => name, { input: type(['string']) });
    // @ts-expect-error
    void bound(1);
    // @ts-expect-error
    void bound();
  });
});

describe('a handler is refused', () => {
  test('that takes another type than its input gives', () => {
    // @ts-expect-error
    task('t', (name: string, seats: string) => name + seats, { input });
    // @ts-expect-error
    task('t', { db }, (_needs, name: number) => name, { input: v.tuple([v.string()]) });
  });

  test('that takes more than its input gives', () => {
    // @ts-expect-error
    task('t', (one: string, two: number, three: number) => [one, two, three], { input });
    // @ts-expect-error
    task('t', { db }, (_needs: object, one: string, two: string) => one + two, {
      input: type(['string']),
    });
  });

  test('that takes for certain what its input may leave out', () => {
    // @ts-expect-error
    task('t', { db }, (_needs, count: number) => count, {
      input: z.tuple([z.number().optional()]),
    });
  });

  test('that misuses what its input gives', () => {
    // @ts-expect-error
    task('t', (name, seats) => name + seats.trim(), { input });
    // @ts-expect-error
    task('t', { db }, (_needs, name) => name.toFixed(), { input: v.tuple([v.string()]) });
  });

  test('that takes arguments of which nobody says the type', () => {
    // @ts-expect-error
    task('t', { db }, (_needs, name) => name.trim());
  });

  test('that returns what its output does not take', () => {
    // @ts-expect-error
    task('t', { db }, ({ db: _db }) => ({ kind: 'gold' }), { output });
    // @ts-expect-error
    task('t', { db }, async ({ db: _db }) => ({ kinds: 'free' }), { output });
    // @ts-expect-error
    task('t', { db }, () => undefined, { output });
    // @ts-expect-error
    task('t', { db }, async ({ db: _db }) => 1, { output: v.string() });
  });

  test('that yields what its output takes and returns nothing', () => {
    const yields = async function* () {
      yield 'text';
    };
    // @ts-expect-error
    task('t', { db }, yields, { output: type('string') });
  });
});

describe('a result is refused', () => {
  test('where callers take what the handler returns for what the schema makes of it', async () => {
    const length = task('length', (text: string) => text, {
      output: type('string').pipe((text) => text.length),
    });
    // @ts-expect-error
    const text: string = await new QTasks({ tasks: { length } }).run(length, 'text');
    return text;
  });
});

describe('a schema is refused', () => {
  test('of the first argument instead of all', () => {
    // @ts-expect-error
    task('t', () => 1, { input: z.string() });
    // @ts-expect-error
    task('t', { db }, () => 1, { input: v.object({ name: v.string() }) });
  });

  test('that is none', () => {
    // @ts-expect-error
    task('t', { db }, () => 1, { input: {} });
    // @ts-expect-error
    task('t', { db }, () => 1, { input: (args: unknown) => args });
    // @ts-expect-error
    task('t', { db }, () => 1, { output: 'string' });
    // @ts-expect-error
    task('t', { db }, () => 1, { output: [output] });
  });

  test('of a field that gives another type than the field has', () => {
    type Shape = { age: number };
    // @ts-expect-error
    const fields = { age: z.string() } satisfies StateFields<Shape>;
    class Profile extends AsyncState<Shape> {
      static readonly id = 'profile';
      // @ts-expect-error
      static readonly fields = { ages: v.number() } satisfies StateFields<Shape>;
    }
    return [fields, Profile];
  });
});

test('issues are read, not written', () => {
  const error: unknown = undefined;
  if (!isQTasksError(error, 'INPUT_INVALID')) return;
  // @ts-expect-error
  error.data.issues = [];
  // @ts-expect-error
  error.data.issues.push({ message: 'no' });
  // @ts-expect-error
  error.data.errors;
});
