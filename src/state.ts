/** `AsyncState`: named fields that the steps of one session share. */
import { Bucket } from './bucket.js';
import { decode } from './codec.js';
import { toStored } from './content.js';
import { nameOf, StateDefinition } from './definition.js';
import { QTasksError } from './errors.js';
import { type InstantNeed, NEED, type Place, type Runtime } from './need.js';
import { check, checkOptions, describe, hasMethods, isRecord, kinds } from './options.js';
import type { Engine } from './port.js';
import { attempt, isStrayPromise } from './promises.js';
import type { StorageAdapter } from './storage.js';
import type { StandardSchema } from './types.js';

/** The name of a field. */
type Field<Shape> = Extract<keyof Shape, string>;

/** What `static fields` of a state may hold: `static readonly fields = { … } satisfies StateFields<Shape>`. */
export type StateFields<Shape extends object> = {
  readonly [Name in keyof Shape]?: StandardSchema<unknown, Shape[Name]>;
};

/** What `static initial` of a state may hold: `static readonly initial = { … } satisfies StateInitial<Shape>`. */
export type StateInitial<Shape extends object> = { readonly [Name in keyof Shape]?: Shape[Name] };

/** What was written. */
export interface StateChange<Shape extends object> {
  /** Fields that were set. */
  readonly changed: readonly Field<Shape>[];
  /** Fields that were deleted; after a clear all that there were. */
  readonly deleted: readonly Field<Shape>[];
  /** Whether this app wrote it, or another tab, worker, process or device. */
  readonly origin: 'local' | 'remote';
}

/** Where a state object finds its bucket; a new one may have taken its place. */
interface Handle {
  readonly definition: StateDefinition;
  bucket(): Bucket;
  /** Calls back as the app closes, unless what it returns has stopped that. */
  onClose(callback: () => void): () => void;
}

/** How a state object is told its handle: it is constructed while this is set. */
let opening: Handle | undefined;

/**
 * The base of all states: `class Registration extends AsyncState<{ step: number }>`.
 *
 * The class needs `static readonly id`, a non-empty string that names the state in storage. It may
 * have `ttl` (Milliseconds since the last write of the session's state), `fields` (Standard Schemas
 * that check what is written and may change it), `initial` (returned for what is not stored, never
 * written by a read), `version` with `migrate(old, from)` (run once, on the first use of older data).
 *
 * Every call is atomic, and no update is lost, on every storage, across pages, workers and processes
 * that share it. Values are taken as they are at the call, and what comes back is a copy.
 *
 * @example
 * class Registration extends AsyncState<{ step: number; phone: string }> {
 *   static readonly id = 'registration';
 * }
 */
export abstract class AsyncState<Shape extends object> {
  readonly #handle: Handle;

  /** @throws STATE_INVALID: a state is injected by `needs` or taken from `app.state` */
  constructor() {
    if (!opening) {
      const message = `state class ${nameOf(new.target)}: it is not constructed by hand; name it in needs, or pass it to app.state`;
      throw new QTasksError('STATE_INVALID', message);
    }
    this.#handle = opening;
  }

  static [NEED](this: unknown): InstantNeed {
    // biome-ignore lint/complexity/noThisInStatic: the subclass is meant, not this class
    return new StateNeed(this as StateClass);
  }

  /**
   * Reads one field, or all without a name.
   * @param fallback returned where nothing is stored and `initial` has nothing
   * @throws STORAGE_UNAVAILABLE and the other STORAGE codes; STATE_INVALID where the stored data is
   * newer than the class
   */
  get<Name extends Field<Shape>>(field: Name): Promise<Shape[Name] | undefined>;
  get<Name extends Field<Shape>, Fallback extends Shape[Name] | null | undefined>(
    field: Name,
    fallback: Fallback,
  ): Promise<Shape[Name] | Fallback>;
  get(field?: null): Promise<Partial<Shape>>;
  async get(field?: string | null, fallback?: unknown): Promise<unknown> {
    if (field === undefined || field === null) return this.getAll();
    check('get: the field', field, kinds.string);
    const { definition, bucket } = this.#handle;
    const raw = (await bucket().read(field)).fields.get(toStored(field));
    if (raw !== undefined) return decode(raw, field);
    return definition.initial?.has(field) ? definition.initial.get(field) : fallback;
  }

  /** Reads all fields. @throws as {@link get} */
  async getAll(): Promise<Partial<Shape>> {
    const { definition, bucket } = this.#handle;
    return (await bucket().readAll()).view(definition.initial) as Partial<Shape>;
  }

  /**
   * Writes one field; resolves once everybody can read it.
   * @throws VALUE_UNSUPPORTED with `data.path`, STATE_INVALID, the STORAGE codes; then nothing is written
   */
  set<Name extends Field<Shape>>(field: Name, value: Shape[Name]): Promise<void> {
    return attempt(() => {
      check('set: the field', field, kinds.string);
      const { definition, bucket } = this.#handle;
      return bucket().set(field, definition.take(field, value));
    });
  }

