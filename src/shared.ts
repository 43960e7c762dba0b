/** The scopes that outlive a run: each opens a dependency at first use and closes all at its end. */
import { atMost } from './clock.js';
import { QTasksError } from './errors.js';
import type { EventMap } from './events.js';
import type { Place } from './need.js';
import type { Node } from './plan.js';
import { close, closeInTime, inject, type Lease, Opening, type Sink } from './resolver.js';
import type { Scope } from './scopes.js';
import type { StorageAdapter } from './storage.js';
import type { Milliseconds } from './types.js';

/** The opened values of one scope: of one session, of one app or of one storage object. */
export class SharedScope {
  readonly #scope: Scope;
  readonly place: Place;
  /** The next longer scope. */
  readonly outer: SharedScope | undefined;
  /** What is open or opening, by the node's key. */
  readonly #instances = new Map<string, Promise<unknown>>();
  /** In the order in which they came to be open. */
  readonly #open: Lease[] = [];
  #isClosed = false;
  /** A session may be closed twice, by itself and with its app. */
  #closing: Promise<unknown[]> | undefined = undefined;
  /** How many apps use it, where it is shared by several: the last to close it does so. */
  users = 0;

  constructor(scope: Scope, place: Place, outer: SharedScope | undefined) {
    this.#scope = scope;
    this.place = place;
    this.outer = outer;
  }

  /**
   * Opens a dependency of this scope or a longer one, or takes the one that is open or opening.
   * Who has lost interest may ignore the promise; nothing has to be given back.
   */
  acquire(node: Node): Promise<unknown> {
    if (node.dependency.scope !== this.#scope && this.outer) return this.outer.acquire(node);
    const known = this.#instances.get(node.sharedKey);
    if (known !== undefined) return known;
    const instance = this.#openInstance(node);
    this.#instances.set(node.sharedKey, instance);
    // Not kept: the next use tries again.
    instance.catch(() => this.#instances.delete(node.sharedKey));
    return instance;
  }

  async #openInstance(node: Node): Promise<unknown> {
    const values: unknown[] = [];
    const children = [...node.wiring.children];
    const opened = await Promise.all(children.map((child) => this.acquire(child)));
    children.forEach(({ index }, position) => {
      values[index] = opened[position];
    });
    if (this.#isClosed) throw tooLate(node);
    const needs = inject(this.place, node.wiring, values);
    return new Promise((resolve, reject) => {
      const sink: Sink<undefined> = {
        opened: (_token, value, lease) => {
          if (this.#isClosed) {
            const error = tooLate(node);
            reject(error);
            void lease?.closeLate(error);
            return;
          }
          if (lease) this.#open.push(lease);
          this.#emit(node, 'open');
          resolve(value);
        },
        failed: (_token, error) => reject(error),
        trouble: (_node, error) => this.#emit(node, 'error', error),
      };
      new Opening(node, sink, undefined).open(needs, this.place.runtime.clock);
    });
  }

  /**
   * Closes everything in reverse, one after the other, and tells what failed. What is still opening
   * is waited for, but not longer than `grace`; then it is closed when it comes.
   */
  async close(grace: Milliseconds): Promise<unknown[]> {
    if (--this.users > 0) return [];
    this.#closing ??= this.#closeAll(grace);
    return this.#closing;
  }

  async #closeAll(grace: Milliseconds): Promise<unknown[]> {
    const { clock } = this.place.runtime;
    const errors: unknown[] = [];
    await atMost(grace, Promise.allSettled(this.#instances.values()), clock);
    this.#isClosed = true;
    this.#instances.clear();
    for (let lease = this.#open.pop(); lease; lease = this.#open.pop()) {
      const { node } = lease;
      try {
        const trouble = (error: unknown): void => this.#emit(node, 'error', error);
        await closeInTime(node, close(lease, false, undefined), clock, trouble);
        this.#emit(node, 'close');
      } catch (error) {
        errors.push(error);
        this.#emit(node, 'error', error);
      }
    }
    return errors;
  }

  #emit(node: Node, what: 'open' | 'close' | 'error', error?: unknown): void {
    const { runtime, session } = this.place;
    const type = `dependency:${what}` as const;
    if (!runtime.events.has(type)) return;
    const about = { type, at: runtime.clock.now(), dependency: node.path };
    const where = this.#scope === 'session' ? { session } : {};
    const details = what === 'error' ? { error } : {};
    runtime.events.emit({ ...about, ...where, ...details } as EventMap[typeof type]);
  }
}

const tooLate = ({ path }: Node): QTasksError =>
  new QTasksError('APP_CLOSED', `dependency "${path}" opened as its scope was closed`);

/** The storage scopes of this runtime: one for each storage object that an app uses. */
const storageScopes = new WeakMap<StorageAdapter, SharedScope>();

/** Joins the storage scope of an app's storage; without a storage the app has one to itself. */
export function joinStorageScope(place: Place): SharedScope {
  const { storage } = place.runtime;
  const known = storage && storageScopes.get(storage);
  const scope = known && known.users > 0 ? known : new SharedScope('storage', place, undefined);
  if (storage) storageScopes.set(storage, scope);
  scope.users++;
  return scope;
}
