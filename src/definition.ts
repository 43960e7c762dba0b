/** What a state class declares by its static members, checked once. */
import { Content, take } from './content.js';
import { QTasksError } from './errors.js';
import { describe, isRecord } from './options.js';
import { isStrayPromise } from './promises.js';
import { accepted, isSchema } from './schema.js';
import type { Milliseconds, StandardResult, StandardSchema } from './types.js';

/** The static members that a state class may have, before they are checked. */
interface Declared {
  readonly name: string;
  readonly id?: unknown;
  readonly ttl?: unknown;
  readonly fields?: unknown;
  readonly initial?: unknown;
  readonly version?: unknown;
  readonly migrate?: unknown;
}

/** A checked state class. */
export class StateDefinition {
  readonly id: string;
  readonly ttl: Milliseconds | null;
  readonly version: number;
  /** Whether it names a version: then it looks at what is stored before it writes. */
  readonly isVersioned: boolean;
  /** What stands for fields that are not stored; `undefined` where there is nothing. */
  readonly initial: Content | undefined;
  readonly #fields: ReadonlyMap<string, StandardSchema>;
  readonly #stateClass: Declared;

  /** @throws STATE_INVALID, VALUE_UNSUPPORTED */
  constructor(stateClass: Declared) {
    const { id, ttl, version = 1, migrate, initial = {}, fields = {} } = stateClass;
    const wrong = (member: string, expected: string, value: unknown): QTasksError => {
      const message = `state class ${nameOf(stateClass)}: static ${member} must be ${expected}; received ${describe(value)}`;
      return new QTasksError('STATE_INVALID', message);
    };
    if (typeof id !== 'string' || id === '') {
      throw wrong('id', 'a non-empty string, like static readonly id = "registration"', id);
    }
    if (ttl !== undefined && !(Number.isFinite(ttl) && Number(ttl) > 0)) {
      throw wrong('ttl', 'milliseconds, more than 0', ttl);
    }
    if (!Number.isInteger(version) || Number(version) < 1) {
      throw wrong('version', 'a whole number, 1 or more', version);
    }
    if (Number(version) > 1 && typeof migrate !== 'function') {
      throw wrong('migrate', `a function, as version is ${version}`, migrate);
    }
    if (!isRecord(initial)) throw wrong('initial', 'a record of values', initial);
    if (!isRecord(fields)) throw wrong('fields', 'a record of Standard Schemas', fields);
    for (const [field, schema] of Object.entries(fields as object)) {
      if (!isSchema(schema)) throw wrong(`fields.${field}`, 'a Standard Schema', schema);
    }
    this.id = id;
    this.ttl = ttl === undefined ? null : Number(ttl);
    this.version = Number(version);
    this.isVersioned = stateClass.version !== undefined;
    this.#stateClass = stateClass;
    this.#fields = new Map(Object.entries(fields as Record<string, StandardSchema>));
    const names = Object.entries(initial as object);
    if (names.length > 0) {
      this.initial = new Content();
      for (const [field, value] of names) this.initial.set(field, take(value, field));
    }
  }

  /**
   * Takes a value for a field as it is now, checked by the field's schema.
   * @throws STATE_INVALID, VALUE_UNSUPPORTED
   */
  take(field: string, value: unknown): unknown {
    return take(this.#validate(field, value), field);
  }

  #validate(field: string, value: unknown): unknown {
    const schema = this.#fields.get(field);
    if (!schema) return value;
    const result = schema['~standard'].validate(value) as StandardResult<unknown>;
    const where = `state "${this.id}": field "${field}"`;
    if (isStrayPromise(result)) {
      const message = `${where} has a schema that validates asynchronously; use a synchronous one`;
      throw new QTasksError('STATE_INVALID', message);
    }
    return accepted(result, 'STATE_INVALID', where, { field });
  }

  /** @throws what the class's `migrate` throws; STATE_INVALID, VALUE_UNSUPPORTED */
  migrate(old: Content, from: number): Content {
    const { migrate } = this.#stateClass;
    const migrated: unknown =
      typeof migrate === 'function'
        ? Reflect.apply(migrate, this.#stateClass, [old.view(undefined), from])
        : undefined;
    if (isStrayPromise(migrated) || !isRecord(migrated)) {
      const message = `state "${this.id}": migrate must return all fields of version ${this.version}; received ${describe(migrated)}`;
      throw new QTasksError('STATE_INVALID', message);
    }
    const content = new Content();
    for (const [field, value] of Object.entries(migrated as object)) {
      content.set(field, this.take(field, value));
    }
    return content;
  }
}

/** Names a state class for a message. */
export const nameOf = ({ name }: { readonly name: string }): string => name || '(anonymous)';
