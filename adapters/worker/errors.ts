/** Takes errors apart into data that messages carry, and makes errors of their classes from it again. */
import { isQTasksError, QTasksError } from '../../src/errors.js';
import { isRecord } from '../../src/options.js';
import { cloneValue, formatPath, isPrimitive, type Path, stepTo } from './values.js';

/** Classes of errors by names that both sides use for them: their own do not survive minifiers. */
export type ErrorClasses = Readonly<Record<string, abstract new (...args: never[]) => Error>>;

/** Something thrown, as data of which `structuredClone` and `postMessage` make an equal copy. */
export interface Packed {
  /** What was thrown, where it is no error; else one of `errors`. */
  readonly value: unknown;
  /** The error and all that it leads to, each once; in `value` and in fields they stand for themselves. */
  readonly errors: readonly PackedError[];
}

interface PackedError {
  /** The names of its registered classes, the nearest first. */
  readonly registered: readonly string[];
  /** The nearest class above it that everybody knows. */
  readonly base: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly fields: readonly PackedField[];
}

type PackedField = readonly [name: string, value: unknown, isEnumerable: boolean];

/** How checks of options tell {@link ErrorClasses}. */
export const errorClassesKind = [
  'a record of classes that extend Error, like { MyError }',
  (value: unknown) =>
    isRecord(value) &&
    Object.values(value).every(
      (type) => typeof type === 'function' && type.prototype instanceof Error,
    ),
] as const;

/** Fields that are carried though they are not enumerable, as the language makes some of them. */
const hiddenFields = ['cause', 'errors', 'error', 'suppressed', 'code'];

/** The field that names, as paths, what of an error was left behind: no message carries it. */
const omitted = 'omittedFields';

/** How far packing goes, in causes and in data, so that what comes of it can be copied again. */
const deepest = 100;

/** The classes that everybody knows. */
const common = [
  'QTasksError',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
  'SuppressedError',
  'DOMException',
  'Error',
];

/**
 * Takes apart what was thrown; never throws, whatever its getters do.
 *
 * Of an error this keeps the class, `name`, `message`, `stack`, `cause`, `errors`, `code` and its own
 * enumerable fields, errors in arrays and plain objects among them included. What of these cannot be
 * copied, or is deeper than 100 steps, is named in a field `omittedFields`, like `["data.socket"]`.
 * Anything else than an error is copied whole, or becomes an error `VALUE_UNSUPPORTED`.
 */
export function packError(thrown: unknown, classes: ErrorClasses): Packed {
  const packer = new Packer(classes);
  if (isError(thrown)) return { value: packer.pack(thrown, 0), errors: packer.errors };
  try {
    return { value: cloneValue(thrown, { from: 'error' }), errors: [] };
  } catch (error) {
    return packError(error, classes);
  }
}

/**
 * Makes what was thrown of what {@link packError} made of it, which is used up by this.
 *
 * An error is of the nearest of its classes that is known here, with its own name and stack. The
 * constructor of a registered class is not called: what it keeps in private fields is not there.
 */
export function unpackError({ value, errors }: Packed, classes: ErrorClasses): unknown {
  const revived = new Map<unknown, Error>();
  for (const packed of errors) revived.set(packed, revive(packed, classes));
  const containers = new Set<object>();
  const replace = (slot: unknown): unknown => {
    const error = revived.get(slot);
    if (!error && isContainer(slot)) containers.add(slot);
    return error ?? slot;
  };
  for (const [packed, error] of revived) {
    for (const [key, slot, isEnumerable] of (packed as PackedError).fields) {
      const field = replace(slot);
      // Its class may have the code as the other side's did.
      const isThere = attempt(() => key in error && Reflect.get(error, key) === field, false);
      if (isEnumerable || !isThere) define(error, key, field, isEnumerable);
    }
  }
  // A Set also visits what is added to it on the way.
  for (const container of containers) {
    for (const [key, slot] of Object.entries(container)) {
      const item = replace(slot);
      if (item !== slot) define(container, key, item, true);
    }
  }
  return revived.get(value) ?? value;
}

/** Where something is that is being packed. */
interface Place {
  /** From its error on. */
  readonly path: Path;
  /** How many steps have led to that error. */
  readonly depth: number;
  /** Takes the paths of what has to be left behind. */
  readonly missing: string[];
}

/** Packs an error and all that it leads to. */
class Packer {
  readonly errors: PackedError[] = [];
  readonly #classes: readonly [string, { readonly prototype: unknown }][];
  /** Of what was packed already, so that one object stays one, in cycles too. */
  readonly #copies = new Map<object, unknown>();

  constructor(classes: ErrorClasses) {
    this.#classes = Object.entries(classes);
  }

  pack(error: Error, depth: number): PackedError {
    const fields: PackedField[] = [];
    const name = text(() => error.name, 'Error');
    const message = text(() => error.message, '');
    const stack = text(() => error.stack, `${name}: ${message}`);
    const { registered, base } = this.#typesOf(error, name);
    const packed = { registered, base, name, message, stack, fields };
    this.#copies.set(error, packed);
    this.errors.push(packed);
    const missing: string[] = [];
    for (const [key, isEnumerable] of fieldsOf(error)) {
      const place = { path: [key], depth, missing };
      this.#take(error, key, place, (value) => fields.push([key, value, isEnumerable]));
    }
    if (missing.length > 0) noteMissing(fields, missing);
    return packed;
  }

