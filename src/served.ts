/**
 * The inside of an app for who serves it to callers in other threads: their runs keep the ids that they
 * have there, and what they yield and return goes on its way at once.
 */
import type { StorageAdapter } from './storage.js';
import type { Milliseconds } from './types.js';

/** Where an app keeps it. `Symbol.for`: the copy of the library that serves may be another one. */
export const SERVED: unique symbol = Symbol.for('qtasks-lite.served') as typeof SERVED;

/** An app, as who serves it sees it. */
export interface Served {
  readonly name: string;
  readonly storage: StorageAdapter | undefined;
  /** Starts a run, or gives the one that has this id already. Never throws. */
  run(
    task: string,
    args: readonly unknown[],
    session: string,
    settings: ServedSettings,
    remote: Remote,
  ): ServedRun;
}

/** Settings of a run that a caller elsewhere gives. */
export interface ServedSettings {
  readonly timeout?: Milliseconds;
  readonly priority?: number;
  /** An idempotency key. */
  readonly id?: string;
}

/** A run, as who serves its app sees it. */
export interface ServedRun {
  readonly status: string;
  readonly attempts: number;
  /** Its result or error, once it has settled. */
  readonly outcome: unknown;
  readonly cleanupErrors: readonly unknown[];
  /** Where what it streams goes: to the caller that has started it. */
  readonly stream: unknown;
  /** Whether somebody will see how it ends. */
  observed: boolean;
  cancel(reason: unknown): void;
  whenSettled(listener: () => void): void;
}

/** Where the values go that a run streams. */
export interface Outlet {
  /** Whether somebody got a value; then the run must not begin again. */
  readonly isDelivered: boolean;
  /**
   * Takes a value; gives a promise where the handler has to wait.
   * @throws where the value cannot go where it should
   */
  push(value: unknown): Promise<void> | undefined;
  /** Lets a handler that waits go on: it has to end. */
  release(): void;
  /** Forgets what an attempt has left to who came too late. */
  clear(): void;
  /** @throws OPTION_INVALID where there is a reader already */
  read(): AsyncIterator<unknown, undefined, undefined>;
}

/** An attempt that ended with the thread that it ran in. */
export interface LostAttempt {
  /** How many had started by then. */
  readonly attempts: number;
  /** What it counts as having failed with. */
  readonly error: unknown;
}

/** A caller elsewhere, as its run sees it. */
export interface Remote extends Outlet {
  /** What the run is called where no idempotency key names it. */
  readonly runId: string;
  /** Set for a run that began in a thread which is gone: that was an attempt, and this goes on behind it. */
  readonly lost: LostAttempt | undefined;
  /** The run has another status. */
  changed(): void;
  /** @throws what the run fails with, where the value cannot go to its caller */
  value(task: string, from: 'result' | 'yield', value: unknown): unknown;
  error(error: unknown): unknown;
}
