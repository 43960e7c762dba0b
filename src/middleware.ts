/** Middleware: functions around every attempt of a run, like the layers of an onion. */

/** What a middleware is told of the attempt that it is around. */
export interface MiddlewareRun {
  /** The run's id, the same for all its attempts. */
  readonly id: string;
  /** The task's name. */
  readonly task: string;
  /** `""` is the default session. */
  readonly session: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** What the handler will get after its needs; of a task with `input`, what the schema gave. */
  readonly args: readonly unknown[];
  /** The attempt's signal, the handler's too. */
  readonly signal: AbortSignal;
}

/**
 * A function around each attempt: opening, handler and teardown.
 *
 * `next` goes on inwards, once, and resolves to what the attempt gives or rejects with its error, after
 * teardown. What the middleware returns or throws takes that place: **return what `next()` gives**. After
 * a cancel that changes nothing any more.
 */
export type Middleware = (run: MiddlewareRun, next: () => Promise<unknown>) => Promise<unknown>;
