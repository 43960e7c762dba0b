/** What many runs at once cost, and what is left of them. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { QTasks } from '../../src/index.js';
import { PriorityQueue, type Waiting } from '../../src/queue.js';
import { heapUsed } from '../support/heap.js';
import { gate } from '../support/promises.js';
import { callerSignal } from './model/caller.js';

/** Numbers without an order, the same ones each time. */
function* numbers(): Generator<number, never> {
  for (let now = 1; ; ) {
    now = (now * 48_271) % 2_147_483_647;
    yield now;
  }
}

/** A thousand at once: retries wait for real time. */
async function runBatches(run: () => PromiseLike<unknown>, count: number): Promise<void> {
  for (let batch = 0; batch < count; batch++) {
    await Promise.all(Array.from({ length: 1_000 }, run));
  }
}

describe('many that wait', () => {
  it('go by priority, then by age, through one slot', async () => {
    const app = new QTasks({ concurrency: 1 });
    const { promise, resolve } = gate();
    const first = app.task('first', () => promise)();
    const log: [priority: number, place: number][] = [];
    const work = app.task('work', (priority: number, place: number) => log.push([priority, place]));
    const random = numbers();
    const runs = Array.from({ length: 1_000 }, (_, place) => {
      const priority = (random.next().value % 21) - 10;
      return app.with({ priority }).run(work, priority, place);
    });
    // Some leave the queue again, from all of its places.
    const left = runs.filter((_, place) => place % 3 === 0);
    for (const run of left) run.cancel();
    resolve();
    await Promise.all([first, ...runs.map(({ settled }) => settled)]);
    expect(log).toHaveLength(1_000 - left.length);
    expect(log).toEqual(
      [...log].sort(([one, place], [other, otherPlace]) => one - other || place - otherPlace),
    );
  });

  /** Notes how often items are compared. */
  class Counted implements Waiting {
    static reads = 0;
    gone = false;
    readonly order: number;
    readonly #priority: number;

    constructor(order: number, priority: number) {
      this.order = order;
      this.#priority = priority;
    }

    get priority(): number {
      Counted.reads++;
      return this.#priority;
    }
  }

  /** How often one item's priority is read, from when it comes until it goes. */
  function readsOf(count: number, priorityOf: (place: number) => number): number {
    Counted.reads = 0;
    const queue = new PriorityQueue<Counted>();
    for (let order = 0; order < count; order++) {
      const item = new Counted(order, priorityOf(order));
      queue.add(item);
      if (order % 4 === 3) queue.drop(item);
    }
    let taken = 0;
    while (queue.take()) taken++;
    expect(taken).toBe(count * 0.75);
    return Counted.reads / count;
  }

  const random = numbers();
  it.each([
    ['one priority', () => 0],
    ['priorities that rise', (place: number) => place],
    ['priorities that fall', (place: number) => -place],
    ['priorities without an order', () => random.next().value],
    ['few priorities', () => random.next().value % 3],
  ])(
    'are compared at most three times as often where they are 100,000 instead of 100, with %s',
    (_name, priorityOf) => {
      expect(readsOf(100_000, priorityOf)).toBeLessThan(3 * readsOf(100, priorityOf));
    },
  );
});

describe('what is left of many runs', () => {
  it('is no listener on the signal that they were called with', async () => {
    const caller = callerSignal();
    const app = new QTasks({ concurrency: 10 });
    const work = app.with({ signal: caller.signal });
    const quick = app.task('quick', () => {});
    const slow = app.task('slow', async () => {});
    const fails = app.task('fails', () => Promise.reject(new Error('no')));
    let most = 0;
    for (let batch = 0; batch < 1_000; batch++) {
      const runs = Array.from({ length: 100 }, (_, place) =>
        work.run([quick, slow, fails][place % 3] ?? quick),
      );
      most = Math.max(most, caller.listeners);
      runs[0]?.cancel();
      runs[99]?.cancel();
      await Promise.all(runs.map(({ settled }) => settled));
      expect(caller.listeners).toBe(0);
    }
    expect(most).toBe(1);
  });

  it('is at most 5 MB after 1,000,000 runs with retries, timers and streams among them', async () => {
    const app = new QTasks({ concurrency: 100 });
    const trivial = app.task('trivial', async () => 1);
    const timed = app.task('timed', async () => 1, { timeout: 60_000 });
    const flaky = app.task(
      'flaky',
      (attempts: { left: number }) => {
        if (attempts.left-- > 0) throw new Error('no');
      },
      { retry: { limit: 2, delay: 0 } },
    );
    const streams = app.task('streams', async function* () {
      for (let value = 0; value < 4; value++) yield value;
    });
    const read = async (): Promise<void> => {
      for await (const value of app.run(streams)) if (value === 2) break;
    };
    let count = 0;
    const next = (): PromiseLike<unknown> => {
      const kind = count++ % 20;
      if (kind === 0) return app.run(flaky, { left: 2 });
      if (kind === 1) return app.run(timed);
      if (kind === 2) return app.run(streams);
      return kind === 3 ? read() : app.run(trivial);
    };
    await runBatches(next, 20);
    const before = await heapUsed();
    await runBatches(next, 1_000);
    expect((await heapUsed()) - before).toBeLessThan(5);
    expect(app.inspect().runs).toEqual([]);
  }, 120_000);

  it('is nothing that keeps a process alive', async () => {
    const { outputFiles } = await build({
      stdin: { contents: script, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
      bundle: true,
      format: 'esm',
      platform: 'node',
      write: false,
    });
    const printed = await new Promise((resolve, reject) => {
      const args = ['--input-type=module', '-'];
      const child = execFile(process.execPath, args, { timeout: 25_000 }, (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      );
      child.stdin?.end(outputFiles[0]?.text);
    });
    expect(printed).toBe('success success success cancel cancel error\n');
  });
});

/** Every kind of timer that an app has, each far longer than a test may take. */
const script = `
import { Context, QTasks } from '../../src/index.ts';

const long = 3_600_000;
const app = new QTasks({ concurrency: 2, grace: long, remember: { ttl: long } });
const sleeps = app.task('sleeps', { ctx: Context }, ({ ctx }) => ctx.sleep(long), { timeout: long });
const nested = app.task('nested', async () => 'value', { timeout: long, exclusive: true });
let calls = 0;
const flaky = app.task(
  'flaky',
  { ctx: Context },
  async ({ ctx }) => {
    await ctx.run(nested);
    if (++calls < 3) throw new Error('no');
  },
  { timeout: long, exclusive: true, retry: { limit: 2, delay: 1, maxDelay: 1 } },
);
const counts = app.task(
  'counts',
  async function* () {
    for (let count = 0; ; count++) yield count;
  },
  { timeout: long, middleware: (_run, next) => next() },
);
const short = app.task('short', async function* () { yield 1; }, { timeout: long });
const late = app.task('late', () => new Promise(() => {}), { timeout: 1, grace: 1 });
const waits = app.task('waits', () => Promise.reject(new Error('no')), { retry: { limit: 1, delay: long } });

const runs = [app.with({ id: 'one' }).run(flaky), app.session('ann').run(nested), short()];
const counting = counts();
for await (const count of counting) if (count === 40) break;
const sleeping = sleeps();
const waiting = waits();
setTimeout(() => {
  sleeping.cancel();
  waiting.cancel();
}, 20);
const all = await Promise.all([...runs, sleeping, waiting, late()].map((run) => run.settled));
const closed = new QTasks({ grace: long });
await closed.task('t', () => {})();
await closed.session('ann').close({ drain: long });
await closed.close({ drain: long });
console.log(all.map(({ status }) => status).join(' '));
`;
