/** The calls of one adapter: all of a tick travel together, and again where an answer was lost. */
import { isQTasksError, QTasksError } from '../../src/errors.js';
import type { Milliseconds } from '../../src/types.js';
import type { Script } from './scripts.js';
import {
  Busy,
  type Command,
  isPassing,
  type Reply,
  refusal,
  type Transport,
  tooMuchToAnswer,
} from './transport.js';

/** How often a call is tried again; all of these may be left out. */
export interface RedisRetry {
  /** How often, after the first attempt. Default 5. */
  readonly limit?: number;
  /** The longest wait before the first retry, doubled with each further one. Default 100. */
  readonly delay?: Milliseconds;
  /** The longest wait of all; a server that asks for more patience is given up. Default 5,000. */
  readonly maxDelay?: Milliseconds;
  /** How long one attempt may take. Default 10,000. */
  readonly timeout?: Milliseconds;
}

/** What a call may be given. */
interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Set for commits: those of one key are sent one after the other. */
  readonly order?: string | undefined;
}

interface Call extends CallOptions {
  command: Command;
  /** What to send where the server does not know the script. */
  readonly fallback: Command | undefined;
  failures: number;
  /** When a commit began to wait for somebody's lock. */
  lockedAt: number;
  isSent: boolean;
  isDone: boolean;
  /** Whether the server may have carried it out, though nobody has heard of it. */
  isUnsure: boolean;
  settle(error: unknown, result?: unknown): void;
}

/** How many commands, and how many characters of them, one request carries; a single one may be longer. */
const maxCommands = 1_000;
const maxSize = 1_000_000;
/** How many requests are on their way at once; more calls wait for each other and travel together. */
const maxRequests = 4;
/** How long a commit waits for the holder of a lock, which it may outrun after that. */
const patience = 2_000;
/** Where the token of the lock stands in the command of a commit. */
const tokenAt = 9;

/** The queue of calls. */
export class Calls {
  readonly #transport: Transport;
  readonly #retry: Required<RedisRetry>;
  readonly #waiting = new Set<Call>();
  /** The commit that has the turn, by its key. */
  readonly #turns = new Map<string, Call>();
  readonly #open = new Set<Promise<unknown>>();
  #requests = 0;
  /** How many commands the next request carries: fewer where a server has just refused as many. */
  #most = maxCommands;
  #isDue = false;

  constructor(
    transport: Transport,
    { limit = 5, delay = 100, maxDelay = 5_000, timeout = 10_000 }: RedisRetry,
  ) {
    this.#transport = transport;
    this.#retry = { limit, delay, maxDelay, timeout: Math.min(timeout, 2_147_483_647) };
  }

