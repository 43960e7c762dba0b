/** The states of one app: their classes, their buckets, and how they are opened. */
import { Bucket } from './bucket.js';
import { nameOf, StateDefinition } from './definition.js';
import { QTasksError } from './errors.js';
import type { InstantNeed, Place, Runtime } from './need.js';
import type { Engine } from './port.js';
import type { StorageAdapter } from './storage.js';

/** Where a state object finds its bucket; a new one may have taken its place. */
export interface Handle {
  readonly definition: StateDefinition;
  bucket(): Bucket;
  /** Calls back as the app closes, unless what it returns has stopped that. */
  onClose(callback: () => void): () => void;
}

/** How a state object is told its handle: it is constructed while this is set. */
let opening: Handle | undefined;

/** The handle of the state that is being constructed; `undefined` for one that users construct. */
export const currentHandle = (): Handle | undefined => opening;

/** A concrete state class. */
export type StateClass = { readonly id: string; readonly name: string } & (new () => object);

/** The class as a need. */
export class StateNeed implements InstantNeed {
  readonly scope = 'session';
  readonly #stateClass: StateClass;

  constructor(stateClass: StateClass) {
    this.#stateClass = stateClass;
  }

  get name(): string {
    return this.#stateClass.id;
  }

  register(runtime: Runtime): () => void {
    return statesOf(runtime).register(this.#stateClass);
  }

  open({ runtime, session }: Place): object {
    return statesOf(runtime).open(this.#stateClass, session);
  }
}

const STATES = Symbol('qtasks-lite.states');

const statesOf = (runtime: Runtime): States => runtime.once(STATES, () => new States(runtime));

/** How many buckets that nobody uses are remembered for each state. */
const maxIdle = 1_000;

/** The states of one app. */
class States {
  readonly #engine: Engine | undefined;
  readonly #classes = new Map<string, StateClass>();
  readonly #definitions = new Map<StateClass, StateDefinition>();
  readonly #buckets = new Map<StateDefinition, Map<string, Bucket>>();
  readonly #closers = new Set<() => void>();
  #forgetAt = maxIdle;
  #isClosed = false;

  constructor(runtime: Runtime) {
    const { storage } = runtime;
    if (storage) this.#engine = createEngine(runtime, storage);
    runtime.onClose(() => this.#close());
  }

  /**
   * @returns what takes it back
   * @throws STATE_INVALID, STATE_DUPLICATE
   */
  register(stateClass: StateClass): () => void {
    if (this.#definitions.has(stateClass)) return () => {};
    const definition = new StateDefinition(stateClass);
    const namesake = this.#classes.get(definition.id);
    if (namesake) {
      const message = `state class ${nameOf(stateClass)}: its id "${definition.id}" is that of ${nameOf(namesake)} already; give one of them another id`;
      throw new QTasksError('STATE_DUPLICATE', message);
    }
    this.#classes.set(definition.id, stateClass);
    this.#definitions.set(stateClass, definition);
    this.#buckets.set(definition, new Map());
    return () => {
      this.#classes.delete(definition.id);
      this.#definitions.delete(stateClass);
      this.#buckets.delete(definition);
    };
  }

  /** @throws STORAGE_MISSING */
  open(stateClass: StateClass, session: string): object {
    const engine = this.#engine;
    const definition = this.#definitions.get(stateClass);
    if (!engine || !definition) {
      const message = `state "${stateClass.id}" needs a storage; pass one to new QTasks, like { storage: memory() }`;
      throw new QTasksError('STORAGE_MISSING', message);
    }
    const bucket = (): Bucket => this.#bucket(engine, definition, session);
    const onClose = (callback: () => void): (() => void) => {
      if (this.#isClosed) throw closed(stateClass);
      this.#closers.add(callback);
      return () => this.#closers.delete(callback);
    };
    try {
      opening = { definition, bucket, onClose };
      return new stateClass();
    } finally {
      opening = undefined;
    }
  }

  #bucket(engine: Engine, definition: StateDefinition, session: string): Bucket {
    const buckets = this.#buckets.get(definition) ?? new Map<string, Bucket>();
    const known = buckets.get(session);
    if (known) return known;
    if (buckets.size >= this.#forgetAt) this.#forget(buckets);
    const bucket = new Bucket(engine, definition, session);
    buckets.set(session, bucket);
    return bucket;
  }

  /** Forgets the oldest half of the buckets that nobody uses; the next look waits for as many new ones. */
  #forget(buckets: Map<string, Bucket>): void {
    const idle = [...buckets].filter(([, bucket]) => bucket.isIdle);
    for (const [session] of idle.slice(0, -maxIdle / 2)) buckets.delete(session);
    this.#forgetAt = buckets.size + maxIdle / 2;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    for (const end of this.#closers) end();
    const buckets = [...this.#buckets.values()].flatMap((some) => [...some.values()]);
    for (const bucket of buckets) bucket.listeners.clear();
    await Promise.all(buckets.map((bucket) => bucket.flush()));
  }
}

function closed({ id }: StateClass): QTasksError {
  return new QTasksError('APP_CLOSED', `state "${id}" cannot be watched: its app is closed`);
}

function createEngine(runtime: Runtime, storage: StorageAdapter): Engine {
  const random = (): string => Math.random().toString(36).slice(2);
  let sequence = 0;
  return { runtime, storage, writer: random() + random(), nextSequence: () => ++sequence };
}
