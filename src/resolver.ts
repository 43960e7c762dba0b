/** Opens one dependency and closes it again; attempts and the longer scopes both use it. */
import type { Clock } from './clock.js';
import { asyncDispose, dispose } from './disposal.js';
import { QTasksError } from './errors.js';
import type { Place } from './need.js';
import type { Node, Wiring } from './plan.js';
import { isThenable } from './promises.js';
import { put } from './records.js';
import { type Generator, isGenerator, type Yielded } from './stream.js';
import type { Milliseconds } from './types.js';

/** Who opens dependencies; the token tells which one it is about. */
export interface Sink<Token> {
  /**
   * Told once of each that opens, perhaps before `open` returns.
   * @param lease there if it has to be closed
   */
  opened(token: Token, value: unknown, lease: Lease | undefined): void;
  /** Told once of each that does not. */
  failed(token: Token, error: unknown): void;
  /** Something went wrong that no call can be rejected with. */
  trouble(node: Node, error: unknown): void;
}

/** Something that runs with the teardown. */
export interface Closable {
  /** `undefined` for a deferred callback. */
  readonly node: Node | undefined;
  /**
   * Goes on after the `yield`: by `next()`, or by `throw(error)` after a failure. Gives what the
   * generator or the disposer gives, or a promise of it, for {@link end} to look at.
   */
  resume(failing: boolean, error: unknown): unknown;
  /**
   * `undefined` once it is closed. A generator that yielded again is ended, so that its `finally`
   * blocks run; then the promise rejects.
   */
  end(resumed: unknown): Promise<never> | undefined;
}

/** An open dependency. */
export interface Lease extends Closable {
  readonly node: Node;
  /** Closes what opened after nobody waited for it any more, and tells of it. */
  closeLate(reason: unknown): Promise<void>;
}

/** Builds the record that a handler or an `open` function is called with. */
export function inject(
  place: Place,
  { wires }: Wiring,
  values: readonly unknown[],
): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const { key, instant, index } of wires) {
    put(record, key, instant ? instant.open(place) : values[index]);
  }
  return record;
}

/** One dependency on its way from opening to closed. */
export class Opening<Token> implements Lease {
  readonly node: Node;
  readonly #sink: Sink<Token>;
  readonly #token: Token;
  #generator: Generator | undefined = undefined;
  #dispose: (() => unknown) | undefined = undefined;
  #stopTimer: (() => void) | undefined = undefined;
  /** Why nobody waits for it any more. */
  #late: QTasksError | undefined = undefined;

  constructor(node: Node, sink: Sink<Token>, token: Token) {
    this.node = node;
    this.#sink = sink;
    this.#token = token;
  }

  /** Opens, and tells the sink what became of it. */
  open(needs: Record<string, unknown>, clock: Clock): void {
    const { open, needs: hasNeeds, timeout, isGeneratorFunction } = this.node.dependency;
    if (timeout !== undefined) {
      const timer = clock.setTimeout(() => {
        this.#late = timedOut(this.node, 'open', timeout);
        this.#sink.failed(this.#token, this.#late);
      }, timeout);
      this.#stopTimer = () => clock.clearTimeout(timer);
    }
    let result: unknown;
    let promise: Promise<unknown> | undefined;
    try {
      result = hasNeeds ? open(needs) : open();
      if (isGeneratorFunction || isGenerator(result)) {
        this.#generator = result as Generator;
        result = this.#generator.next();
      }
      // A user's own thenable may call back twice, or throw.
      if (isThenable(result)) promise = Promise.resolve(result);
    } catch (error) {
      return this.#failed(error);
    }
    if (promise !== undefined) {
      promise.then(
        (value) => this.#arrived(value, true),
        (error) => this.#failed(error),
      );
    } else this.#arrived(result, false);
  }