  /**
   * Merges fields, or what a function makes of all fields as they are; resolves to all fields after it.
   *
   * The function is called at once with nobody writing in between, but again if somebody did: it must
   * be synchronous and do nothing else. It gets a copy.
   * @throws VALUE_UNSUPPORTED with `data.path`, STATE_INVALID, what the function throws,
   * STORAGE_CONFLICT after 100 conflicts, the STORAGE codes; then nothing of it is written
   */
  async update(
    change: Partial<Shape> | ((now: Partial<Shape>) => Partial<Shape>),
  ): Promise<Partial<Shape>> {
    const { definition, bucket } = this.#handle;
    const all =
      typeof change === 'function'
        ? bucket().update((now) => takeAll(definition, change(now as Partial<Shape>)))
        : bucket().update(constant(takeAll(definition, change)));
    return (await all) as Partial<Shape>;
  }

  /** Deletes a field; one that is not there is no error. @throws the STORAGE codes */
  async delete(field: Field<Shape>): Promise<void> {
    check('delete: the field', field, kinds.string);
    await this.#handle.bucket().delete(field);
  }

  /** Deletes all fields. @throws the STORAGE codes */
  async clear(): Promise<void> {
    await this.#handle.bucket().clear();
  }

  /**
   * Calls back after each write of this session's state, by this app or anybody else.
   * @returns what stops it
   * @throws STORAGE_MISSING where the storage cannot watch; OPTION_INVALID
   */
  subscribe(listener: (change: StateChange<Shape>) => unknown): () => void {
    check('subscribe: the listener', listener, kinds.function);
    this.#handle.onClose(() => {})();
    return this.#handle.bucket().listeners.add((change) => listener(change as StateChange<Shape>));
  }

  /**
   * All fields after each change from this call on; a slow reader skips to the newest. Ends as the
   * signal aborts and as the app closes.
   * @throws as {@link subscribe} and {@link get}
   */
  changes(
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Partial<Shape>, void, undefined> {
    checkOptions('changes', options, {
      signal: ['an AbortSignal', hasMethods('addEventListener', 'removeEventListener')],
    });
    const { signal } = options;
    const wake = new Wake((due) => this.subscribe(due));
    const end = (): void => {
      wake.end();
      forget();
      signal?.removeEventListener('abort', end);
    };
    const forget = this.#handle.onClose(end);
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
    const generator = this.#follow(wake, end);
    // A generator that was never started has no `finally` to run.
    const finish = generator.return.bind(generator);
    generator.return = (value) => {
      end();
      return finish(value);
    };
    return generator;
  }

  async *#follow(wake: Wake, end: () => void): AsyncGenerator<Partial<Shape>, void, undefined> {
    try {
      while (await wake.next()) {
        const all = await this.getAll();
        if (wake.isOver) return;
        yield all;
      }
    } finally {
      end();
    }
  }
}

/** Something to wait for that may happen before, once or often, until it is over. */
class Wake {
  readonly #stop: () => void;
  #isDue = false;
  isOver = false;
  #resolve = (): void => {};

  /** @param subscribe what makes it due from now on; returns what stops that */
  constructor(subscribe: (wake: () => void) => () => void) {
    this.#stop = subscribe(() => {
      this.#isDue = true;
      this.#resolve();
    });
  }

  end(): void {
    this.isOver = true;
    this.#stop();
    this.#resolve();
  }

  /** Resolves to `true` each time it is due, to `false` once it is over. */
  async next(): Promise<boolean> {
    if (!this.#isDue && !this.isOver) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
    }
    this.#isDue = false;
    return !this.isOver;
  }
}

/** A concrete state class. */
type StateClass = { readonly id: string; readonly name: string } & (new () => AsyncState<object>);

/** @throws STATE_INVALID, VALUE_UNSUPPORTED */
function takeAll(definition: StateDefinition, values: unknown): [string, unknown][] {
  const isPromise = isStrayPromise(values);
  if (isPromise || !isRecord(values)) {
    const what = isPromise ? 'a promise; update by a synchronous function' : describe(values);
    const message = `state "${definition.id}": update expects a record of fields, or a function that returns one; received ${what}`;
    throw new QTasksError('STATE_INVALID', message);
  }
  return Object.entries(values as object).map(([field, value]) => [
    field,
    definition.take(field, value),
  ]);
}

const constant =
  <T>(value: T): (() => T) =>
  () =>
    value;

/** The class as a need. */
class StateNeed implements InstantNeed {
  readonly scope = 'session';
  readonly #stateClass: StateClass;

  constructor(stateClass: StateClass) {
    this.#stateClass = stateClass;
  }

  register(runtime: Runtime): () => void {
    return statesOf(runtime).register(this.#stateClass);
  }

  open({ runtime, session }: Place): AsyncState<object> {
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
  open(stateClass: StateClass, session: string): AsyncState<object> {
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
