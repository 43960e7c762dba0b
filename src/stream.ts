/** What a run streams: from the `yield` of its handler to the one reader that iterates the run. */
import { QTasksError } from './errors.js';
import { isThenable, nextTurn } from './promises.js';
import type { Outlet } from './served.js';
import type { Milliseconds } from './types.js';

/** How far the handler may be ahead of its reader, and how many values are kept while there is none. */
const capacity = 16;

/** After how many values the event loop gets its turn. */
const burst = 256;

/** How long a handler and a reader that never wait for anything may keep the event loop waiting. */
const longestBurst: Milliseconds = 20;

/** What a `function*` or `async function*` returns, also a down-levelled one. */
export interface Generator {
  next(): MaybePromise<Yielded>;
  throw(error: unknown): MaybePromise<Yielded>;
  return(value?: unknown): MaybePromise<Yielded>;
}

type MaybePromise<T> = T | PromiseLike<T>;

/** One step of a generator. */
export interface Yielded {
  readonly done?: boolean;
  readonly value?: unknown;
}

/** Tells what a generator function has returned from everything else. */
export const isGenerator = (value: unknown): value is Generator =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<Generator>).next === 'function' &&
  typeof (value as Partial<Generator>).throw === 'function' &&
  typeof (value as Partial<Generator>).return === 'function';

/** Who runs a generator. */
export interface StreamHost {
  /** Whether the generator has to end early, and with what. */
  readonly failing: boolean;
  readonly outcome: unknown;
  /** Aborts as it has to. */
  readonly signal: AbortSignal;
  /** Takes a value; gives a promise where the generator has to wait before the next one. */
  yielded(value: unknown): Promise<void> | undefined;
}

/** Runs a generator to its end and resolves to what it returns. */
export async function drive(generator: Generator, host: StreamHost): Promise<unknown> {
  let step = await generator.next();
  while (!step.done && !host.failing) {
    let { value } = step;
    try {
      // What a sync generator yields may be a promise.
      if (isThenable(value)) value = await untilAbort(value, host.signal);
    } catch (error) {
      step = await generator.throw(error);
      continue;
    }
    if (!host.failing) {
      const pause = host.yielded(value);
      // Not `await` of it all: most values need no pause.
      if (pause !== undefined) await pause;
    }
    if (!host.failing) step = await generator.next();
  }
  if (step.done) return step.value;
  // Nobody waits for a promise that it yielded last: what it rejects with must not stay unhandled.
  if (isThenable(step.value)) void untilAbort(step.value, host.signal).catch(() => {});
  // It stands at a `yield`: as a dependency would, it gets the reason, and a second chance to end.
  const thrown = await generator.throw(host.outcome);
  return thrown.done ? thrown.value : void (await generator.return());
}

/** Waits for a promise, but no longer than until the signal aborts. */
function untilAbort(promise: PromiseLike<unknown>, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      signal.removeEventListener('abort', stop);
      resolve(undefined);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
    Promise.resolve(promise).then(resolve, reject).finally(stop);
  });
}

/** The run of a stream, as the stream sees it. */
export interface StreamedRun {
  readonly taskName: string;
  readonly status: string;
  /** Its result or error, once it has settled. */
  readonly outcome: unknown;
  readonly isSettled: boolean;
  cancel(): void;
  /** Called for each value that the reader gets. */
  taken(): void;
  whenSettled(listener: () => void): void;
}

/** Who waits for the next value. */
interface Request {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

/** The values of one run on their way. */
export class Stream implements Outlet {
  readonly #run: StreamedRun;
  #values: unknown[] = [];
  readonly #requests: Request[] = [];
  #isRead = false;
  /** Whether the reader was told how the run ended, or has left. */
  #isOver = false;
  #resume: (() => void) | undefined = undefined;
  #count = 0;
  #pausedAt = Date.now();
  /** Whether the reader got a value; then the run must not begin again. */
  isDelivered = false;

  constructor(run: StreamedRun) {
    this.#run = run;
    run.whenSettled(() => {
      for (const request of this.#requests.splice(0)) this.#end(request);
    });
  }

  /** Takes a value; gives a promise where the handler has to wait. */
  push(value: unknown): Promise<void> | undefined {
    const request = this.#requests.shift();
    if (request) this.#deliver(request, value);
    else if (this.#values.push(value) > capacity && !this.#isRead) this.#values.shift();
    if (this.#isRead && this.#values.length >= capacity) {
      return new Promise((resolve) => {
        this.#resume = resolve;
      });
    }
    return ++this.#count % burst === 0 ? this.#breathe() : undefined;
  }

  /** Lets the event loop have its turn, so that timers and clicks come through. */
  #breathe(): Promise<void> | undefined {
    const now = Date.now();
    if (this.#isRead && now - this.#pausedAt < longestBurst) return undefined;
    this.#pausedAt = now;
    return nextTurn();
  }

  /** Lets a handler that waits for room go on: it has to end. */
  release(): void {
    this.#resume?.();
    this.#resume = undefined;
  }

  /** Forgets what an attempt has left to who came too late. */
  clear(): void {
    this.#values = [];
  }

  /** @throws OPTION_INVALID for a second reader */
  read(): AsyncIterator<unknown, undefined, undefined> {
    if (this.#isRead) {
      const message = `task "${this.#run.taskName}": a run has one reader, and this one is being iterated already`;
      throw new QTasksError('OPTION_INVALID', message);
    }
    this.#isRead = true;
    const reader = {
      next: () => this.#next(),
      return: () => this.#leave(),
      // What a generator that delegates to it (`yield*`) passes on as it has to end.
      throw: (error: unknown) => this.#leave().then(() => Promise.reject(error)),
    };
    return reader;
  }

  #next(): Promise<IteratorResult<unknown, undefined>> {
    return new Promise((resolve, reject) => {
      const request = { resolve, reject };
      if (this.#values.length > 0 && !this.#isOver) {
        this.#deliver(request, this.#values.shift());
        this.release();
      } else if (this.#isOver || this.#run.isSettled) this.#end(request);
      else this.#requests.push(request);
    });
  }

  #deliver(request: Request, value: unknown): void {
    this.isDelivered = true;
    this.#run.taken();
    request.resolve({ done: false, value });
  }

  /** Tells once how the run ended; after that only that it has. */
  #end({ resolve, reject }: Request): void {
    const isNews = !this.#isOver;
    this.#isOver = true;
    if (isNews && this.#run.status !== 'success') reject(this.#run.outcome);
    else resolve({ done: true, value: undefined });
  }

  /** The reader has left the loop: nobody wants the rest. */
  #leave(): Promise<IteratorResult<unknown, undefined>> {
    this.#values = [];
    const isNews = !this.#isOver;
    this.#isOver = true;
    this.#run.cancel();
    return new Promise((resolve, reject) => {
      this.#run.whenSettled(() => {
        // Nobody else would hear of a run that was past being cancelled and failed after that.
        if (isNews && this.#run.status === 'error') reject(this.#run.outcome);
        else resolve({ done: true, value: undefined });
      });
    });
  }
}
