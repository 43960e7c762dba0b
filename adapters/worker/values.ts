/** Copies values as a message to another thread would, and tells what no message carries, and where. */
import { QTasksError } from '../../src/errors.js';

/** Where in a value something stands, from the whole value on. */
export type Path = readonly (string | number)[];

/** What a value is to a run, for messages. */
export interface Passage {
  /** The name of the task; of an error it may be unknown. */
  readonly task?: string;
  readonly from: 'args' | 'result' | 'yield' | 'error';
  /** What of the value is moved instead of copied. */
  readonly transfer?: readonly object[] | undefined;
}

/** A value that was copied, and what of the copy is to be moved on. */
export interface Moved {
  readonly value: unknown;
  readonly transfer: readonly object[];
}

/**
 * Copies a value as `postMessage` would, and plain data also where it stands behind proxies.
 * @throws VALUE_UNSUPPORTED with `data.path`, beginning with `from`; nothing is moved then
 */
export function cloneValue(value: unknown, passage: Passage): unknown {
  return moveValue(value, passage).value;
}

/** Like {@link cloneValue}, of what will be sent on. @throws VALUE_UNSUPPORTED */
export function moveValue(value: unknown, passage: Passage): Moved {
  const { transfer = [] } = passage;
  if (transfer.length === 0) {
    const copy = copyPlain(value, small);
    if (copy !== notPlain) return { value: copy, transfer };
  }
  try {
    const list = [...transfer] as Transferable[];
    const [copy, moved] = structuredClone([value, list], { transfer: list });
    return { value: copy, transfer: moved as object[] };
  } catch {
    const copy = transfer.length > 0 ? notPlain : copyPlain(value, Number.POSITIVE_INFINITY);
    if (copy === notPlain) throw unsupported(value, passage);
    return { value: copy, transfer };
  }
}

/** What {@link copyPlain} gives where the runtime has to make the copy. */
export const notPlain = Symbol('not plain');

/** Up to how many objects a copy made here is faster than the runtime's. */
export const small = 32;

/**
 * Copies plain data: primitives, arrays and plain objects, each once. Gives {@link notPlain} for anything
 * else, for more objects than `most`, and where reading throws.
 */
export function copyPlain(value: unknown, most: number): unknown {
  if (isPrimitive(value)) return value;
  try {
    return (Array.isArray(value) && copyFlat(value, most)) || copyDeep(value, most);
  } catch {
    return notPlain;
  }
}

/** The same for a list of primitives, as most arguments are; `undefined` for any other. */
function copyFlat(list: readonly unknown[], most: number): unknown[] | undefined {
  const { length } = list;
  if (length > most || !isDense(list)) return undefined;
  const result: unknown[] = [];
  for (let at = 0; at < length; at++) {
    const item = list[at];
    if (!isPrimitive(item)) return undefined;
    result.push(item);
  }
  return result;
}

/** @throws for what is not plain */
function copyDeep(value: unknown, most: number): unknown {
  const seen = new Set<object>();
  const copy = (source: unknown): unknown => {
    if (isPrimitive(source)) return source;
    if (seen.has(source as object) || seen.size >= most) throw notPlain;
    seen.add(source as object);
    if (Array.isArray(source)) return copyList(source, copy);
    return copyRecord(source as object, copy);
  };
  return copy(value);
}

/** @throws for one with holes or with names */
function copyList(list: readonly unknown[], copy: (item: unknown) => unknown): unknown[] {
  if (!isDense(list)) throw notPlain;
  return list.map(copy);
}

/** Whether a list has neither holes nor names. */
function isDense(list: readonly unknown[]): boolean {
  const { length } = list;
  const keys = Object.keys(list);
  // Names come behind the elements.
  return keys.length === length && (length === 0 || keys[length - 1] === String(length - 1));
}

/** @throws for an instance of a class */
function copyRecord(record: object, copy: (item: unknown) => unknown): object {
  const prototype: unknown = Object.getPrototypeOf(record);
  if (prototype !== null && prototype !== Object.prototype) throw notPlain;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(record)) {
    // An assignment would not reach it.
    if (key === '__proto__') throw notPlain;
    result[key] = copy(Reflect.get(record, key));
  }
  return result;
}