  #typesOf(error: Error, name: string): Pick<PackedError, 'registered' | 'base'> {
    const registered: string[] = [];
    // Of this class there may be copies. In another realm all classes are others, by the same names.
    const isOurs = attempt(() => isQTasksError(error), false);
    let base = isOurs ? 'QTasksError' : undefined;
    for (const prototype of attempt(() => prototypesOf(error), [])) {
      for (const [key, type] of this.#classes) {
        if (type.prototype === prototype) registered.push(key);
      }
      base ??= common.find((key) => commonClass(key)?.prototype === prototype);
    }
    return { registered, base: base ?? name };
  }

  /** Copies what is under a key, or notes that it has to be left behind. */
  #take(holder: object, key: string, place: Place, keep: (copy: unknown) => void): void {
    try {
      keep(this.#copy(Reflect.get(holder, key), place));
    } catch {
      place.missing.push(formatPath(place.path));
    }
  }

  /** @throws where it cannot be copied */
  #copy(value: unknown, place: Place): unknown {
    if (isPrimitive(value)) return value;
    const known = this.#copies.get(value as object);
    if (known) return known;
    const depth = place.depth + place.path.length;
    if (depth > deepest) throw new RangeError('too deep');
    if (isError(value)) return this.pack(value, depth);
    if (isContainer(value)) return this.#container(value, place);
    const copy = structuredClone(value);
    this.#copies.set(value as object, copy);
    return copy;
  }

  #container(value: object, place: Place): object {
    const keys = Object.keys(value);
    const copy = Array.isArray(value) ? new Array<unknown>(value.length) : {};
    this.#copies.set(value, copy);
    for (const key of keys) {
      const path = [...place.path, stepTo(key, value)];
      this.#take(value, key, { ...place, path }, (item) => define(copy, key, item, true));
    }
    return copy;
  }
}

function prototypesOf(value: object): object[] {
  const found: object[] = [];
  for (let next = Object.getPrototypeOf(value); next; next = Object.getPrototypeOf(next)) {
    found.push(next);
  }
  return found;
}

/** The names of the fields that are carried, and whether they are enumerable. */
function fieldsOf(error: Error): [name: string, isEnumerable: boolean][] {
  const own = attempt(() => Object.keys(error), []);
  const hidden = hiddenFields.filter(
    // A class may have its code on the prototype.
    (key) =>
      !own.includes(key) &&
      attempt(() => (key === 'code' && key in error) || Object.hasOwn(error, key), false),
  );
  const shown = own.filter((key) => key !== 'message' && key !== 'stack');
  return [
    ...shown.map((key): [string, boolean] => [key, true]),
    ...hidden.map((key): [string, boolean] => [key, false]),
  ];
}

/** Adds to what an earlier passage has noted; a field of the user's in its place gives way. */
function noteMissing(fields: PackedField[], missing: readonly string[]): void {
  const index = fields.findIndex(([name]) => name === omitted);
  const before = index < 0 ? [] : fields.splice(index, 1)[0]?.[1];
  const noted: unknown[] = Array.isArray(before) ? before : [omitted];
  fields.push([omitted, [...noted, ...missing], true]);
}

/** Makes the error, without its fields. */
function revive(
  { registered, base, name, message, stack }: PackedError,
  classes: ErrorClasses,
): Error {
  const key = registered.find((known) => Object.hasOwn(classes, known));
  const type = (key === undefined ? undefined : classes[key]) ?? commonClass(base) ?? Error;
  const isDOMException = base === 'DOMException' && commonClass(base) !== undefined;
  const error = isDOMException ? new DOMException(message, name) : new Error(message);
  Object.setPrototypeOf(error, type.prototype);
  define(error, 'stack', stack, false);
  if (text(() => error.name, '') !== name) define(error, 'name', name, false);
  return error;
}

/** One of those that everybody knows; `undefined` in a runtime that has none. */
function commonClass(name: string): { readonly prototype: Error } | undefined {
  if (name === 'QTasksError') return QTasksError;
  return common.includes(name) ? Reflect.get(globalThis, name) : undefined;
}

/** Tells errors, of whatever realm, and also those that have no class but its prototype. */
function isError(value: unknown): value is Error {
  return attempt(
    () =>
      value instanceof Error ||
      /^\[object (Error|DOMException)\]$/.test(Object.prototype.toString.call(value)),
    false,
  );
}

/** What is walked through: of everything else there is a copy as a whole, or none. */
function isContainer(value: unknown): value is object {
  return Array.isArray(value) || isRecord(value);
}

/** Not an assignment: that would not reach `__proto__`, or what the class has only a getter for. */
function define(holder: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(holder, key, { value, enumerable, writable: true, configurable: true });
}

function attempt<T>(read: () => T, fallback: T): T {
  try {
    return read();
  } catch {
    return fallback;
  }
}

function text(read: () => unknown, fallback: string): string {
  return attempt(() => String(read() ?? fallback), fallback);
}
