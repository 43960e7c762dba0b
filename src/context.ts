/** `Context`: what a handler or a task-scoped dependency can know and do about its own run. */
import type { Logger } from './logger.js';
import { type InstantNeed, NEED, type Place } from './need.js';
import { check, kinds } from './options.js';
import type { Run } from './run.js';
import type { AnyTask, TaskArgs, TaskResult, TaskYield } from './signature.js';
import type { Milliseconds } from './types.js';

/** An attempt, as its context sees it. */
export interface ContextHost extends Place {
  readonly run: {
    readonly id: string;
    readonly taskName: string;
    cancel(reason?: unknown): void;
  };
  readonly signal: AbortSignal;
  /** Which attempt it is. */
  readonly number: number;
  /** The one context of this attempt. */
  context: Context | undefined;
  defer(callback: () => unknown): void;
  runChild(target: unknown, args: readonly unknown[]): Run<unknown, unknown>;
}

/** The signatures of `ctx.run`: a task by its name has to be registered, but nothing else is known of it. */
export interface RunChild {
  (name: string, ...args: readonly unknown[]): Run<unknown, unknown>;
  // Last: of several signatures the compiler explains the last one.
  <Target extends AnyTask>(
    task: Target,
    ...args: TaskArgs<Target>
  ): Run<TaskResult<Target>, TaskYield<Target>>;
}

/** In `needs`: the token. Injected: what a run knows of itself, one object for each attempt. */
export class Context {
  readonly #host: ContextHost;

  /**
   * Runs another task of the app as part of this run: in the same session, in its slot and its hold,
   * and cancelled with it. This run waits for it before its teardown, and if the handler fails cancels
   * it. Never throws: what is wrong with a call rejects the run.
   */
  readonly run: RunChild;

  private constructor(host: ContextHost) {
    this.#host = host;
    this.run = ((target: unknown, ...args: unknown[]) => host.runChild(target, args)) as RunChild;
  }

  // Only an attempt opens a context, as a plan lets nothing but task scope need one.
  static [NEED](): InstantNeed {
    return {
      scope: 'task',
      name: 'Context',
      register: () => () => {},
      open(place) {
        const host = place as ContextHost;
        host.context ??= new Context(host);
        return host.context;
      },
    };
  }

  /** The run's id, the same for all its attempts. */
  get runId(): string {
    return this.#host.run.id;
  }

  /** The name of the run's task. */
  get taskName(): string {
    return this.#host.run.taskName;
  }

  /** `""` is the default session. */
  get session(): string {
    return this.#host.session;
  }

  /** 1 for the first attempt. */
  get attempt(): number {
    return this.#host.number;
  }

  /** Aborts as the run is cancelled, the attempt times out or one of its dependencies fails to open. */
  get signal(): AbortSignal {
    return this.#host.signal;
  }

  /** The app's logger; silent where the app has none. */
  get logger(): Logger {
    return this.#host.runtime.logger;
  }

  /**
   * Waits on the app's clock.
   * @throws the signal's reason as soon as it aborts; OPTION_INVALID
   */
  async sleep(duration: Milliseconds): Promise<void> {
    check('ctx.sleep: the duration', duration, kinds.duration);
    const { runtime, signal } = this.#host;
    const { clock } = runtime;
    if (signal.aborted) throw signal.reason;
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        clock.clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = clock.setTimeout(() => {
        signal.removeEventListener('abort', abort);
        resolve();
      }, duration);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** Cancels the run, as `run.cancel` does from outside: the signal aborts, the handler goes on. */
  cancel(reason?: unknown): void {
    this.#host.run.cancel(reason);
  }

  /**
   * Runs a callback with the teardown, in its place: before everything that was open when it was
   * deferred is closed, after what is deferred later. It may return a promise.
   * @throws OPTION_INVALID also once the teardown has begun
   */
  defer(callback: () => unknown): void {
    check('ctx.defer: the callback', callback, kinds.function);
    this.#host.defer(callback);
  }
}