/**
 * The error for a value that was refused: by {@link cloneValue}, or by `postMessage`. It names the first
 * part that cannot be copied. In `data.path`, a member of a Set has its position and one of a Map those
 * in `[...map]`: the entry's, then 0 for the key or 1 for the value.
 */
export function unsupported(value: unknown, passage: Passage): QTasksError<'VALUE_UNSUPPORTED'> {
  const { task, from, transfer = [] } = passage;
  const { path, what, ...options } = find(value, [from], new Set(transfer)) ?? {
    path: transfer.length > 0 ? ['transfer'] : [from],
    what: transfer.length > 0 ? 'no list of different objects that can be moved' : exotic,
  };
  const place = `${task === undefined ? '' : `task "${task}": `}${formatPath(path)}`;
  const message = `${place} is ${what}; no message carries it to a worker or back, pass plain data instead`;
  return new QTasksError('VALUE_UNSUPPORTED', message, { ...options, data: { path } });
}

/** `args[0].cb`, as one would write it; not longer than a message should be. */
export function formatPath([root = '', ...steps]: Path): string {
  const written = steps.map((step) => {
    if (typeof step === 'number') return `[${step}]`;
    return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step)
      ? `.${step}`
      : `[${JSON.stringify(step)}]`;
  });
  return (root + written.join('')).slice(0, 200);
}

/** What stands for a key in a path: of an array, the position. */
export function stepTo(key: string, holder: object): string | number {
  return Array.isArray(holder) && /^\d+$/.test(key) ? Number(key) : key;
}

/** Whether values of this kind are immutable and travel as they are. */
export function isPrimitive(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return true;
    default:
      return value === undefined || value === null;
  }
}

/** A part of a value that cannot be copied. */
interface Culprit {
  readonly path: Path;
  readonly what: string;
  /** What reading it has thrown. */
  readonly cause?: unknown;
}

/** How far the search goes; what is nested several thousand deep cannot be copied at all. */
const deepest = 200;

const exotic = 'an object that cannot be copied, perhaps a proxy';

/**
 * Finds the first part to blame; `undefined` if there is none, or it is in a cycle of which each part
 * could be it.
 * @param seen parts that cannot be copied by themselves and are looked at already, or are moved: what
 * holds them is not to blame
 */
function find(value: unknown, path: Path, seen: Set<unknown>): Culprit | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') {
    return { path, what: `a ${typeof value}` };
  }
  if (seen.has(value) || isCloneable(value)) return undefined;
  if (path.length > deepest) return { path: path.slice(0, 1), what: 'nested too deeply' };
  seen.add(value);
  let parts: ReturnType<typeof partsOf>;
  try {
    parts = partsOf(value as object);
  } catch (cause) {
    return { path, what: 'an object that throws when it is read', cause };
  }
  let isExplained = false;
  for (const [steps, part] of parts) {
    const found = find(part, [...path, ...steps], seen);
    if (found) return found;
    isExplained ||= seen.has(part);
  }
  return isExplained ? undefined : { path, what: describe(value as object) };
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/** The parts that are copied with an object, each with the steps that lead to it. */
function partsOf(value: object): [steps: Path, part: unknown][] {
  if (value instanceof Map) {
    return [...value].flatMap(([key, item], index): [Path, unknown][] => [
      [[index, 0], key],
      [[index, 1], item],
    ]);
  }
  if (value instanceof Set) return [...value].map((member, index) => [[index], member]);
  // Of an error's own fields only this one travels.
  if (value instanceof Error)
    return Object.hasOwn(value, 'cause') ? [[['cause'], value.cause]] : [];
  return Object.entries(value).map(([key, item]) => [[stepTo(key, value)], item]);
}

/** What an object is, not what it holds. */
function describe(value: object): string {
  try {
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    const { name }: { name?: unknown } = value.constructor ?? {};
    const known = [name, tag].find(
      (word) => typeof word === 'string' && !/^(Object|Array|)$/.test(word),
    );
    return known === undefined ? exotic : `an instance of ${known}`;
  } catch {
    return exotic;
  }
}
