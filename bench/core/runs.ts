/** Part of `npm run bench -- core`: trivial runs, many that wait, what may be around one, and streams. */
import { Readable } from 'node:stream';
import { Effect } from 'effect';
import fastq from 'fastq';
import PQueue from 'p-queue';
import { type Middleware, QTasks, type TaskOptions } from 'qtasks-lite';
import { memory } from 'qtasks-lite/memory';
import { type Case, type Contestant, measure } from '../harness/measure.js';
import { slotColumns, throughOneSlot } from './waiting.js';

type Work = (n: number) => Promise<number>;

/** Makes what runs all numbers through the work, at most ten at a time, and gives the results. */
type Runner = (work: Work, numbers: readonly number[]) => () => Promise<readonly number[]>;

const lanes: Runner = (work, numbers) => async () => {
  const results: number[] = [];
  let next = 0;
  const lane = async () => {
    while (next < numbers.length) {
      const index = next++;
      results[index] = await work(numbers[index] ?? 0);
    }
  };
  await Promise.all(Array.from({ length: 10 }, lane));
  return results;
};

const ours =
  (concurrency: number): Runner =>
  (work, numbers) => {
    const app = new QTasks({ name: 'bench', concurrency });
    const task = app.task('work', work);
    return () => Promise.all(numbers.map((n) => app.run(task, n)));
  };

const fastqRunner: Runner = (work, numbers) => {
  const queue = fastq.promise(work, 10);
  return () => Promise.all(numbers.map((n) => queue.push(n)));
};

const pQueue: Runner = (work, numbers) => {
  const queue = new PQueue({ concurrency: 10 });
  return () => Promise.all(numbers.map((n) => queue.add(() => work(n))));
};

const effect: Runner = (work, numbers) => {
  const each = (n: number) => Effect.promise(() => work(n));
  const program = Effect.forEach(numbers, each, { concurrency: 10 });
  return () => Effect.runPromise(program);
};

const runners: readonly (readonly [name: string, without: string, runner: Runner])[] = [
  ['ten raw lanes', 'id, status, cancel, events, order', lanes],
  ['qtasks-lite', '', ours(10)],
  ['qtasks-lite, no limit', '', ours(Number.POSITIVE_INFINITY)],
  ['fastq', 'id, status, cancel, events, priority', fastqRunner],
  ['Effect forEach', 'id, status, events, priority', effect],
  ['p-queue', 'id, status', pQueue],
];

/** The column of one kind of work. */
function column(runner: Runner, work: Work, count: number): Case {
  let called = 0;
  const counted: Work = (n) => {
    called++;
    return work(n);
  };
  const numbers = Array.from({ length: count }, (_, index) => index);
  return {
    call: runner(counted, numbers),
    check(calls, last) {
      const right = called === calls * count && String(last) === String(numbers);
      called = 0;
      return right ? undefined : 'not every task ran once with its result in its place';
    },
  };
}

const trivial: Work = async (n) => n;
const turn: Work = (n) => new Promise((resolve) => setImmediate(resolve, n));

async function tasks(): Promise<void> {
  const contestants = (work: Work, count: number): Contestant[] =>
    runners.map(([name, without, runner]) => ({
      name,
      without,
      cases: [column(runner, work, count)],
    }));
  await measure({
    title: 'Trivial async tasks, batches of 100',
    columns: ['time'],
    calls: 100,
    contestants: contestants(trivial, 100),
    goals: [
      { column: 'time', of: 'qtasks-lite', than: 'ten raw lanes', atMost: 10 },
      { column: 'time', of: 'qtasks-lite', than: 'p-queue', atMost: 0.6 },
    ],
    rate: { column: 'time', of: 'qtasks-lite', things: 'runs', each: 100, atLeast: 100_000 },
  });
  const many = 20_000;
  await measure({
    title: '20,000 tasks with a setImmediate each',
    columns: ['time'],
    calls: 1,
    contestants: contestants(turn, many),
  });
}

/** What a run costs more where many wait. */
async function waiting(): Promise<void> {
  const contestants = [100, 100_000].map(throughOneSlot);
  const [few, many] = contestants;
  await measure({
    title: 'Runs that wait for one slot',
    columns: slotColumns,
    calls: 1,
    coarse: true,
    contestants,
    goals: slotColumns.map((column) => ({
      ...{ column, of: many?.name ?? '', than: few?.name ?? '', atMost: 3 },
    })),
  });
}

/** What one run costs more for what it may have around it. */
async function around(): Promise<void> {
  const passes: Middleware = (_run, next) => next();
  const contestant = (
    name: string,
    options: TaskOptions = {},
    app: QTasks = new QTasks({ name: 'bench' }),
  ): Contestant => {
    let count = 0;
    const task = app.task('work', async () => ++count, options as object);
    const check = (calls: number) => {
      const wrong = count === calls ? undefined : `${count} of ${calls} ran`;
      count = 0;
      return wrong;
    };
    return { name, isOurs: true, cases: [{ call: () => app.run(task), check }] };
  };
  const stored = new QTasks({ name: 'bench', storage: memory() });
  await measure({
    title: 'One run, with something around it',
    columns: ['time'],
    calls: 10_000,
    contestants: [
      contestant('nothing'),
      contestant('one middleware', { middleware: passes }),
      contestant('three of them', { middleware: [passes, passes, passes] }),
      contestant('timeout', { timeout: 60_000 }),
      contestant('exclusive', { exclusive: true }),
      contestant('exclusive, on memory()', { exclusive: true }, stored),
    ],
  });
}

async function streams(): Promise<void> {
  const many = 100_000;
  async function* count(): AsyncGenerator<number, number> {
    for (let n = 0; n < many; n++) yield n;
    return many;
  }
  const app = new QTasks({ name: 'bench' });
  const task = app.task('count', count);
  const sum = async (values: AsyncIterable<number>): Promise<number> => {
    let total = 0;
    for await (const value of values) total += value;
    return total;
  };
  const drain = async (values: AsyncGenerator<number, number>): Promise<number> => {
    let step = await values.next();
    while (!step.done) step = await values.next();
    return step.value;
  };
  const isSum = (_: number, last: unknown) =>
    last === (many * (many - 1)) / 2 ? undefined : 'the sum is wrong';
  const isCount = (_: number, last: unknown) =>
    last === many ? undefined : 'the generator did not return';
  await measure({
    title: 'A stream of 100,000 values',
    columns: ['with a reader', 'without one'],
    calls: 1,
    contestants: [
      {
        name: 'async generator',
        without: 'run ahead, cancel',
        cases: [
          { call: () => sum(count()), check: isSum },
          { call: () => drain(count()), check: isCount },
        ],
      },
      {
        name: 'qtasks-lite',
        cases: [
          { call: () => sum(app.run(task)), check: isSum },
          { call: () => app.run(task), check: isCount },
        ],
      },
      {
        name: 'node:stream Readable',
        without: 'return a value',
        cases: [{ call: () => sum(Readable.from(count())), check: isSum }, undefined],
      },
    ],
  });
}

await tasks();
await waiting();
await around();
await streams();
