/** The scopes that outlive a run: each opens a dependency at first use and closes all at its end. */
import { QTasksError } from './errors.js';
import type { EventMap } from './events.js';
import type { Place } from './need.js';
import type { Node } from './plan.js';
import { close, closeInTime, inject, type Lease, Opening, type Sink } from './resolver.js';
import type { Scope } from './scopes.js';
import type { StorageAdapter } from './storage.js';
import type { Milliseconds } from './types.js';

/** Stands for the instance itself, where a position among its children is expected. */
const SELF = -1;

type Waiter<Token> = Pick<Sink<Token>, 'opened' | 'failed'>;

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
  acquire<Token>(node: Node, sink: Waiter<Token>, token: Token): void {
    if (node.dependency.scope !== this.scope && this.#outer) {
      return this.#outer.acquire(node, sink, token);
    }
    const known = this.#instances.get(node.sharedKey);
    if (known) return known.join(sink, token);
    const instance = new Instance(this, node);
    this.#instances.set(node.sharedKey, instance);
    instance.join(sink, token);
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
class Instance implements Sink<number> {
  readonly node: Node;
  isOpen = false;
  readonly #scope: SharedScope;
  #waiters: { opened(): void; failed(error: unknown): void }[] = [];
  readonly #inputs: unknown[] = [];
  #missing: number;
  #value: unknown;
  #lease: Lease | undefined;
  /** Set once nobody waits for the opening any more. */
  #failure: { readonly error: unknown } | undefined;

  constructor(scope: SharedScope, node: Node) {
    this.#scope = scope;
    this.node = node;
    this.#missing = node.children.length;
  }

  join<Token>(sink: Waiter<Token>, token: Token): void {
    const opened = (): void => sink.opened(token, this.#value, undefined);
    if (this.isOpen) opened();
    else this.#waiters.push({ opened, failed: (error) => sink.failed(token, error) });
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
      needs = inject(place, this.node.needs, this.#inputs);
    } catch (error) {
      return this.failed(SELF, error);
    }
    new Opening(this.node, this, SELF).open(needs, place.runtime.clock);
  }

  opened(index: number, value: unknown, lease: Lease | undefined): void {
    if (this.#failure) return void lease?.closeLate(this.#failure.error);
    if (index !== SELF) {
      this.#inputs[index] = value;
      if (--this.#missing === 0) this.#open();
      return;
    }
    this.isOpen = true;
    this.#value = value;
    this.#lease = lease;
    this.#scope.add(this);
    this.#emit('open');
    for (const waiter of this.#waiters.splice(0)) waiter.opened();
  }

  failed(_index: number, error: unknown): void {
    if (this.#failure) return;
    this.#failure = { error };
    this.#scope.remove(this);
    for (const waiter of this.#waiters.splice(0)) waiter.failed(error);
  }

  trouble(_node: Node, error: unknown): void {
    this.#emit('error', error);
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
    const { clock } = this.#scope.place.runtime;
    try {
      const closing = close(this.#lease, false, undefined);
      await closeInTime(this.node, closing, clock, (node, error) => this.trouble(node, error));
      this.#emit('close');
    } catch (error) {
      errors.push(error);
      this.#emit('error', error);
    }
  }

  #emit(what: 'open' | 'close' | 'error', error?: unknown): void {
    const { scope, place } = this.#scope;
    const { events, clock } = place.runtime;
    const type = `dependency:${what}` as const;
    if (!events.has(type)) return;
    const about = { type, at: clock.now(), dependency: this.node.path };
    const session = scope === 'session' ? { session: place.session } : {};
    const details = what === 'error' ? { error } : {};
    events.emit({ ...about, ...session, ...details } as EventMap[typeof type]);
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
