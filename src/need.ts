/**
 * The internal protocol of everything that a task can need: dependencies, states, the context.
 * The core knows a state or the context only through it, so an app that uses neither does not
 * bundle them.
 */
import type { Clock } from './clock.js';
import { QTasksError } from './errors.js';
import type { Events } from './events.js';
import type { Logger } from './logger.js';
import { describe } from './options.js';
import type { Scope } from './scopes.js';
import type { StorageAdapter } from './storage.js';

/** Where a need keeps its side of the protocol. `Symbol.for`: two copies of the library may meet. */
export const NEED: unique symbol = Symbol.for('qtasks-lite.need') as typeof NEED;

/** One app, as needs see it. */
export interface Runtime {
  /** The app's name. */
  readonly name: string;
  readonly storage: StorageAdapter | undefined;
  readonly clock: Clock;
  readonly events: Events;
  /** Silent where the app was given none. */
  readonly logger: Logger;
  /** Makes something once per app and keeps it: the bucket engine, for one. */
  once<T>(key: symbol, make: () => T): T;
  /** Tells the app's logger of an error that no call can be rejected with: a throwing listener. */
  report(error: unknown): void;
  /** Calls back as the app closes, after its runs and before its longer-lived dependencies close. */
  onClose(callback: () => void | Promise<void>): void;
}

/** Where a need is opened. A task attempt is one, a session's scope another. */
export interface Place {
  readonly runtime: Runtime;
  /** `""` is the default session. */
  readonly session: string;
}

/** What a need that opens in an instant, without being closed, does for the core. */
export interface InstantNeed {
  /** The shortest life that it may be part of: the context `"task"`, a state `"session"`. */
  readonly scope: Scope;
  /** What it is, for who looks at the graph: the id of a state. */
  readonly name: string;
  /**
   * Checks itself against an app as a task that needs it is registered.
   * @returns what takes it back, for a registration that fails
   */
  register(runtime: Runtime): () => void;
  open(place: Place): unknown;
}

/** Something that can stand in `needs` and opens in an instant: a state class, the `Context` token. */
export interface InstantNeedSource {
  [NEED](): InstantNeed;
}

/**
 * Opens a state for who is outside of a task.
 * @throws OPTION_INVALID for what is no state class, and what that finds wrong with itself
 */
export function openState(stateClass: unknown, place: Place): unknown {
  const source = (typeof stateClass === 'function' ? stateClass : {}) as Partial<InstantNeedSource>;
  const need = source[NEED]?.();
  if (need?.scope !== 'session') {
    const message = `state: expected a class that extends AsyncState; received ${describe(stateClass)}`;
    throw new QTasksError('OPTION_INVALID', message);
  }
  need.register(place.runtime);
  return need.open(place);
}
