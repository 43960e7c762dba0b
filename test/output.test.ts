/** `output` beside what three libraries show in `schemas.test.ts`: when it is checked, and what a refusal undoes. */
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Context, Depends, isQTasksError, QTasks, type StandardSchema } from '../src/index.js';
import type { StandardResult } from '../src/types.js';
import { ManualClock, settle } from './support/clock.js';
import { gate } from './support/promises.js';
import { traced } from './support/traced.js';

type Answer = StandardResult<string>;

/** A schema of a text, that answers as a test says. */
const schema = (
  validate: (value: unknown) => Answer | Promise<Answer>,
): StandardSchema<string> => ({ '~standard': { version: 1, vendor: 'test', validate } });

const refuse = (): Answer => ({ issues: [{ message: 'no' }] });
const shout = schema((value) => ({ value: `${value}!` }));

/** An app on a clock moved by hand, with a dependency that writes down how it ends. */
class Fixture {
  readonly clock = new ManualClock();
  readonly app = new QTasks({ clock: this.clock, grace: 100 });
  readonly log: string[] = [];
  readonly dep = Depends(() => traced(this.log, 'dep'));
}

describe('the result is checked', () => {
  test('before teardown, and told as what the schema makes of it', async () => {
    const { app, dep, log } = new Fixture();
    const output = schema((value) => {
      log.push('checked');
      return { value: `${value}!` };
    });
    app.on('run:return', ({ value }) => log.push(`return ${value}`));
    app.on('run:success', ({ value }) => log.push(`success ${value}`));
    const speak = app.task('speak', { dep }, ({ dep }) => dep, { output });
    expect((await speak().settled).value).toBe('dep!');
    expect(log).toEqual(['+dep', 'checked', 'return dep!', '-dep', 'success dep!']);
  });

  test.each([
    ['what a function returns', () => 'text'],
    ['what an async function resolves to', async () => 'text'],
  ])('for %s', async (_what, handler) => {
    expect(await new QTasks().task('t', handler, { output: shout })()).toBe('text!');
  });

  test('for what a generator returns, not for what it yields', async () => {
    const app = new QTasks();
    const seen: unknown[] = [];
    const output = schema((value) => {
      seen.push(value);
      return { value: `${value}!` };
    });
    const count = function* (to: number) {
      for (let now = 1; now <= to; now++) yield now;
      return Promise.resolve('done');
    };
    const countLater = async function* (to: number) {
      yield* count(to);
      return 'done';
    };
    for (const handler of [count, countLater]) {
      const run = app.task(handler.name, handler, { output })(2);
      for await (const value of run) seen.push(value);
      expect([await run, seen.splice(0)]).toEqual(['done!', [1, 2, 'done']]);
    }
  });

  test('after the child runs that the handler did not wait for', async () => {
    const { app, log } = new Fixture();
    const child = app.task('child', async () => {
      await settle();
      log.push('child');
    });
    const output = schema((value) => {
      log.push('checked');
      return { value: String(value) };
    });
    const parent = app.task(
      'parent',
      { ctx: Context },
      ({ ctx }) => {
        void ctx.run(child).settled;
        return 'text';
      },
      { output },
    );
    await parent();
    expect(log).toEqual(['child', 'checked']);
  });

  test('never for a handler that has failed', async () => {
    const { app, log } = new Fixture();
    const own = new Error('its own');
    const output = schema(() => {
      log.push('checked');
      return { value: '' };
    });
    const fail = app.task('fail', (): string => Promise.reject(own) as never, { output });
    expect((await fail().settled).error).toBe(own);
    expect(log).toEqual([]);
  });
});

