/** `input` beside what three libraries show in `schemas.test.ts`: when it is checked, and schemas that misbehave. */
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { memory } from '../adapters/memory.js';
import {
  type AnyTask,
  Context,
  Depends,
  isQTasksError,
  QTasks,
  type StandardSchema,
  task,
} from '../src/index.js';
import type { StandardResult } from '../src/types.js';
import { ManualClock, settle } from './support/clock.js';
import { gate } from './support/promises.js';

type Answer = StandardResult<[text: string]>;

/** A schema of one text, that answers as a test says. */
const schema = (
  validate: (value: unknown) => Answer | Promise<Answer>,
): StandardSchema<[text: string]> => ({ '~standard': { version: 1, vendor: 'test', validate } });

/** One that counts how often it was asked. */
class Counted {
  asked = 0;
  readonly schema: StandardSchema<[text: string]>;

  constructor(answer: (value: unknown) => Answer | Promise<Answer>) {
    this.schema = schema((value) => {
      this.asked++;
      return answer(value);
    });
  }
}

const accept = (value: unknown): Answer => ({ value: value as [string] });
const refuse = (): Answer => ({ issues: [{ message: 'no' }] });

describe('the arguments are checked', () => {
  test('once for all attempts', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    for (const [name, answer] of [
      ['sync', accept],
      ['async', async (value: unknown) => accept(value)],
    ] as const) {
      const input = new Counted(answer);
      const flaky = app.task(
        name,
        { ctx: Context },
        ({ ctx }, text) => {
          if (ctx.attempt < 3) throw new Error('again');
          return text;
        },
        { input: input.schema, retry: 2 },
      );
      const run = flaky('text');
      await clock.advance(1_000);
      expect([await run, input.asked]).toEqual(['text', 1]);
    }
  });

  test('within the call, so that the handler starts within it too', () => {
    const app = new QTasks();
    const got: unknown[] = [];
    const options = { input: new Counted(() => ({ value: ['checked'] })).schema };
    const keep = app.task('keep', async (text) => got.push(text), options);
    expect([keep('raw').status, got]).toEqual(['process', ['checked']]);
  });

  test('as one array, which the caller keeps as it is', async () => {
    const app = new QTasks();
    const seen: unknown[] = [];
    const input = new Counted((value) => {
      seen.push(value);
      return { value: ['other'] };
    });
    const given = { deep: [1] };
    const unchecked: AnyTask = app.task('t', (text) => text, { input: input.schema });
    expect(await app.run(unchecked, given, 2)).toBe('other');
    expect(seen).toEqual([[given, 2]]);
    expect(given).toEqual({ deep: [1] });
  });

  test('of a child run too: what it refuses is the error of that one', async () => {
    const app = new QTasks();
    const child = app.task('child', (text) => text, { input: new Counted(refuse).schema });
    const parent = app.task('parent', { ctx: Context }, async ({ ctx }) => {
      const { status, error, attempts } = await ctx.run(child, 'text').settled;
      return [status, isQTasksError(error) && error.code, attempts];
    });
    expect(await parent()).toEqual(['error', 'INPUT_INVALID', 0]);
  });

  test('once where a second run joins by its id', async () => {
    const app = new QTasks();
    const input = new Counted(async (value) => accept(value));
    const echo = app.task('echo', (text) => text, { input: input.schema });
    const client = app.with({ id: 'one' });
    const [first, second] = [client.run(echo, 'a'), client.run(echo, 'b')];
    expect(second).toBe(first);
    expect([await second, input.asked]).toEqual(['a', 1]);
  });

  test('never for a run that is refused anyway', async () => {
    const app = new QTasks();
    const input = new Counted(accept);
    const echo = app.task('echo', (text) => text, { input: input.schema });
    const { status } = await app.with({ signal: AbortSignal.abort() }).run(echo, 'text').settled;
    await app.close();
    const closed = await echo('text').settled;
    expect([status, closed.status, input.asked]).toEqual(['cancel', 'error', 0]);
  });
});

