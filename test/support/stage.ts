/**
 * One run that stops at a chosen place of its first attempt, in an app with one slot and with a lock, so
 * that a test can let something befall it there.
 */
import { Context, Depends, QTasks, type Run } from '../../src/index.js';
import { ManualClock, settle } from './clock.js';
import { FaultyStorage } from './faulty.js';
import { gate } from './promises.js';
import { schema } from './schemas.js';
import { countedSignal } from './signals.js';
import { traced } from './traced.js';

/** Where a run can be. */
export const places = [
  'the check of the arguments',
  'the opening of a dependency',
  'the body',
  'the wait for a child run',
  'the check of the result',
  'a yield whose reader does not read on',
  'a yield without a reader',
  'the teardown',
  'the wait for a slot',
  'the wait for the lock',
  'the backoff',
] as const;

/** One of them. */
export type Place = (typeof places)[number];

/** How the run is made. */
export interface StageOptions {
  readonly place: Place;
  /** Whether the place has to be one that can fail by itself. */
  readonly canFail: boolean;
  /** Whether what stops there goes on as the signal aborts, with its reason. */
  readonly heeds: boolean;
  readonly hasMiddleware: boolean;
  /** Of the run. */
  readonly timeout: number | undefined;
  readonly retries: number;
}

type Needs = { readonly ctx: Context };

/** The run and all around it. */
export class Stage {
  readonly clock = new ManualClock();
  readonly caller = countedSignal();
  /** What was opened and closed. */
  readonly log: string[] = [];
  /** How the run ended, as the events tell. */
  readonly ends: string[] = [];
  /** Settled by the test: then the place is left, or it fails. */
  readonly exit = gate();
  /** Settled by the test: then the slot or the lock is free. */
  readonly free = gate();
  readonly app: QTasks;
  /** Another app on the same storage. */
  readonly other: QTasks;
  readonly run: Run<unknown>;
  readonly reader: AsyncIterator<unknown> | undefined;
  readonly #options: StageOptions;
  readonly #storage = new FaultyStorage();
  #isReached = false;

  constructor(options: StageOptions) {
    this.#options = options;
    // Nobody may be waiting at the place as it fails.
    this.exit.promise.catch(() => {});
    const { place, hasMiddleware, timeout, retries } = options;
    const middleware = hasMiddleware ? [layer, layer] : [];
    const common = { clock: this.clock, storage: this.#storage };
    this.app = new QTasks({ ...common, concurrency: 1, grace: 50, middleware });
    this.other = new QTasks(common);
    this.#listen();
    this.#block();
    const needs = { top: this.#dependencies(), ctx: Context };
    const work = this.app.task('work', needs, this.#handler(), {
      // There the wait for a hold would hide what goes on too late.
      exclusive: place !== 'the check of the arguments',
      ...this.#schemas(),
      retry: { limit: retries, delay: 500 },
      middleware: hasMiddleware ? layer : [],
      ...(timeout === undefined ? {} : { timeout }),
    });
    this.run = this.app.with({ signal: this.caller.signal }).run(work);
    const isRead = place === 'a yield whose reader does not read on';
    this.reader = isRead ? this.run[Symbol.asyncIterator]() : undefined;
  }

  #listen(): void {
    for (const name of ['run:success', 'run:error', 'run:cancel'] as const) {
      this.app.on(name, ({ type, task }) => {
        if (task === 'work') this.ends.push(type);
      });
    }
  }

  /** Takes what the run will have to wait for. */
  #block(): void {
    const { place, canFail } = this.#options;
    const busy = [() => this.free.promise, { exclusive: true }] as const;
    if (place === 'the wait for a slot') void this.app.task('busy', busy[0])();
    if (place !== 'the wait for the lock') return;
    if (!canFail) return void this.other.task('busy', ...busy)();
    this.#storage.nextLocks.push(async (pass) => {
      await this.exit.promise;
      return pass();
    });
  }

  /** Three, one upon the other: the second stops as it opens, the third as it closes. */
  #dependencies() {
    const { log } = this;
    const at = (place: Place, ctx: Context): Promise<void> => this.#at(place, ctx);
    const first = Depends(() => traced(log, 'first'));
    const second = Depends({ first, ctx: Context }, async function* ({ ctx }) {
      await at('the opening of a dependency', ctx);
      yield* traced(log, 'second');
    });
    return Depends({ second, ctx: Context }, async function* ({ ctx }) {
      try {
        yield* traced(log, 'third');
      } finally {
        await at('the teardown', ctx);
      }
    });
  }

  /** The first to check stops there; schemas know no signal. */
  #schemas() {
    let checks = 0;
    const check = async (place: Place): Promise<void> => {
      if (place !== this.#options.place || checks++ > 0) return;
      this.#isReached = true;
      await this.exit.promise;
    };
    const input = schema<[]>(async () => {
      await check('the check of the arguments');
      return { value: [] };
    });
    const output = schema(async (value) => {
      await check('the check of the result');
      return { value };
    });
    return { input, output };
  }

  #handler(): (needs: Needs) => unknown {
    const { place, canFail, heeds } = this.#options;
    const at = (ctx: Context): Promise<void> => this.#at(place, ctx);
    if (place === 'the wait for a child run') {
      const child = this.app.task('child', { ctx: Context }, ({ ctx }) => at(ctx));
      return async ({ ctx }) => {
        if (ctx.attempt === 1) await ctx.run(child);
        return 'value';
      };
    }
    if (!place.startsWith('a yield')) {
      return async ({ ctx }) => {
        if (place === 'the body') await at(ctx);
        if (place === 'the backoff' && ctx.attempt === 1) throw new Error('first');
        return 'value';
      };
    }
    if (canFail) {
      return function* ({ ctx }) {
        yield 0;
        // A promise that fails is thrown in here.
        yield at(ctx);
        return 'value';
      };
    }
    const reached = (): void => {
      this.#isReached = true;
    };
    const exit = this.exit.promise;
    return async function* ({ ctx }) {
      try {
        for (let value = 0; ctx.attempt === 1; value++) {
          if (value === 16) reached();
          yield value;
        }
      } catch (error) {
        if (heeds) throw error;
        await exit;
      }
      return 'value';
    };
  }

  /** Stops there, in the first attempt. */
  async #at(place: Place, ctx: Context): Promise<void> {
    if (place !== this.#options.place || ctx.attempt > 1) return;
    this.#isReached = true;
    if (!this.#options.heeds) return this.exit.promise;
    const aborted = new Promise<void>((_resolve, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason));
    });
    await Promise.race([this.exit.promise, aborted]);
  }

  /** Lets the run come to its place; tells whether it is there. */
  async reach(): Promise<boolean> {
    await this.reader?.next();
    await settle();
    const waits = this.app.inspect().runs.find(({ task }) => task === 'work')?.waitsFor;
    if (this.#options.place === 'the wait for a slot') return waits === 'slot';
    if (this.#options.place === 'the wait for the lock') return waits === 'hold';
    if (this.#options.place === 'the backoff') return waits === 'backoff';
    return this.#isReached && waits === null;
  }
}

const layer = async (_run: unknown, next: () => Promise<unknown>): Promise<unknown> => {
  await null;
  const value = await next();
  await null;
  return value;
};
