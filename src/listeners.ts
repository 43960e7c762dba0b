/** Who is told of the writes to a bucket: its own at once, those of others once they are read. */
import { type Content, toFields } from './content.js';
import type { Engine, Port } from './port.js';
import { callGuarded } from './promises.js';
import type { Change } from './storage.js';

/** What changed, by whom. */
export interface BucketChange {
  readonly changed: readonly string[];
  readonly deleted: readonly string[];
  readonly origin: 'local' | 'remote';
}

/** The listeners of one bucket. */
export class Listeners {
  readonly #engine: Engine;
  readonly #port: Port;
  readonly #readAll: () => Promise<Content>;
  readonly #listeners = new Set<(change: BucketChange) => unknown>();
  /** The fields there are, as the listeners know them. */
  readonly #names = new Set<string>();
  #unwatch: (() => void) | undefined = undefined;
  #remote: Promise<void> = Promise.resolve();

  constructor(engine: Engine, port: Port, readAll: () => Promise<Content>) {
    this.#engine = engine;
    this.#port = port;
    this.#readAll = readAll;
  }

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  /** Whether anybody wants to know what changes. */
  get isHeard(): boolean {
    return !this.isEmpty || this.#engine.runtime.events.has('state:change');
  }

  /** @throws STORAGE_MISSING where the adapter cannot watch */
  add(listener: (change: BucketChange) => unknown): () => void {
    this.#unwatch ??= this.#port.watch((change) => this.#noticed(change));
    const one = (change: BucketChange): unknown => listener(change);
    this.#listeners.add(one);
    this.#remote = this.#remote.then(() => this.#learnNames());
    return () => {
      this.#listeners.delete(one);
      if (this.isEmpty) this.clear();
    };
  }

  /** Drops all of them. */
  clear(): void {
    this.#listeners.clear();
    this.#names.clear();
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  /** Somebody else's clear is told with the names of what was there. */
  async #learnNames(): Promise<void> {
    try {
      for (const name of (await this.#readAll()).names()) this.#names.add(name);
    } catch {
      // Whoever reads next is told.
    }
  }

  #noticed(change: Change): void {
    if (change.writer === this.#engine.writer) return;
    this.#remote = this.#remote.then(() => this.#tellRemote(change));
  }

  async #tellRemote({ fields }: Change): Promise<void> {
    try {
      const before = [...this.#names];
      const content = await this.#readAll();
      const names = fields === 'all' ? new Set([...content.names(), ...before]) : toFields(fields);
      const changed = [...names].filter((name) => content.has(name));
      const deleted = [...names].filter((name) => !content.has(name));
      this.tell({ changed, deleted, origin: 'remote' });
    } catch (error) {
      this.#engine.runtime.report(error);
    }
  }

  /** Tells the listeners and the app's event. */
  tell(change: BucketChange): void {
    for (const name of change.changed) this.#names.add(name);
    for (const name of change.deleted) this.#names.delete(name);
    if (change.changed.length + change.deleted.length === 0) return;
    const { runtime } = this.#engine;
    if (runtime.events.has('state:change')) {
      const { state, session } = this.#port.id;
      runtime.events.emit({
        type: 'state:change',
        at: runtime.clock.now(),
        state,
        session,
        ...change,
      });
    }
    for (const listener of [...this.#listeners]) {
      // One may have stopped another meanwhile.
      if (!this.#listeners.has(listener)) continue;
      callGuarded(listener, change, (error) => runtime.report(error));
    }
  }
}
