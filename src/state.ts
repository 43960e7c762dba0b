/** `AsyncState`: named fields that the steps of one session share. */
import { decode } from './codec.js';
import { toStored } from './content.js';
import { nameOf, type StateDefinition } from './definition.js';
import { QTasksError } from './errors.js';
import { type InstantNeed, NEED } from './need.js';
import { check, checkOptions, describe, hasMethods, isRecord, kinds } from './options.js';
import { attempt, isStrayPromise } from './promises.js';
import { currentHandle, type Handle, type StateClass, StateNeed } from './states.js';
import type { StandardSchema } from './types.js';
import { Wake } from './wake.js';

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

/**
 * The base of all states: `class Registration extends AsyncState<{ step: number }>`.
 *
 * The class needs `static readonly id`, a non-empty string that names the state in storage. It may
 * have `ttl` (Milliseconds since the last write of the session's state), `fields` (Standard Schemas
 * that check what is written and may change it), `initial` (returned for what is not stored, never
 * written by a read), `version` with `migrate(old, from)` (run once, on the first use of older data).
 * Only a class that names its version, be it 1, looks before it writes and so leaves newer data alone.
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
    const handle = currentHandle();
    if (!handle) {
      const message = `state class ${nameOf(new.target)}: it is not constructed by hand; name it in needs, or pass it to app.state`;
      throw new QTasksError('STATE_INVALID', message);
    }
    this.#handle = handle;
  }

  static [NEED](this: unknown): InstantNeed {
    // biome-ignore lint/complexity/noThisInStatic: the subclass is meant, not this class
    return new StateNeed(this as StateClass);
  }

  /**
   * Reads one field. Where nothing is stored it is what `initial` has, else `undefined`.
   * @throws STORAGE_UNAVAILABLE and the other STORAGE codes; STATE_INVALID where the stored data is
   * newer than the class; OPTION_INVALID
   */
  get<Name extends Field<Shape>>(field: Name): Promise<Shape[Name] | undefined>;
  /**
   * Reads one field, or gives something else in its place.
   * @param fallback returned where nothing is stored and `initial` has nothing
   * @throws like `get(field)`
   */
  get<Name extends Field<Shape>, Fallback extends Shape[Name] | null | undefined>(
    field: Name,
    fallback: Fallback,
  ): Promise<Shape[Name] | Fallback>;
  /**
   * Reads all fields, like `getAll`.
   * @throws like `get(field)`
   */
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
   * @throws VALUE_UNSUPPORTED with `data.path`, STATE_INVALID, OPTION_INVALID, the STORAGE codes; then
   * nothing is written
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

  /** Deletes a field; one that is not there is no error. @throws OPTION_INVALID, the STORAGE codes */
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