  /** A plain value, or a generator at its first `yield`. Looking at a user's object may throw. */
  #arrived(result: unknown, isAsync: boolean): void {
    const { disposes } = this.node.dependency;
    let value = result;
    try {
      if (this.#generator) {
        const step = result as Yielded;
        if (step.done) throw invalid(this.node, 'its generator never yielded a value');
        value = step.value;
        // What a sync generator yields may be a promise, as what an async one does.
        if (!isAsync && isThenable(value)) return void this.#awaitYielded(value);
      } else if (disposes && value !== null && value !== undefined) {
        this.#dispose = disposerOf(this.node, value);
      }
    } catch (error) {
      return void this.#abandon(error);
    }
    const hasToClose = this.#generator !== undefined || this.#dispose !== undefined;
    this.#opened(value, hasToClose ? this : undefined);
  }

  async #awaitYielded(promise: PromiseLike<unknown>): Promise<void> {
    let value: unknown;
    try {
      value = await promise;
    } catch (error) {
      return this.#abandon(error);
    }
    this.#opened(value, this);
  }

  async #abandon(error: unknown): Promise<void> {
    if (this.#generator) await this.#closeWith(error);
    this.#failed(error);
  }

  #opened(value: unknown, lease: Lease | undefined): void {
    this.#stopTimer?.();
    if (!this.#late) this.#sink.opened(this.#token, value, lease);
    else if (lease) void this.closeLate(this.#late);
  }

  #failed(error: unknown): void {
    this.#stopTimer?.();
    if (this.#late) this.#sink.trouble(this.node, error);
    else this.#sink.failed(this.#token, error);
  }

  resume(failing: boolean, error: unknown): unknown {
    if (!this.#generator) return this.#dispose?.();
    return failing ? this.#generator.throw(error) : this.#generator.next();
  }

  end(resumed: unknown): Promise<never> | undefined {
    return this.#generator && !(resumed as Yielded).done ? this.#yieldedAgain() : undefined;
  }

  async #yieldedAgain(): Promise<never> {
    await this.#generator?.return();
    throw invalid(this.node, 'its generator yielded more than once');
  }

  async closeLate(reason: unknown): Promise<void> {
    this.#sink.trouble(this.node, reason);
    await this.#closeWith(reason);
  }

  async #closeWith(error: unknown): Promise<void> {
    try {
      await close(this, true, error);
    } catch (thrown) {
      if (thrown !== error) this.#sink.trouble(this.node, thrown);
    }
  }
}

/** All of closing in one: rejects with what the teardown throws. */
export async function close(lease: Closable, failing: boolean, error: unknown): Promise<void> {
  await lease.end(await lease.resume(failing, error));
}

/**
 * Waits for a teardown no longer than its dependency allows. What fails after that is trouble.
 * @throws TASK_TIMEOUT
 */
export function closeInTime(
  node: Node,
  closing: Promise<unknown>,
  clock: Clock,
  trouble: (error: unknown) => void,
): PromiseLike<unknown> {
  const limit = node.dependency.closeTimeout;
  if (limit === undefined) return closing;
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      reject(timedOut(node, 'close', limit));
      closing.then(undefined, trouble);
    }, limit);
    const stop = (): void => clock.clearTimeout(timer);
    closing.then(stop, stop);
    closing.then(resolve, reject);
  });
}

function disposerOf(node: Node, value: unknown): () => unknown {
  const resource = value as Partial<AsyncDisposable & Disposable>;
  const method: unknown = resource[asyncDispose] ?? resource[dispose];
  if (typeof method === 'function') return () => method.call(value);
  throw invalid(node, 'what it returned has no Symbol.asyncDispose or Symbol.dispose');
}

function timedOut(node: Node, verb: 'open' | 'close', limit: Milliseconds): QTasksError {
  const message = `dependency "${node.path}" did not ${verb} within ${limit} ms`;
  return new QTasksError('TASK_TIMEOUT', message, { data: { dependency: node.path } });
}

function invalid(node: Node, problem: string): QTasksError {
  return new QTasksError('DEPENDENCY_INVALID', `dependency "${node.path}": ${problem}`, {
    data: { dependency: node.path },
  });
}
