/** The scopes that outlive a run: each opens a dependency at first use and closes all at its end. */
import { QTasksError } from './errors.js';
import type { Place } from './need.js';
import type { Node } from './plan.js';
import { closeLate, closeWithin, inject, type Lease, open, type Sink } from './resolver.js';
import type { Scope } from './scopes.js';
import type { StorageAdapter } from './storage.js';
import type { Milliseconds } from './types.js';

/** Stands for the instance itself, where a position among its children is expected. */
const SELF = -1;

/** The opened values of one scope: of one session, of one app or of one storage object. */
export class SharedScope {
  readonly scope: Scope;
  readonly place: Place;
  readonly #outer: SharedScope | undefined;
  readonly #instances = new Map<string, Instance>();
  /** In the order in which they came to be open. */
  readonly #opened: Instance[] = [];

  /** @param outer the next longer scope */
  constructor(scope: Scope, place: Place, outer: SharedScope | undefined) {
    this.scope = scope;
    this.place = place;
    this.#outer = outer;
  }

  /**
   * Opens a dependency of this scope or a longer one, or takes the one that is open or opening.
   * A sink that has lost interest may ignore the answer; nothing has to be given back.
   */
  acquire(node: Node, sink: Sink, index: number): void {
    if (node.dependency.scope !== this.scope && this.#outer) {
      return this.#outer.acquire(node, sink, index);
    }
    const known = this.#instances.get(node.sharedKey);
    if (known) return known.join(sink, index);
    const instance = new Instance(this, node);
    this.#instances.set(node.sharedKey, instance);
    instance.join(sink, index);
    instance.start();
  }

  /** @internal An instance is open: it will be closed with the scope. */
  add(instance: Instance): void {
    this.#opened.push(instance);
  }

  /** @internal An instance failed to open: the next use tries again. */
  remove(instance: Instance): void {
    this.#instances.delete(instance.node.sharedKey);
  }

  /**
   * Closes everything in reverse, one after the other, and tells what failed. What is still opening
   * is waited for, but not longer than `grace`; then it is closed when it comes.
   */
  async close(grace: Milliseconds): Promise<unknown[]> {
    const opening = [...this.#instances.values()].filter((instance) => !instance.isOpen);
    await Promise.all(opening.map((instance) => instance.settled(grace)));
    const errors: unknown[] = [];
    for (;;) {
      const instance = this.#opened.pop();
      if (!instance) break;
      this.#instances.delete(instance.node.sharedKey);
      await instance.close(errors);
    }
    return errors;
  }
}

/** One value of a longer-lived dependency, opening or open. */
class Instance implements Sink {
  readonly node: Node;
  isOpen = false;
  readonly #scope: SharedScope;
  #waiters: { readonly sink: Pick<Sink, 'opened' | 'failed'>; readonly index: number }[] = [];
  readonly #inputs: unknown[] = [];
  #missing: number;
  #value: unknown;
  #lease: Lease | undefined;
  /** Set once nobody waits for the opening any more. */
  #abandoned: { readonly reason: unknown } | undefined;

  constructor(scope: SharedScope, node: Node) {
    this.#scope = scope;
    this.node = node;
    this.#missing = node.children.length;
  }

  join(sink: Pick<Sink, 'opened' | 'failed'>, index: number): void {
    if (this.isOpen) sink.opened(index, this.#value, undefined);
    else this.#waiters.push({ sink, index });
  }

  start(): void {
    if (this.#missing === 0) return this.#open();
    this.node.children.forEach((child, index) => {
      this.#scope.acquire(child, this, index);
    });
  }

  #open(): void {
    const { place } = this.#scope;
    let needs: Record<string, unknown>;
    try {
      needs = inject(place, this.node.wires, this.#inputs, undefined);
    } catch (error) {
      return this.failed(SELF, error);
    }
    open(place.runtime, this.node, needs, this, SELF);
  }

  opened(index: number, value: unknown, lease: Lease | undefined): void {
    if (this.#abandoned) {
      if (lease) void closeLate(lease, this.node, this.#abandoned.reason, this);
    } else if (index !== SELF) {
      this.#inputs[index] = value;
      if (--this.#missing === 0) this.#open();
    } else {
      this.isOpen = true;
      this.#value = value;
      this.#lease = lease;
      this.#scope.add(this);
      this.#emit('dependency:open');
      for (const waiter of this.#leave()) waiter.sink.opened(waiter.index, value, undefined);
    }
  }

  failed(_index: number, error: unknown): void {
    if (this.#abandoned) return;
    this.#abandoned = { reason: error };
    this.#scope.remove(this);
    for (const waiter of this.#leave()) waiter.sink.failed(waiter.index, error);
  }

  trouble(_node: Node, error: unknown): void {
    this.#emit('dependency:error', error);
  }

  #leave(): { readonly sink: Pick<Sink, 'opened' | 'failed'>; readonly index: number }[] {
    const waiters = this.#waiters;
    this.#waiters = [];
    return waiters;
  }

  /** Resolves once it is open, has failed or is given up after `grace`. */
  settled(grace: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      const { clock } = this.#scope.place.runtime;
      const timer = clock.setTimeout(() => {
        const message = `dependency "${this.node.path}" was still opening as its scope was closed`;
        this.failed(SELF, new QTasksError('APP_CLOSED', message));
      }, grace);
      const done = (): void => {
        clock.clearTimeout(timer);
        resolve();
      };
      this.join({ opened: done, failed: done }, SELF);
    });
  }

  /** Closes it; adds what goes wrong to `errors`. */
  async close(errors: unknown[]): Promise<void> {
    if (!this.#lease) return;
    const { closeTimeout } = this.node.dependency;
    const { runtime } = this.#scope.place;
    try {
      const closing = this.#lease.close(false, undefined);
      await (closeTimeout === undefined
        ? closing
        : closeWithin(runtime, this.node, closing, closeTimeout, this));
      this.#emit('dependency:close');
    } catch (error) {
      errors.push(error);
      this.#emit('dependency:error', error);
    }
  }

  #emit(type: 'dependency:open' | 'dependency:close'): void;
  #emit(type: 'dependency:error', error: unknown): void;
  #emit(type: 'dependency:open' | 'dependency:close' | 'dependency:error', error?: unknown): void {
    const { runtime, session } = this.#scope.place;
    if (!runtime.events.has(type)) return;
    const about = { at: runtime.clock.now(), dependency: this.node.path };
    const where = this.#scope.scope === 'session' ? { ...about, session } : about;
    runtime.events.emit(
      type === 'dependency:error' ? { ...where, type, error } : { ...where, type },
    );
  }
}

/** The storage scopes of this runtime: one for each storage object, while an app uses it. */
const storageScopes = new WeakMap<StorageAdapter, { readonly scope: SharedScope; users: number }>();

/** Joins the storage scope of an app's storage; without a storage the app has one to itself. */
export function joinStorageScope(place: Place): SharedScope {
  const { storage } = place.runtime;
  const known = storage && storageScopes.get(storage);
  if (known) {
    known.users++;
    return known.scope;
  }
  const scope = new SharedScope('storage', place, undefined);
  if (storage) storageScopes.set(storage, { scope, users: 1 });
  return scope;
}

/** Leaves it again, once; the last app to leave closes it. */
export async function leaveStorageScope(
  scope: SharedScope,
  place: Place,
  grace: Milliseconds,
): Promise<unknown[]> {
  const { storage } = place.runtime;
  const known = storage && storageScopes.get(storage);
  if (known && --known.users > 0) return [];
  if (storage) storageScopes.delete(storage);
  return scope.close(grace);
}
