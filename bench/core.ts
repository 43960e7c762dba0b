/** `npm run bench -- core`: trivial runs, events and the codec. */
import { EventEmitter as NodeEmitter } from 'node:events';
import * as devalue from 'devalue';
import { Effect } from 'effect';
import { EventEmitter } from 'eventemitter3';
import fastq from 'fastq';
import PQueue from 'p-queue';
import { QTasks } from 'qtasks-lite';
import superjson from 'superjson';
// no entry point exports these two; the build transpiles each file by itself, as this does
import { decode, encode } from '../src/codec.js';
import { Events } from '../src/events.js';
import { type Case, type Contestant, measure, quick } from './measure.js';

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
  const time = await measure({
    title: 'Trivial async tasks, batches of 100',
    columns: ['time'],
    calls: quick ? 20 : 100,
    contestants: contestants(trivial, 100),
    goals: [
      { column: 'time', of: 'qtasks-lite', than: 'ten raw lanes', atMost: 10 },
      { column: 'time', of: 'qtasks-lite', than: 'p-queue', atMost: 0.6 },
    ],
  });
  const second = Math.round((100 * 1e9) / time('qtasks-lite', 'time'));
  console.log(`  qtasks-lite: ${second.toLocaleString('en')} runs a second`);
  const many = quick ? 2_000 : 20_000;
  await measure({
    title: `${many} tasks with a setImmediate each`,
    columns: ['time'],
    calls: 1,
    contestants: contestants(turn, many),
  });
}

async function events(): Promise<void> {
  const event = { type: 'run:start', at: 0, run: '', task: '', session: '', attempt: 1 } as const;
  /** @param connect takes the listener and gives what emits */
  const contestant = (
    name: string,
    without: string,
    connect: (listener: (given: unknown) => void) => () => unknown,
  ): Contestant => {
    let heard = 0;
    const call = connect(() => {
      heard++;
    });
    const check = (calls: number) => {
      const wrong = heard === calls ? undefined : `${heard} of ${calls} were heard`;
      heard = 0;
      return wrong;
    };
    return { name, without, cases: [{ call, check }] };
  };
  await measure({
    title: 'Events with one listener',
    columns: ['emit'],
    calls: 1_000_000,
    sync: true,
    contestants: [
      contestant('functions in an array', 'guard', (listener) => {
        const listeners = [listener];
        return () => {
          for (const each of listeners) each(event);
        };
      }),
      contestant('qtasks-lite', '', (listener) => {
        const emitter = new Events(console.error);
        emitter.on('run:start', listener);
        return () => {
          if (emitter.has('run:start')) emitter.emit(event);
        };
      }),
      contestant('eventemitter3', 'guard', (listener) => {
        const emitter = new EventEmitter();
        emitter.on('run:start', listener);
        return () => emitter.emit('run:start', event);
      }),
      contestant('node:events', 'guard', (listener) => {
        const emitter = new NodeEmitter();
        emitter.on('run:start', listener);
        return () => emitter.emit('run:start', event);
      }),
      contestant('EventTarget', '', (listener) => {
        const target = new EventTarget();
        target.addEventListener('run:start', listener);
        return () => target.dispatchEvent(new Event('run:start'));
      }),
    ],
  });
}

async function codec(): Promise<void> {
  const plain = {
    id: 4711,
    name: 'Ann Example',
    active: true,
    score: 0.25,
    nothing: null,
    tags: ['a', 'b', 'c'],
    items: Array.from({ length: 12 }, (_, index) => ({
      sku: `item-${index}`,
      count: index,
      price: index * 1.5,
      note: 'as the customer wrote it',
    })),
  };
  const rich = {
    ...plain,
    at: new Date(0),
    seen: new Set([1, 2, 3]),
    by: new Map([['ann', 1n]]),
  };
  const contestant = (
    name: string,
    without: string,
    copy: (value: unknown) => unknown,
    values: readonly unknown[] = [plain, rich],
  ): Contestant => ({
    name,
    without,
    cases: values.map((value) => ({
      call: () => copy(value),
      check: (_, last) =>
        devalue.stringify(last) === devalue.stringify(value) ? undefined : 'the copy differs',
    })),
  });
  await measure({
    title: `Codec: encode and decode an object of ${JSON.stringify(plain).length} bytes`,
    columns: ['plain', 'with Date, Map, Set, BigInt'],
    calls: 1000,
    sync: true,
    contestants: [
      contestant('structuredClone', 'make text', structuredClone),
      contestant('qtasks-lite', '', (value) => decode(encode(value, 'field'), 'field')),
      contestant('JSON', 'rich values', (value) => JSON.parse(JSON.stringify(value)), [plain]),
      contestant('devalue', '', (value) => devalue.parse(devalue.stringify(value))),
      contestant('superjson', '', (value) => superjson.parse(superjson.stringify(value))),
    ],
  });
}

await tasks();
await events();
await codec();
