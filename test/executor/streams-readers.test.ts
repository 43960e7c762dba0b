/** Who reads a run and how it ends for the reader; runs that stream nothing, and the events of yields. */
import { describe, expect, it } from 'vitest';
import { Context, isQTasksError, QTasks, type Run, task } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { rejection, turn } from '../support/promises.js';
import { read, waiting } from '../support/read.js';

const no = new Error('no');

describe('a reader', () => {
  it('is one for each run: a second iterator throws OPTION_INVALID, during and after', async () => {
    const app = new QTasks();
    const work = app.task('work', async function* () {
      yield 1;
    });
    const run = work();
    const second = (): unknown => {
      try {
        return run[Symbol.asyncIterator]();
      } catch (error) {
        return error;
      }
    };
    const reading = read(run);
    expect(isQTasksError(second(), 'OPTION_INVALID')).toBe(true);
    // The first one does not notice.
    expect(await reading).toEqual([[1], undefined]);
    expect(isQTasksError(second(), 'OPTION_INVALID')).toBe(true);
  });

  it('looks at the run by asking for an iterator: its failure surfaces nowhere else', async () => {
    const app = new QTasks();
    const errors: unknown[] = [];
    app.on('error', ({ error }) => errors.push(error));
    const work = app.task('work', async function* () {
      yield 1;
      throw no;
    });
    work()[Symbol.asyncIterator]();
    await settle();
    await turn();
    expect(errors).toEqual([]);
  });

  it('may await the run beside its loop', async () => {
    const app = new QTasks();
    const work = app.task('work', async function* () {
      for (let value = 0; value < 100; value++) yield value;
      return 'end';
    });
    const run = work();
    const [[values], result] = await Promise.all([read(run), run]);
    expect(values).toHaveLength(100);
    expect(result).toBe('end');
  });

  it('that cancels in its loop with a reason gets what is there, then the reason', async () => {
    const app = new QTasks();
    const work = app.task('work', async function* () {
      for (let value = 0; ; value++) yield value;
    });
    const run = work();
    const values: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const value of run) {
        values.push(value);
        if (value === 2) {
          await settle();
          run.cancel(no);
        }
      }
    };
    expect(await rejection(loop())).toBe(no);
    expect(values).toEqual(Array.from({ length: 3 + 16 }, (_, index) => index));
  });

  it('gets APP_CLOSED where the app is closed meanwhile', async () => {
    const { app, clock, work } = waiting();
    const reading = read(work());
    await settle();
    const closing = app.close({ drain: 0 });
    await clock.advance(2_000);
    await closing;
    const [, error] = await reading;
    expect(isQTasksError(error, 'APP_CLOSED')).toBe(true);
  });

  it('is one of hundreds that do not disturb each other', async () => {
    const app = new QTasks();
    const work = app.task('work', async function* (from: number) {
      for (let value = 0; value < 200; value++) {
        if (value % 50 === from % 50) await null;
        yield from + value;
      }
    });
    const all = await Promise.all(Array.from({ length: 200 }, (_, from) => read(work(from))));
    all.forEach(([values], from) => {
      expect(values).toEqual(Array.from({ length: 200 }, (_, value) => from + value));
    });
  });
});

describe('what is no stream', () => {
  it('has no values: the loop waits for the end of the run', async () => {
    const app = new QTasks();
    const plain = app.task('plain', async () => {
      await settle();
      return [1, 2];
    });
    const fails = app.task('fails', () => Promise.reject(no));
    const run = plain();
    expect(await read(run)).toEqual([[], undefined]);
    expect(await run).toEqual([1, 2]);
    expect(await read(fails())).toEqual([[], no]);
  });

  it('is cancelled by leaving it, as any run', async () => {
    const app = new QTasks();
    const plain = app.task('plain', { ctx: Context }, ({ ctx }) => ctx.sleep(60_000));
    const run = plain();
    await run[Symbol.asyncIterator]().return?.();
    expect(run.status).toBe('cancel');
  });

  it('is a refused run, too: the loop throws what it was refused with', async () => {
    const stream = task('stream', async function* () {
      yield 1;
    });
    const app = new QTasks();
    const [, unknown] = await read(app.run(stream));
    expect(isQTasksError(unknown, 'TASK_UNKNOWN')).toBe(true);
    const other = new QTasks({ tasks: { stream } });
    const aborted = other.with({ signal: AbortSignal.abort(no) });
    expect(await read(aborted.run(stream))).toEqual([[], no]);
    await other.close();
    const [, closed] = await read(other.run(stream));
    expect(isQTasksError(closed, 'APP_CLOSED')).toBe(true);
  });
});

describe('the event of a yield', () => {
  it('comes for each value in order, also without a reader, with the attempt', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const seen: unknown[] = [];
    app.on('run:yield', ({ value, attempt }) => seen.push([attempt, value]));
    const work = app.task(
      'work',
      { ctx: Context },
      async function* ({ ctx }) {
        yield* ['a', 'b'];
        if (ctx.attempt === 1) throw no;
      },
      { retry: 1 },
    );
    const { settled } = work();
    await clock.advance(1_000);
    expect((await settled).status).toBe('success');
    expect(seen).toEqual([
      [1, 'a'],
      [1, 'b'],
      [2, 'a'],
      [2, 'b'],
    ]);
  });

  it('may cancel the run: nothing more is yielded, the reader gets that value and the reason', async () => {
    const app = new QTasks();
    const work = app.task('work', async function* () {
      for (let value = 0; ; value++) yield value;
    });
    let run: Run<unknown, number> | undefined;
    const seen: unknown[] = [];
    app.on('run:yield', ({ value }) => {
      seen.push(value);
      if (value === 2) run?.cancel('enough');
    });
    run = work();
    expect(await read(run)).toEqual([[0, 1, 2], 'enough']);
    expect(seen).toEqual([0, 1, 2]);
  });
});