describe('a schema that takes its time', () => {
  /** A run whose arguments are checked until the gate opens. */
  const slow = (options: { exclusive?: boolean; concurrency?: number; timeout?: number } = {}) => {
    const { concurrency = 1, ...others } = options;
    const clock = new ManualClock();
    const app = new QTasks({ clock, concurrency, storage: memory() });
    const { promise, resolve, reject } = gate<Answer>();
    const log: string[] = [];
    const dep = Depends(() => log.push('opened'));
    const input = schema(() => promise);
    const echo = app.task('echo', { dep }, (_needs, text) => text, { input, ...others });
    return { app, clock, log, echo, resolve, reject };
  };

  test.each([
    ['zod', z.tuple([z.string().refine(async (text) => text !== 'taken')])],
    [
      'valibot',
      v.tupleAsync([
        v.pipeAsync(
          v.string(),
          v.checkAsync(async (text) => text !== 'taken'),
        ),
      ]),
    ],
  ])('may be one of %s', async (_library, input: StandardSchema<[string], [string]>) => {
    const app = new QTasks();
    const book = app.task('book', (name) => `${name} is booked`, { input });
    expect(await book('ann')).toBe('ann is booked');
    const { error, attempts } = await book('taken').settled;
    expect(error).toMatchObject({ code: 'INPUT_INVALID', data: { issues: [{ path: [0] }] } });
    expect(attempts).toBe(0);
  });

  test('leaves the run new, without an attempt, a slot, a hold and a timeout', async () => {
    const { app, clock, log, echo, resolve } = slow({ exclusive: true, timeout: 1_000 });
    const run = echo('raw');
    await clock.advance(2_000);
    expect([run.status, log, clock.pending]).toEqual(['new', [], 0]);
    expect(app.inspect().runs).toMatchObject([{ status: 'new', attempt: 0, waitsFor: null }]);
    // One slot and one hold, and neither is taken.
    expect(await app.task('other', () => 'other', { exclusive: true })()).toBe('other');
    resolve({ value: ['checked'] });
    expect(await run).toBe('checked');
  });

  test.each([
    ['accepts', (checks: ReturnType<typeof slow>) => checks.resolve({ value: ['late'] })],
    ['refuses', (checks: ReturnType<typeof slow>) => checks.resolve(refuse())],
    ['fails', (checks: ReturnType<typeof slow>) => checks.reject(new Error('late'))],
  ])(
    'and %s after a cancel changes nothing: the run has settled at once',
    async (_what, answer) => {
      const checks = slow();
      const run = checks.echo('raw');
      const reason = new Error('enough');
      run.cancel(reason);
      expect(run.status).toBe('cancel');
      expect(await run.settled).toMatchObject({ status: 'cancel', error: reason, attempts: 0 });
      answer(checks);
      await settle();
      expect([run.status, checks.log, checks.app.inspect().runs]).toEqual(['cancel', [], []]);
    },
  );

  test('is waited for by close, and not longer than drain', async () => {
    const { app, clock, log, echo } = slow();
    const run = echo('raw');
    const closing = app.close({ drain: 100 });
    await clock.advance(99);
    expect(run.status).toBe('new');
    await clock.advance(1);
    await closing;
    expect((await run.settled).error).toMatchObject({ code: 'APP_CLOSED' });
    expect(log).toEqual([]);
  });

  test('cancels with the signal of the caller, and with its parent', async () => {
    const { app, echo } = slow({ concurrency: 2 });
    const caller = new AbortController();
    const run = app.with({ signal: caller.signal }).run(echo, 'raw');
    const reasons: unknown[] = [];
    const parent = app.task('parent', { ctx: Context }, async ({ ctx }) => {
      reasons.push((await ctx.run(echo, 'raw').settled).error);
    })();
    caller.abort('caller');
    parent.cancel('parent');
    expect((await run.settled).error).toBe('caller');
    expect((await parent.settled).error).toBe('parent');
    await settle();
    expect(reasons).toEqual(['parent']);
  });
});

describe('a schema that misbehaves', () => {
  const own = new Error('its own');
  const outcome = async (answer: (value: unknown) => unknown): Promise<unknown> => {
    const clock = new ManualClock();
    const ran: unknown[] = [];
    const input = schema(answer as () => Answer);
    const app = new QTasks({ clock });
    const options = { input, retry: 3 };
    const { status, error, attempts } = await app.task('t', () => ran.push(1), options)('text')
      .settled;
    return [status, isQTasksError(error) ? error.code : error, attempts, ran, clock.pending];
  };

  test('by throwing or rejecting: the run rejects with that very error', async () => {
    const throws = (): never => {
      throw own;
    };
    const ends = ['error', own, 0, [], 0];
    expect(await outcome(throws)).toEqual(ends);
    expect(await outcome(() => Promise.reject(own))).toEqual(ends);
    expect(
      await outcome(() => ({
        get issues() {
          return throws();
        },
      })),
    ).toEqual(ends);
  });

  test('by giving no array of arguments: OPTION_INVALID', async () => {
    const answers = ['text', undefined, null, 1, {}, { length: 1, 0: 'text' }, new Set(['text'])];
    for (const value of answers) {
      expect(await outcome(() => ({ value }))).toEqual(['error', 'OPTION_INVALID', 0, [], 0]);
      expect(await outcome(async () => ({ value }))).toEqual(['error', 'OPTION_INVALID', 0, [], 0]);
    }
  });

  test('by answering nothing that is an answer: OPTION_INVALID', async () => {
    for (const answer of [undefined, null, 0, '', 1, 'text', {}, []])
      expect(await outcome(() => answer)).toEqual(['error', 'OPTION_INVALID', 0, [], 0]);
  });

  test('is told by its task and by what it should be', async () => {
    const app = new QTasks();
    const input = schema(() => ({ value: 'text' }) as never);
    const { error } = await app.task('echo', () => 1, { input })('text').settled;
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /^task "echo": the arguments: option "input" must be a schema/,
      ),
    });
  });
});

test('issues become plain data, whatever their class, with keys in the place of path segments', async () => {
  class Issue {
    readonly message = 'no';
    readonly secret = () => 'cannot be cloned';
    readonly path = [{ key: 0, extra: 1 }, 'name', 2];
  }
  const input = schema(() => ({ issues: [new Issue(), { message: 'at all' }] }));
  const app = new QTasks({ tasks: { echo: task('echo', (text) => text, { input }) } });
  const { error } = await app.run('echo', 'text').settled;
  if (!isQTasksError(error, 'INPUT_INVALID')) throw error;
  expect(structuredClone(error.data)).toEqual({
    issues: [
      { message: 'no', path: [0, 'name', 2] },
      { message: 'at all', path: undefined },
    ],
  });
});
