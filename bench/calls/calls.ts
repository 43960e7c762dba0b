/** Calls into a worker, wherever that runs: against one `postMessage` each way for a call, and against peers. */
import { type Endpoint, transfer, wrap } from 'comlink';
import { connect, type MessageEndpoint, type WorkerClient } from 'qtasks-lite/worker';
import { type Case, type Contestant, measure, type Suite } from '../harness/measure.js';
import { ADD, COUNT, ECHO, SIZE } from './workers/messages.js';

/** A worker that was started. */
export interface Started {
  readonly worker: MessageEndpoint;
  /** The same for comlink. */
  readonly endpoint: Endpoint;
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  listen(take: (message: unknown) => void): void;
  end(): unknown;
}

/** Functions of a worker. */
export interface Caller {
  add(a: number, b: number): PromiseLike<number>;
  /** Moves a buffer there. */
  size(buffer: ArrayBuffer): PromiseLike<number>;
  /** Has a copy made there and back. */
  echo(value: unknown): PromiseLike<unknown>;
  end(): unknown;
}

/** Somebody who calls, and what it does not do. */
export type Maker = readonly [name: string, without: string, make: () => Caller];

/** Where it all runs. */
export interface Runtime {
  readonly name: string;
  start(script: 'raw' | 'ours' | 'comlink'): Started;
  /** Those who run nowhere else. */
  readonly pools: readonly Maker[];
  /** What is measured of calls: the time by the clock, and perhaps that of the processor. */
  readonly columns: readonly ('time' | 'processor')[];
  /** How many times a raw call our calls may take. */
  readonly atMost: { readonly sequential: number; readonly concurrent: number };
}

/** One message for each call, and one for its answer. */
class Raw implements Caller {
  readonly end: () => unknown;
  protected readonly post: Started['post'];
  readonly #pending = new Map<number, (value: never) => void>();
  #last = 0;

  constructor({ post, listen, end }: Started) {
    this.post = post;
    this.end = end;
    listen((message) => {
      const answers = message as readonly unknown[];
      for (let at = 0; at < answers.length; at += 2) {
        const id = answers[at] as number;
        this.#pending.get(id)?.(answers[at + 1] as never);
        this.#pending.delete(id);
      }
    });
  }

  protected ask<Value>(send: (id: number) => void): Promise<Value> {
    return new Promise((resolve) => {
      const id = ++this.#last;
      this.#pending.set(id, resolve);
      send(id);
    });
  }

  add(a: number, b: number): Promise<number> {
    return this.ask((id) => this.post([ADD, id, a, b]));
  }

  size(buffer: ArrayBuffer): Promise<number> {
    return this.ask((id) => this.post([SIZE, id, buffer], [buffer]));
  }

  echo(value: unknown): Promise<unknown> {
    return this.ask((id) => this.post([ECHO, id, value]));
  }
}

/** One message for the calls of one tick, and one for their answers. */
class Batched extends Raw {
  #batch = [ADD];

