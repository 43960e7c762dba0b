/** The tasks that tests run in workers: what can happen to a call, one task each. */
import { AsyncState, Context, Depends, task } from '../../../src/index.js';
import { traced } from '../traced.js';

const notes: string[] = [];
const instance = Math.random().toString(36).slice(2);

/** Ends this worker, as a program of its own would. */
function exit(code: number): void {
  if ('close' in globalThis) close();
  else process.exit(code);
}

const later = (duration: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, duration));

// Notes of this worker

export const note = task('note', (text: string): void => void notes.push(text));
export const readNotes = task('readNotes', () => notes);
/** Tells one worker from another. */
export const readInstance = task('readInstance', () => instance);

// Values

export const add = task('add', (a: number, b: number) => a + b);
export const echo = task('echo', (value: unknown) => value);
/** A result that no message carries. */
export const giveFunction = task('giveFunction', (): unknown => ({ list: [1, { call() {} }] }));
export const yieldFunction = task('yieldFunction', function* (): Generator<unknown> {
  yield 1;
  yield { call() {} };
});

// Runs that take their time

const resource = Depends(() => traced(notes, 'resource'));

/** Waits for its signal, and notes why it has come. */
export const wait = task('wait', { resource, ctx: Context }, async ({ ctx }): Promise<string> => {
  await ctx.sleep(2 ** 30);
  return 'never';
});
export const pause = task('pause', async (duration: number) => {
  await later(duration);
  return 'done';
});
/** Does not look at its signal. */
export const deaf = task(
  'deaf',
  { resource },
  async (_needs, duration: number) => {
    await later(duration);
    return 'too late';
  },
  { grace: 0 },
);
/** Lets nothing else happen in its thread. */
export const spin = task('spin', (): never => {
  for (;;);
});

// The ends of a worker

/** Keeps more than there is room for. */
export const hoard = task('hoard', (): never => {
  const kept: unknown[] = [];
  for (;;) kept.push(new Array(1_000).fill(kept.length));
});

/** Waits for ever in the worker that it has ended. */
export const die = task('die', (code = 3): Promise<never> => {
  exit(code);
  return new Promise(() => {});
});
/** Fails in the worker, but in no run. */
export const stray = task('stray', (): void => {
  setTimeout(() => {
    throw new RangeError('stray');
  }, 0);
});
/** Ends its worker in every attempt up to the one that is given. */
export const mortal = task(
  'mortal',
  { ctx: Context },
  async ({ ctx }, last: number) => {
    if (ctx.attempt < last) exit(3);
    await later(ctx.attempt < last ? 2 ** 30 : 0);
    return { id: ctx.runId, attempt: ctx.attempt };
  },
  { retry: { limit: 2, delay: 1 } },
);

/** Ends its worker in the first attempt, a while later, and gives its argument back in the next. */
export const mortalEcho = task(
  'mortalEcho',
  { ctx: Context },
  async ({ ctx }, value: unknown) => {
    if (ctx.attempt > 1) return value;
    await later(50);
    exit(3);
    return new Promise<never>(() => {});
  },
  { retry: { limit: 2, delay: 1 } },
);
/** Would be retried, but for a worker that is lost. */
export const picky = task(
  'picky',
  (): Promise<never> => {
    exit(3);
    return new Promise(() => {});
  },
  { retry: { limit: 5, delay: 1, when: (error) => error instanceof RangeError } },
);
/** Yields its attempt so many times, and ends its worker in the first one. */
export const mortalStream = task(
  'mortalStream',
  { ctx: Context },
  async function* ({ ctx }, values: number) {
    for (let value = 0; value < values; value++) yield ctx.attempt;
    await later(100);
    if (ctx.attempt === 1) exit(3);
    await later(ctx.attempt === 1 ? 2 ** 30 : 0);
    return ctx.attempt;
  },
  { retry: { limit: 2, delay: 1 } },
);

// Streams

let made = 0;

/** Counts up to a number. */
export const count = task('count', async function* (end: number) {
  made = 0;
  try {
    for (; made < end; ) yield made++;
    return 'done';
  } catch (error) {
    notes.push(`thrown in: ${error}`);
    throw error;
  } finally {
    notes.push('finally');
  }
});
/** Counts up to a number, but a while later from another one on. */
export const countSlowly = task('countSlowly', async function* (end: number, from: number) {
  for (made = 0; made < end; ) {
    if (made === from) await later(300);
    yield made++;
  }
  return 'done';
});
export const countAndCancel = task(
  'countAndCancel',
  { ctx: Context },
  async function* ({ ctx }, end: number) {
    for (let value = 0; value < end; value++) yield value;
    ctx.cancel(new RangeError('from within'));
  },
);
/** How far the last one has come. */
export const readMade = task('readMade', () => made);
/** Counts up to a number, whoever else does. */
export const series = task('series', async function* (end: number) {
  for (let value = 0; value < end; value++) yield value;
  return 'done';
});
export const countAndFail = task('countAndFail', function* (end: number): Generator<number> {
  for (let value = 0; value < end; value++) yield value;
  throw new RangeError('counted');
});

// Sessions

let running = 0;

/** How many of it go on at once, with itself. */
export const alone = task(
  'alone',
  { ctx: Context },
  async ({ ctx }, name: string, duration: number) => {
    notes.push(`+${ctx.session} ${name}`);
    const others = ++running;
    await later(duration);
    running--;
    notes.push(`-${ctx.session} ${name}`);
    return { others, instance };
  },
  { exclusive: true },
);

const account = Depends(() => traced(notes, 'account'), { scope: 'session' });

export const useAccount = task('useAccount', { account }, () => instance);

export class Counter extends AsyncState<{ count: number }> {
  static readonly id = 'counter';
}

export const increment = task('increment', { state: Counter }, async ({ state }) => {
  const { count = 0 } = await state.update(({ count = 0 }) => ({ count: count + 1 }));
  return { count, instance };
});
