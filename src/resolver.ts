/** Opens one dependency and closes it again; attempts and the longer scopes both use it. */
import { QTasksError } from './errors.js';
import type { Place, Runtime } from './need.js';
import type { Node, Wire } from './plan.js';
import { isThenable } from './promises.js';
import type { Milliseconds } from './types.js';

/** What a `function*` or `async function*` returns, also a down-levelled one. */
interface Generator {
  next(): Step | PromiseLike<Step>;
  throw(error: unknown): Step | PromiseLike<Step>;
  return(value?: unknown): Step | PromiseLike<Step>;
}

interface Step {
  readonly done?: boolean;
  readonly value?: unknown;
}

/** Who opens dependencies: told exactly once of each, perhaps before `open` returns. */
export interface Sink {
  /** @param lease there if it has to be closed */
  opened(index: number, value: unknown, lease: Lease | undefined): void;
  failed(index: number, error: unknown): void;
  /** Something went wrong that no call can be rejected with. */
  trouble(node: Node, error: unknown): void;
}

/** Something open that wants to be closed once. */
export class Lease {
  /** `undefined` for a deferred callback. */
  readonly node: Node | undefined;
  readonly generator: Generator | undefined;
  readonly release: (() => unknown) | undefined;

  constructor(node: Node | undefined, generator?: Generator, release?: () => unknown) {
    this.node = node;
    this.generator = generator;
    this.release = release;
  }

  /**
   * Goes on after the `yield`: by `next()`, or by `throw(error)` after a failure. Gives what the
   * generator or the release gives, or a promise of it, for {@link isOpen} to look at.
   */
  resume(failed: boolean, error: unknown): unknown {
    if (!this.generator) return this.release?.();
    return failed ? this.generator.throw(error) : this.generator.next();
  }

  /** Whether it is still open after that: a generator that yielded again. */
  isOpen(resumed: unknown): boolean {
    return this.generator !== undefined && !(resumed as Step).done;
  }

  /** Ends a generator that yielded again: its `finally` blocks still run. */
  async end(): Promise<never> {
    await this.generator?.return();
    const path = this.node?.path ?? '';
    const message = `dependency "${path}": its generator yielded more than once`;
    throw new QTasksError('DEPENDENCY_INVALID', message, { data: { dependency: path } });
  }

  /** All of it in one: resolves once it is closed, rejects with what the teardown throws. */
  async close(failed: boolean, error: unknown): Promise<void> {
    if (this.isOpen(await this.resume(failed, error))) await this.end();
  }
}

const isGenerator = (value: unknown): value is Generator =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<Generator>).next === 'function' &&
  typeof (value as Partial<Generator>).throw === 'function' &&
  typeof (value as Partial<Generator>).return === 'function';

/** Builds the record that a handler or an `open` function is called with. */
export function inject(
  place: Place,
  wires: readonly Wire[],
  values: readonly unknown[],
  inputs: readonly number[] | undefined,
): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const { key, instant, index } of wires) {
    const value = instant ? instant.open(place) : values[inputs ? (inputs[index] ?? -1) : index];
    put(record, key, value);
  }
  return record;
}

/** Sets a property under any name; an assignment to `__proto__` would change the prototype. */
export function put(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    const property = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(record, key, property);
  } else record[key] = value;
}

/** Opens a dependency with its needs and tells the sink what became of it. */
export function open(
  runtime: Runtime,
  node: Node,
  needs: unknown,
  sink: Sink,
  index: number,
): void {
  const { dependency } = node;
  const { timeout } = dependency;
  const receiver = timeout === undefined ? sink : new Deadline(runtime, node, sink, index, timeout);
  let result: unknown;
  try {
    result = dependency.needs ? dependency.open(needs) : dependency.open();
  } catch (error) {
    return receiver.failed(index, error);
  }
  if (isGenerator(result)) drive(node, result, receiver, index);
  else if (isThenable(result)) {
    result.then(
      (value) => receive(node, value, receiver, index),
      (error) => receiver.failed(index, error),
    );
  } else receive(node, result, receiver, index);
}

function receive(node: Node, value: unknown, sink: Sink, index: number): void {
  if (!node.dependency.disposes || value === null || value === undefined) {
    return sink.opened(index, value, undefined);
  }
  const dispose = disposer(value);
  if (dispose) return sink.opened(index, value, new Lease(node, undefined, dispose));
  const message = `dependency "${node.path}": Depends.using needs an object with Symbol.asyncDispose or Symbol.dispose`;
  sink.failed(index, invalid(node, message));
}

/** The well-known symbols, also where the runtime does not have them yet. */
export const asyncDispose: typeof Symbol.asyncDispose = (Symbol.asyncDispose ??
  Symbol.for('Symbol.asyncDispose')) as typeof Symbol.asyncDispose;