  override add(a: number, b: number): Promise<number> {
    return this.ask((id) => {
      if (this.#batch.push(id, a, b) === 4) queueMicrotask(this.#flush);
    });
  }

  readonly #flush = (): void => {
    this.post(this.#batch);
    this.#batch = [ADD];
  };
}

type Tasks = typeof import('./workers/ours.js');

const connectTo = ({ start }: Runtime): WorkerClient<Tasks> =>
  connect<Tasks>(() => start('ours').worker);

function ours(runtime: Runtime): Caller {
  const app = connectTo(runtime);
  return {
    add: (a, b) => app.run('add', a, b),
    size: (buffer) => app.with({ transfer: [buffer] }).run('size', buffer),
    echo: (value) => app.run('echo', value),
    end: () => app.close(),
  };
}

function comlink({ start }: Runtime): Caller {
  const { endpoint, end } = start('comlink');
  const remote = wrap<typeof import('./workers/tasks.js')>(endpoint);
  return {
    add: (a, b) => remote.add(a, b),
    size: (buffer) => remote.size(transfer(buffer, [buffer])),
    echo: (value) => remote.echo(value),
    end,
  };
}

const makers = (runtime: Runtime): readonly Maker[] => [
  ['raw', 'names, errors, cancel, its end', () => new Raw(runtime.start('raw'))],
  ['qtasks-lite', '', () => ours(runtime)],
  ['comlink', 'cancel, streams, its end', () => comlink(runtime)],
  ...runtime.pools,
];

/** Measures callers that are ended afterwards. */
async function compare(
  suite: Omit<Suite, 'contestants'>,
  makers: readonly Maker[],
  casesOf: (caller: Caller) => readonly Case[],
): Promise<void> {
  const callers = makers.map(([, , make]) => make());
  // A worker that starts meanwhile would be everybody's cost.
  await Promise.all(callers.map((caller) => caller.add(1, 2)));
  const contestants = makers.flatMap(([name, without], row): Contestant[] => {
    const caller = callers[row];
    return caller ? [{ name, without, cases: casesOf(caller) }] : [];
  });
  await measure({ ...suite, contestants });
  for (const caller of callers) await caller.end();
}

async function small(runtime: Runtime): Promise<void> {
  const [raw, ...others] = makers(runtime) as [Maker, ...Maker[]];
  const batched = () => new Batched(runtime.start('raw'));
  const all: readonly Maker[] = [raw, ['raw, a message a tick', raw[1], batched], ...others];
  const { columns } = runtime;
  const goals = (atMost: number) =>
    columns.map((column) => ({ column, of: 'qtasks-lite', than: raw[0], atMost }));
  const each = (one: Case): Case[] =>
    columns.map((column) => ({ ...one, waits: column === 'time' }));
  const { sequential, concurrent } = runtime.atMost;
  const one = {
    title: `One call after the other, ${runtime.name}`,
    columns,
    calls: 1_000,
    goals: goals(sequential),
  };
  await compare(one, all, (caller) => {
    let n = 0;
    const check = (_: number, last: unknown) =>
      last === n + 1 ? undefined : `${last} is not the sum`;
    return each({ call: () => caller.add(++n, 1), check });
  });
  const numbers = Array.from({ length: 1_000 }, (_, index) => index);
  const sums = String(numbers.map((n) => n + 1));
  const many = {
    title: `1,000 calls at once, ${runtime.name}`,
    columns,
    calls: 5,
    goals: goals(concurrent),
  };
  await compare(many, all, (caller) => {
    const check = (_: number, last: unknown) =>
      String(last) === sums ? undefined : 'the sums are wrong';
    return each({ call: () => Promise.all(numbers.map((n) => caller.add(n, 1))), check });
  });
}

async function large(runtime: Runtime): Promise<void> {
  const bytes = new Uint8Array(1_000_000);
  const records = Array.from({ length: 10_000 }, (_, id) => ({
    id,
    name: `customer ${id}`,
    isActive: id % 2 === 0,
    note: 'as the customer wrote it some while ago',
  }));
  const suite: Omit<Suite, 'contestants'> = {
    title: `Large values, ${runtime.name}`,
    columns: [
      '1 MB moved',
      '100 MB moved',
      '1 MB of bytes, there and back',
      '1 MB of records, there and back',
    ],
    calls: 10,
    goals: [{ column: '100 MB moved', of: 'qtasks-lite', than: 'raw', atMost: 1.2 }],
  };
  const echo = (caller: Caller, value: { readonly length: number }): Case => ({
    waits: true,
    call: () => caller.echo(value),
    check: (_, last) =>
      (last as typeof value).length === value.length ? undefined : 'the copy has another length',
  });
  await compare(suite, makers(runtime), (caller) => [
    moving(caller, 1_000_000),
    moving(caller, 100_000_000),
    echo(caller, bytes),
    echo(caller, records),
  ]);
}

/** Buffers that are there already: to make one takes longer than to move it. */
function moving(caller: Caller, bytes: number): Case {
  let buffers: ArrayBuffer[] = [];
  return {
    waits: true,
    prepare(calls) {
      buffers = Array.from({ length: calls }, () => new ArrayBuffer(bytes));
    },
    call: () => caller.size(buffers.pop() as ArrayBuffer),
    check: (_, last) => (last === bytes ? undefined : 'the size is wrong'),
  };
}

async function streams(runtime: Runtime): Promise<void> {
  const many = 20_000;
  const check = (_: number, last: unknown): string | undefined =>
    last === (many * (many - 1)) / 2 ? undefined : 'the sum is wrong';
  const { post, listen, end } = runtime.start('raw');
  let take: (message: number | readonly number[]) => void;
  listen((message) => take(message as number | readonly number[]));
  const sumOf = (batch: number): Promise<number> =>
    new Promise((resolve) => {
      let left = many;
      let sum = 0;
      const takeOne = (n: number): void => {
        sum += n;
        if (--left === 0) resolve(sum);
      };
      take = (message) =>
        typeof message === 'number' ? takeOne(message) : message.forEach(takeOne);
      post([COUNT, many, batch]);
    });
  const app = connectTo(runtime);
  const sumOfOurs = async (): Promise<number> => {
    let sum = 0;
    for await (const n of app.run('count', many)) sum += n;
    return sum;
  };
  const without = 'names, errors, cancel, wait for the reader';
  const contestant = (name: string, without: string, call: () => unknown): Contestant => ({
    name,
    without,
    cases: [{ call, check, waits: true }],
  });
  await measure({
    title: `A stream of 20,000 numbers, ${runtime.name}`,
    columns: ['time'],
    calls: 1,
    contestants: [
      contestant('raw', without, () => sumOf(1)),
      contestant('raw, 100 in a message', without, () => sumOf(100)),
      contestant('qtasks-lite', '', sumOfOurs),
    ],
  });
  await end();
  await app.close();
}

/** From nothing to the first result. */
async function starts(runtime: Runtime): Promise<void> {
  const contestants = makers(runtime).map(([name, without, make]): Contestant => {
    let callers: Caller[] = [];
    const call = (): PromiseLike<number> => {
      const caller = make();
      callers.push(caller);
      return caller.add(1, 2);
    };
    const check = async (_: number, last: unknown): Promise<string | undefined> => {
      await Promise.all(callers.map((caller) => caller.end()));
      callers = [];
      return last === 3 ? undefined : `${last} is not the sum`;
    };
    return { name, without, cases: [{ call, check, waits: true }] };
  });
  await measure({
    title: `A worker's start and its first result, ${runtime.name}`,
    columns: ['time'],
    calls: 3,
    contestants,
  });
}

/** Measures all of it. */
export async function calls(runtime: Runtime): Promise<void> {
  await small(runtime);
  await large(runtime);
  await streams(runtime);
  await starts(runtime);
}
