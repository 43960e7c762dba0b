/** The clock that tests move by hand. */
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../adapters/testing/clock.js';
import { Context, QTasks, task } from '../../../src/index.js';
import { rejection, turn } from '../../support/promises.js';

describe('a manual clock', () => {
  it('stands still until it is advanced', async () => {
    const clock = new ManualClock();
    const start = clock.now();
    await turn();
    expect(clock.now()).toBe(start);
    await clock.advance(250);
    expect(clock.now()).toBe(start + 250);
  });

  it('fires timers in the order of their times, then of their making', async () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    const set = (name: string, delay: number) => clock.setTimeout(() => fired.push(name), delay);
    set('late', 20);
    set('first of two', 10);
    set('second of two', 10);
    set('early', 5);
    set('later than that', 21);
    await clock.advance(20);
    expect(fired).toEqual(['early', 'first of two', 'second of two', 'late']);
    expect(clock.pending).toBe(1);
  });

  it('shows each timer its own time', async () => {
    const clock = new ManualClock();
    const start = clock.now();
    const seen: number[] = [];
    for (const delay of [30, 10, 0]) {
      clock.setTimeout(() => seen.push(clock.now() - start), delay);
    }
    await clock.advance(100);
    expect(seen).toEqual([0, 10, 30]);
    expect(clock.now() - start).toBe(100);
  });

  it('fires what is due with 0, and nothing else', async () => {
    const clock = new ManualClock();
    const fired: number[] = [];
    for (const delay of [0, 1]) clock.setTimeout(() => fired.push(delay), delay);
    await clock.advance(0);
    expect(fired).toEqual([0]);
  });

  it('fires timers that are set on the way, if their time comes', async () => {
    const clock = new ManualClock();
    let count = 0;
    const tick = (): void => {
      count++;
      clock.setTimeout(tick, 10);
    };
    clock.setTimeout(tick, 10);
    await clock.advance(100);
    expect(count).toBe(10);
  });

  it('lets what follows from a timer happen before the next one', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    const follow = async (): Promise<void> => {
      for (let count = 0; count < 100; count++) await undefined;
      log.push('what follows');
      clock.setTimeout(() => log.push('a timer of it'), 1);
    };
    clock.setTimeout(() => void follow(), 10);
    clock.setTimeout(() => log.push('the next'), 12);
    await clock.advance(12);
    expect(log).toEqual(['what follows', 'a timer of it', 'the next']);
  });

  it('lets what has happened before it go on first', async () => {
    const clock = new ManualClock();
    let fired = false;
    const begin = async (): Promise<void> => {
      await undefined;
      clock.setTimeout(() => {
        fired = true;
      }, 10);
    };
    void begin();
    await clock.advance(10);
    expect(fired).toBe(true);
  });

  it('forgets a timer that is cleared, and ignores what is none', async () => {
    const clock = new ManualClock();
    let fired = false;
    const timer = clock.setTimeout(() => {
      fired = true;
    }, 10);
    for (const handle of [timer, timer, undefined, 7]) clock.clearTimeout(handle);
    expect(clock.pending).toBe(0);
    await clock.advance(10);
    expect(fired).toBe(false);
  });

  it('never fires what never comes', async () => {
    const clock = new ManualClock();
    let fired = false;
    clock.setTimeout(() => {
      fired = true;
    }, Number.POSITIVE_INFINITY);
    await clock.advance(Number.MAX_SAFE_INTEGER);
    expect(fired).toBe(false);
    expect(clock.pending).toBe(1);
  });

  it('passes times that are asked for together one after another', async () => {
    const clock = new ManualClock();
    const start = clock.now();
    const seen: number[] = [];
    for (const delay of [10, 60]) clock.setTimeout(() => seen.push(clock.now() - start), delay);
    await Promise.all([clock.advance(50), clock.advance(30)]);
    expect(seen).toEqual([10, 60]);
    expect(clock.now() - start).toBe(80);
  });

  it('rejects with what a callback throws, and goes on from there', async () => {
    const clock = new ManualClock();
    const start = clock.now();
    const problem = new Error('bad callback');
    const fired: string[] = [];
    clock.setTimeout(() => {
      throw problem;
    }, 10);
    clock.setTimeout(() => fired.push('next'), 20);
    expect(await rejection(clock.advance(30))).toBe(problem);
    expect(clock.now() - start).toBe(10);
    await clock.advance(10);
    expect(fired).toEqual(['next']);
  });

  it.each([
    ['-1', -1],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a string', '10'],
    ['nothing', undefined],
  ])('refuses to be advanced by %s', async (_name, duration) => {
    const clock = new ManualClock();
    const start = clock.now();
    const { code, message } = (await rejection(
      Reflect.apply(clock.advance, clock, [duration]),
    )) as {
      code?: string;
      message?: string;
    };
    expect(code).toBe('OPTION_INVALID');
    expect(message).toContain('advance: the duration must be milliseconds, 0 or more and finite');
    expect(clock.now()).toBe(start);
  });

  it('makes a retry wait exactly the longest that it could', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const flaky = app.task('flaky', () => Promise.reject('no'), { retry: 3 });
    const delays: number[] = [];
    app.on('run:retry', ({ delay }) => delays.push(delay));
    const { settled } = flaky();
    await clock.advance(1_400);
    expect(delays).toEqual([200, 400, 800]);
    expect((await settled).attempts).toBe(4);
  });

  it.each(['with', 'without'])('lets a long stream pass %s a reader', async (reader) => {
    const clock = new ManualClock();
    const count = task('count', { ctx: Context }, async function* ({ ctx }) {
      for (let number = 0; number < 1_000; number++) yield number;
      await ctx.sleep(10);
      return 'done';
    });
    const app = new QTasks({ clock, tasks: { count } });
    const run = app.run(count);
    const read: number[] = [];
    const reading = (async () => {
      if (reader === 'with') for await (const number of run) read.push(number);
    })();
    await clock.advance(10);
    await reading;
    expect(run.status).toBe('success');
    expect(read).toHaveLength(reader === 'with' ? 1_000 : 0);
  });
});