export const dispose: typeof Symbol.dispose = (Symbol.dispose ??
  Symbol.for('Symbol.dispose')) as typeof Symbol.dispose;

function disposer(value: unknown): (() => unknown) | undefined {
  const resource = value as Partial<Record<symbol, unknown>>;
  for (const symbol of [asyncDispose, dispose]) {
    const method = resource[symbol];
    if (typeof method === 'function') return () => method.call(value);
  }
  return undefined;
}

/** Runs a generator to its first `yield`. */
function drive(node: Node, generator: Generator, sink: Sink, index: number): void {
  let step: Step | PromiseLike<Step>;
  try {
    step = generator.next();
  } catch (error) {
    return sink.failed(index, error);
  }
  if (isThenable(step)) {
    (step as PromiseLike<Step>).then(
      (yielded) => {
        if (yielded.done) neverYielded(node, sink, index);
        else sink.opened(index, yielded.value, new Lease(node, generator));
      },
      (error) => sink.failed(index, error),
    );
  } else yieldedNow(node, generator, step as Step, sink, index);
}

/** What a sync generator yields may be a promise, as what an async one does. */
function yieldedNow(node: Node, generator: Generator, step: Step, sink: Sink, index: number): void {
  if (step.done) return neverYielded(node, sink, index);
  const lease = new Lease(node, generator);
  if (!isThenable(step.value)) return sink.opened(index, step.value, lease);
  step.value.then(
    (value) => sink.opened(index, value, lease),
    async (error) => {
      try {
        await lease.close(true, error);
      } catch (thrown) {
        if (thrown !== error) sink.trouble(node, thrown);
      }
      sink.failed(index, error);
    },
  );
}

function neverYielded(node: Node, sink: Sink, index: number): void {
  sink.failed(
    index,
    invalid(node, `dependency "${node.path}": its generator never yielded a value`),
  );
}

function invalid(node: Node, message: string): QTasksError {
  return new QTasksError('DEPENDENCY_INVALID', message, { data: { dependency: node.path } });
}

/**
 * Waits for a teardown no longer than its dependency allows. What it does after that is told as trouble.
 * @throws TASK_TIMEOUT
 */
export function closeWithin(
  runtime: Runtime,
  node: Node,
  closing: PromiseLike<unknown>,
  limit: Milliseconds,
  sink: Pick<Sink, 'trouble'>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = runtime.clock.setTimeout(() => {
      late = true;
      reject(timeout(node, 'close', limit));
    }, limit);
    closing.then(
      (value) => {
        runtime.clock.clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        runtime.clock.clearTimeout(timer);
        if (late) sink.trouble(node, error);
        else reject(error);
      },
    );
  });
}

function timeout(node: Node, verb: 'open' | 'close', limit: Milliseconds): QTasksError {
  const message = `dependency "${node.path}" did not ${verb} within ${limit} ms`;
  return new QTasksError('TASK_TIMEOUT', message, { data: { dependency: node.path } });
}

/** Stands between an opening and its sink and fails it once its time is over. */
class Deadline implements Sink {
  readonly #runtime: Runtime;
  readonly #node: Node;
  readonly #sink: Sink;
  readonly #timer: unknown;
  #error: QTasksError | undefined;

  constructor(runtime: Runtime, node: Node, sink: Sink, index: number, limit: Milliseconds) {
    this.#runtime = runtime;
    this.#node = node;
    this.#sink = sink;
    this.#timer = runtime.clock.setTimeout(() => {
      this.#error = timeout(node, 'open', limit);
      sink.failed(index, this.#error);
    }, limit);
  }

  opened(index: number, value: unknown, lease: Lease | undefined): void {
    this.#runtime.clock.clearTimeout(this.#timer);
    if (!this.#error) this.#sink.opened(index, value, lease);
    else if (lease) void closeLate(lease, this.#node, this.#error, this.#sink);
  }

  failed(index: number, error: unknown): void {
    this.#runtime.clock.clearTimeout(this.#timer);
    if (this.#error) this.#sink.trouble(this.#node, error);
    else this.#sink.failed(index, error);
  }

  trouble(node: Node, error: unknown): void {
    this.#sink.trouble(node, error);
  }
}

/** Closes what opened after nobody waited for it any more, and tells of it. */
export async function closeLate(
  lease: Lease,
  node: Node,
  reason: unknown,
  sink: Pick<Sink, 'trouble'>,
): Promise<void> {
  sink.trouble(node, reason);
  try {
    await lease.close(true, reason);
  } catch (error) {
    if (error !== reason) sink.trouble(node, error);
  }
}