describe('a result that is refused', () => {
  test('reaches a reader after the values, as the end of its loop', async () => {
    const app = new QTasks();
    const count = app.task(
      'count',
      function* () {
        yield 1;
        return 'text';
      },
      { output: schema(refuse) },
    );
    const run = count();
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const value of run) seen.push(value);
    };
    await expect(read()).rejects.toMatchObject({ code: 'OUTPUT_INVALID' });
    expect([seen, run.status]).toEqual([[1], 'error']);
  });

  test('reaches middleware as the error of next(), which may answer with another result', async () => {
    const { app, dep, log } = new Fixture();
    const speak = app.task('speak', { dep }, () => 'text', {
      output: schema(refuse),
      middleware: (_run, next) =>
        next().catch((error) => (isQTasksError(error, 'OUTPUT_INVALID') ? 'fallback' : 'other')),
    });
    expect(await speak()).toBe('fallback');
    expect(log).toEqual(['+dep', expect.stringMatching(/^!dep task "speak": the result/)]);
  });

  test('rolls back everything that is open, in reverse', async () => {
    const { app, dep, log } = new Fixture();
    const outer = Depends({ dep }, () => traced(log, 'outer'));
    const speak = app.task(
      'speak',
      { outer, ctx: Context },
      ({ ctx }) => {
        ctx.defer(() => log.push('deferred'));
        return 'text';
      },
      { output: schema(refuse) },
    );
    await speak().settled;
    const ends = log.map((line) => line.split(' ')[0]);
    expect(ends).toEqual(['+dep', '+outer', 'deferred', '!outer', '!dep']);
  });

  test('does not become a success where a dependency swallows the error', async () => {
    const app = new QTasks();
    const dep = Depends(function* () {
      try {
        yield;
      } catch {}
    });
    const speak = app.task('speak', { dep }, () => 'text', { output: schema(refuse), retry: 1 });
    expect(await speak().settled).toMatchObject({ status: 'error', attempts: 1 });
  });
});

describe('a schema that takes its time', () => {
  test.each<[string, StandardSchema<string>]>([
    ['zod', z.string().refine(async (text) => text !== 'bad')],
    [
      'valibot',
      v.pipeAsync(
        v.string(),
        v.checkAsync(async (text) => text !== 'bad'),
      ),
    ],
  ])('may be one of %s', async (_library, output) => {
    const { app, dep, log } = new Fixture();
    const speak = app.task('speak', { dep }, (_needs, text: string) => text, { output });
    expect(await speak('good')).toBe('good');
    expect((await speak('bad').settled).error).toMatchObject({ code: 'OUTPUT_INVALID' });
    expect(log.map((line) => line.slice(0, 4))).toEqual(['+dep', '-dep', '+dep', '!dep']);
  });

  /** A run whose result is checked until the gate opens. */
  const slow = ({ timeout }: { timeout?: number } = {}) => {
    const fixture = new Fixture();
    const { promise, resolve } = gate<Answer>();
    const { app, dep } = fixture;
    const options = { output: schema(() => promise), ...(timeout ? { timeout } : {}) };
    const run = app.task('t', { dep }, () => 'text', options)();
    return { ...fixture, run, resolve };
  };

  test('is part of the attempt: a cancel ends the run, whatever it answers', async () => {
    const { clock, run, log, resolve } = slow();
    await settle();
    run.cancel('enough');
    resolve({ value: 'late' });
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'enough' });
    expect([log, clock.pending]).toEqual([['+dep', '!dep enough'], 0]);
  });

  test('is part of the attempt: it is not waited for past the grace of a cancel', async () => {
    const { clock, run, log } = slow();
    await settle();
    run.cancel('enough');
    await clock.advance(99);
    expect([run.status, log]).toEqual(['process', ['+dep']]);
    await clock.advance(1);
    expect([run.status, log]).toEqual(['cancel', ['+dep', '!dep enough']]);
  });

  test('is part of the attempt: its time counts', async () => {
    const { clock, run, log } = slow({ timeout: 1_000 });
    const { settled } = run;
    await clock.advance(1_100);
    expect((await settled).error).toMatchObject({ code: 'TASK_TIMEOUT' });
    expect(log).toHaveLength(2);
  });
});

describe('a schema that misbehaves', () => {
  test('by throwing or rejecting: everything rolls back, and the run rejects with that very error', async () => {
    const own = new Error('its own');
    const answers = [
      () => Promise.reject(own),
      () => {
        throw own;
      },
    ];
    for (const answer of answers) {
      const { app, dep, log } = new Fixture();
      const { error } = await app.task('t', { dep }, () => 'text', { output: schema(answer) })()
        .settled;
      expect(error).toBe(own);
      expect(log).toEqual(['+dep', '!dep its own']);
    }
  });
});
