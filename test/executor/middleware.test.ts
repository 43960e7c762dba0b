/** What middleware sees, and what its answer, its `next()` and its haste or patience do to a run. */
import { describe, expect, it } from 'vitest';
import {
  Context,
  isQTasksError,
  type Middleware,
  type MiddlewareRun,
  type StandardSchema,
} from '../../src/index.js';
import { settle } from '../support/clock.js';
import { setUp } from '../support/middleware.js';
import { gate, never, rejection } from '../support/promises.js';
import { schema } from '../support/schemas.js';

const no = new Error('no');

describe('what it is told', () => {
  it("is the run's id, task and session, the attempt, the arguments and the handler's own signal", async () => {
    const seen: MiddlewareRun[] = [];
    const { app } = setUp((run, next) => {
      seen.push(run);
      return next();
    });
    const work = app.task('work', { ctx: Context }, ({ ctx }, ..._args: unknown[]) => ctx.signal);
    const args = [{ a: 1 }, 'b'];
    const run = app.session('ann').run(work, ...args);
    const signal = await run;
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ id: run.id, task: 'work', session: 'ann', attempt: 1 });
    expect(seen[0]?.args[0]).toBe(args[0]);
    expect(seen[0]?.signal).toBe(signal);
    const named = app.with({ id: 'named' }).run(work);
    await named;
    expect(seen[1]).toMatchObject({ id: 'named', session: '', args: [] });
  });

  it('is of each attempt its own: another number and another signal', async () => {
    const seen: MiddlewareRun[] = [];
    const { app, clock } = setUp((run, next) => {
      seen.push(run);
      return next();
    });
    const fails = app.task('fails', () => never, { retry: 1, timeout: 10, grace: 0 });
    const { settled } = fails();
    await clock.advance(1_000);
    expect((await settled).attempts).toBe(2);
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(seen[0]?.signal).not.toBe(seen[1]?.signal);
    expect(seen.every(({ signal }) => signal.aborted)).toBe(true);
    expect(seen[0]?.id).toBe(seen[1]?.id);
  });

  it('is what the schemas gave: the arguments, and the result', async () => {
    const seen: unknown[] = [];
    const { app } = setUp(async (run, next) => {
      seen.push(run.args);
      const value = await next();
      seen.push(value);
      return `${value}!`;
    });
    const validate = (args: unknown) => ({
      value: [Number(Array.isArray(args) && args[0])] satisfies [number],
    });
    const input: StandardSchema<[string], [number]> = {
      '~standard': { version: 1, vendor: 'test', validate },
    };
    const output = schema((value) => ({ value: `<${value}>` }));
    const work = app.task('work', (count: number) => `${count + 1}`, { input, output });
    // What it answers itself is not checked again.
    expect(await work('1')).toBe('<2>!');
    expect(seen).toEqual([[1], '<2>']);
  });
});

describe('next()', () => {
  it('called twice rejects with OPTION_INVALID, before and after the first has ended', async () => {
    const errors: unknown[] = [];
    const { app, log, dep } = setUp(async (_run, next) => {
      const first = next();
      errors.push(await rejection(next()));
      const value = await first;
      errors.push(await rejection(next()));
      return value;
    });
    const work = app.task('work', { dep }, () => 'value');
    expect(await work()).toBe('value');
    expect(errors.map((error) => isQTasksError(error, 'OPTION_INVALID'))).toEqual([true, true]);
    expect(log).toEqual(['+dep', '-dep']);
  });

  it('called twice and not looked at is nothing that surfaces', async () => {
    const { app, log, dep } = setUp((_run, next) => {
      void next();
      void next();
      return next();
    });
    const run = app.task('work', { dep }, () => 'value')();
    expect(isQTasksError(await rejection(run), 'OPTION_INVALID')).toBe(true);
    // The attempt that the first call has started is torn down all the same.
    expect(log).toEqual(['+dep', '-dep']);
  });

  it('called after the end rejects, and starts nothing', async () => {
    let late: (() => Promise<unknown>) | undefined;
    const { app, log, dep } = setUp(async (_run, next) => {
      late = next;
      return 'answer';
    });
    expect(await app.task('work', { dep }, () => log.push('body'))()).toBe('answer');
    expect(isQTasksError(await rejection(late?.() ?? never), 'OPTION_INVALID')).toBe(true);
    expect(log).toEqual([]);
  });

  it("rejects with the handler's own error, after teardown", async () => {
    const seen: unknown[] = [];
    const { app, log, dep } = setUp(async (_run, next) => {
      const error = await rejection(next());
      seen.push(error, ...log);
      throw error;
    });
    const run = app.task('work', { dep }, () => Promise.reject(no))();
    expect(await rejection(run)).toBe(no);
    expect(seen).toEqual([no, '+dep', '!dep no']);
  });
});