  /** Runs a script. @throws STORAGE_*; the signal's reason */
  run(script: Script, keys: Command, args: Command, options?: CallOptions): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    return this.send(['EVALSHA', script.sha, ...rest], options, ['EVAL', script.text, ...rest]);
  }

  /** Sends a command. @throws STORAGE_*; the signal's reason */
  send(command: Command, options: CallOptions = {}, fallback?: Command): Promise<unknown> {
    const answer = new Promise<unknown>((resolve, reject) => {
      const { signal, order } = options;
      const abort = (): void => {
        // Nobody can tell what becomes of a commit that is on its way.
        if (order && (call.isSent || call.isUnsure)) call.settle(unknownOutcome(signal?.reason));
        else call.settle(signal?.reason);
        this.#waiting.delete(call);
        if (!call.isSent) this.#passTurn(call);
        this.#add([]);
      };
      const call: Call = {
        signal,
        order,
        command,
        fallback,
        failures: 0,
        lockedAt: 0,
        isSent: false,
        isDone: false,
        isUnsure: false,
        settle: (error, result) => {
          signal?.removeEventListener('abort', abort);
          call.isDone = true;
          if (result === undefined) reject(error);
          else resolve(result);
        },
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', abort);
      this.#add([call]);
    });
    const done = (): unknown => this.#open.delete(answer);
    this.#open.add(answer);
    answer.then(done, done);
    return answer;
  }

  /** Resolves once every call has its answer. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#open);
  }

  #add(calls: readonly Call[]): void {
    for (const call of calls) {
      if (call.isDone) this.#passTurn(call);
      else this.#waiting.add(call);
    }
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#requests < maxRequests) {
      const batch = this.#batch();
      if (batch.length === 0) return;
      void this.#deliver(batch);
    }
  }

  /** Takes what travels next. A commit waits for its turn, lest the server take it for a repeat. */
  #batch(): Call[] {
    const batch: Call[] = [];
    let size = 0;
    for (const call of this.#waiting) {
      const { order, command } = call;
      if (order && (this.#turns.get(order) ?? call) !== call) continue;
      size += command.reduce((sum, { length }) => sum + length, 0);
      if (batch.length >= this.#most || (size > maxSize && batch.length > 0)) break;
      if (order) this.#turns.set(order, call);
      this.#waiting.delete(call);
      batch.push(call);
    }
    return batch;
  }

  #passTurn(call: Call): void {
    if (call.order && this.#turns.get(call.order) === call) this.#turns.delete(call.order);
  }

  async #deliver(batch: readonly Call[]): Promise<void> {
    for (const call of batch) call.isSent = true;
    this.#requests++;
    const replies = await this.#ask(batch);
    this.#requests--;
    const isTooMuch = batch.length > 1 && replies.some(isRefusedForSize);
    this.#most = isTooMuch ? Math.ceil(batch.length / 2) : Math.min(this.#most + 1, maxCommands);
    const again: Call[] = [];
    let wait = 0;
    for (const [index, call] of batch.entries()) {
      const next = this.#take(call, isTooMuch ? undefined : (replies[index] ?? {}));
      if (next === undefined) continue;
      again.push(call);
      wait = Math.max(wait, next);
    }
    if (again.length > 0) setTimeout(() => this.#add(again), wait);
    this.#add([]);
  }

  /**
   * Takes what became of a call that was sent.
   * @param reply `undefined` where it is only to be sent again
   * @returns how long it waits until then, if it does
   */
  #take(call: Call, reply: Reply | undefined): Milliseconds | undefined {
    const { limit, delay, maxDelay } = this.#retry;
    call.isSent = false;
    const least = reply ? this.#answer(call, reply) : 0;
    if (least !== undefined && !call.isDone && call.failures <= limit) {
      const longest = Math.min(maxDelay, delay * 2 ** (call.failures - 1));
      return Math.max(least, call.failures > 0 ? longest * (0.5 + Math.random() / 2) : 0);
    }
    this.#passTurn(call);
    if (least !== undefined && !call.isDone) fail(call, gaveUp(reply?.lost));
    return undefined;
  }

  /** Asks, but waits no longer than an attempt may take: the transport may not heed the signal. */
  #ask(batch: readonly Call[]): Promise<readonly Reply[]> {
    return new Promise((resolve) => {
      let late: AbortController | undefined;
      const lose = (lost: unknown): void => {
        clearTimeout(timer);
        resolve(batch.map(() => ({ lost })));
      };
      const timer = setTimeout(() => {
        const error = new Error('no answer in time');
        late?.abort(error);
        lose(error);
      }, this.#retry.timeout);
      const commands = batch.map(({ command }) => command);
      const signal = (): AbortSignal => {
        late ??= new AbortController();
        return late.signal;
      };
      this.#transport.send(commands, signal).then((replies) => {
        clearTimeout(timer);
        resolve(replies);
      }, lose);
    });
  }

  /** Settles a call, or gives how long to wait at least until it is sent again. */
  #answer(call: Call, { result, error, lost }: Reply): Milliseconds | undefined {
    const text = typeof error === 'string' ? error : '';
    if (result !== undefined) {
      if (call.order && (result === 0 || result === '0')) return this.#locked(call);
      call.settle(undefined, result);
    } else if (error === undefined && !isQTasksError(lost)) {
      call.failures++;
      if (lost instanceof Busy) {
        if (lost.wait > this.#retry.maxDelay) call.failures = Infinity;
        return lost.wait;
      }
      call.isUnsure ||= call.order !== undefined;
      return 0;
    } else if (/NOSCRIPT/i.test(text) && call.fallback && call.command !== call.fallback) {
      call.command = call.fallback;
      return 0;
    } else if (text === tooMuchToAnswer) {
      // The first one of a request is answered always.
      return 0;
    } else if (error !== undefined && isPassing(text)) {
      call.failures++;
      return 0;
    } else fail(call, isQTasksError(lost) ? lost : refusal(text));
    return undefined;
  }

  /** Somebody holds the bucket's lock, because others were always faster: now they are not. */
  #locked(call: Call): Milliseconds {
    const now = Date.now();
    call.lockedAt ||= now;
    const isPatient = now - call.lockedAt < patience;
    // In the place of the token in both forms of the command.
    if (!isPatient) call.command = call.command.with(tokenAt, '*');
    return isPatient ? 10 + Math.random() * 40 : 0;
  }
}

/** A request as a whole; what is too much by itself is told by Redis or the proxy, in its place. */
const isRefusedForSize = ({ lost }: Reply): boolean => isQTasksError(lost, 'STORAGE_QUOTA');

const unknownOutcome = (cause: unknown): QTasksError =>
  new QTasksError(
    'STORAGE_UNKNOWN_OUTCOME',
    'redis: the answer to a commit was lost, so it was made or it was not',
    { cause },
  );

/** What was lost before may have been carried out, whatever is said now. */
const fail = ({ isUnsure, settle }: Call, error: QTasksError): void =>
  settle(isUnsure ? unknownOutcome(error) : error);

function gaveUp(cause: unknown): QTasksError {
  const message = 'redis: the server cannot be reached, or is busy for too long';
  return new QTasksError('STORAGE_UNAVAILABLE', message, cause === undefined ? {} : { cause });
}