describe('its answer', () => {
  it('without next() is the outcome, and nothing is opened or called', async () => {
    const { app, log, dep } = setUp(async (run) => `${run.task}: ${run.args}`);
    const events: string[] = [];
    for (const name of ['run:start', 'run:return', 'run:success', 'dependency:open'] as const) {
      app.on(name, ({ type }) => events.push(type));
    }
    const work = app.task('work', { dep }, (_needs, _value: number) => log.push('body'));
    expect(await work(1)).toBe('work: 1');
    expect(log).toEqual([]);
    expect(events).toEqual(['run:start', 'run:success']);
  });

  it('is undefined where it forgets to return what next() gives', async () => {
    const { app } = setUp(async (_run, next) => {
      await next();
    });
    expect(await app.task('work', () => 'value')()).toBe(undefined);
  });

  it('can make a success of a failure and of a timeout, after the rollback', async () => {
    const { app, clock, log, dep } = setUp((_run, next) => next().catch(() => 'fallback'));
    const fails = app.task('fails', { dep }, () => Promise.reject(no), { retry: 3 });
    expect(await fails().settled).toMatchObject({
      status: 'success',
      value: 'fallback',
      attempts: 1,
    });
    expect(log).toEqual(['+dep', '!dep no']);
    const hangs = app.task('hangs', () => never, { timeout: 10, grace: 5 });
    const { settled } = hangs();
    await clock.advance(100);
    expect(await settled).toMatchObject({ status: 'success', value: 'fallback' });
    expect(clock.pending).toBe(0);
  });

  it('that fails is a failure of the attempt: it is retried', async () => {
    for (const fail of [
      () => Promise.reject(no),
      () => {
        throw no;
      },
    ]) {
      const { app, clock, log, dep } = setUp((run, next) => (run.attempt < 3 ? fail() : next()));
      const run = app.task('work', { dep }, () => 'value', { retry: 2 })();
      const { settled } = run;
      await clock.advance(1_000);
      expect(await settled).toMatchObject({ status: 'success', value: 'value', attempts: 3 });
      expect(log).toEqual(['+dep', '-dep']);
    }
  });

  it('may be any thenable, also one that throws or calls back twice', async () => {
    const odd = {
      // biome-ignore lint/suspicious/noThenProperty: odd on purpose
      then(yes: (value: string) => void, refuse: (error: unknown) => void) {
        yes('first');
        yes('second');
        refuse(no);
        throw no;
      },
    };
    const { app } = setUp();
    const answers = (() => odd) as unknown as Middleware;
    expect(await app.task('work', () => 'value', { middleware: answers })()).toBe('first');
    const plain = (() => 'plain') as unknown as Middleware;
    expect(await app.task('plain', () => 'value', { middleware: plain })()).toBe('plain');
  });
});

describe('that does not wait for next()', () => {
  it('decides the outcome, but the run ends after the teardown', async () => {
    const { promise, resolve } = gate();
    const { app, log, dep } = setUp(async (_run, next) => {
      void next();
      return 'early';
    });
    const run = app.task('work', { dep }, () => promise)();
    await settle();
    expect(run.status).toBe('process');
    resolve();
    expect(await run).toBe('early');
    expect(log).toEqual(['+dep', '-dep']);
  });

  it('leaves a failure inside to nobody: it is neither the outcome nor unhandled', async () => {
    const { app, log, dep } = setUp(async (_run, next) => {
      void next();
      return 'early';
    });
    const run = app.task('work', { dep }, () => Promise.reject(no))();
    expect(await run).toBe('early');
    expect(log).toEqual(['+dep', '!dep no']);
  });
});

describe('what is used', () => {
  it('counts for runs that start from then on, not for the next attempt of one', async () => {
    const { app, clock } = setUp();
    const seen: string[] = [];
    const fails = app.task('fails', () => Promise.reject(no), { retry: 1 });
    const { settled } = fails();
    await settle();
    app.use(async (run, next) => {
      seen.push(`${run.task} ${run.attempt}`);
      return next();
    });
    await clock.advance(1_000);
    await settled;
    expect(seen).toEqual([]);
    await app.task('other', () => 1)();
    expect(seen).toEqual(['other 1']);
  });

  it('is copied as it is given', async () => {
    const list: Middleware[] = [(_run, next) => next()];
    const { app } = setUp(list);
    const own: Middleware[] = [];
    const work = app.task('work', () => 'value', { middleware: own });
    app.use(list);
    for (const one of [list, own]) one.push(() => Promise.reject(no));
    expect(await work()).toBe('value');
  });

  it('may be a thousand layers deep', async () => {
    const layers = Array.from(
      { length: 1_000 },
      (): Middleware => async (_run, next) => {
        return Number(await next()) + 1;
      },
    );
    const { app } = setUp(layers);
    expect(await app.task('work', () => 0)()).toBe(1_000);
  });

  it('goes round child runs, too, each by itself', async () => {
    const seen: string[] = [];
    const { app } = setUp(async (run, next) => {
      seen.push(`+${run.task}`);
      const value = await next();
      seen.push(`-${run.task}`);
      return value;
    });
    const inner = app.task('inner', () => 'inner');
    const outer = app.task('outer', { ctx: Context }, ({ ctx }) => ctx.run(inner));
    expect(await outer()).toBe('inner');
    expect(seen).toEqual(['+outer', '+inner', '-inner', '-outer']);
  });
});
