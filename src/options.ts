/** Checks of what users pass in: each wrong argument is told with what was expected and received. */
import { QTasksError } from './errors.js';

/** One kind of value: how to tell it, and what to call it. */
export type Kind = readonly [expected: string, test: (value: unknown) => boolean];

const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && !Number.isNaN(value);

/** Tells a plain object, of whatever realm, or a module from everything else. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** An object that has these methods. */
export const hasMethods =
  (...names: string[]): ((value: unknown) => boolean) =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof Reflect.get(value, name) === 'function');

/** The kinds of value that options and arguments have. */
export const kinds = {
  boolean: ['a boolean', (value) => typeof value === 'boolean'],
  function: ['a function', (value) => typeof value === 'function'],
  object: [
    'an object',
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ],
  needs: ['a record of needs, like { db: Depends(…) }', isRecord],
  string: ['a string', (value) => typeof value === 'string'],
  name: ['a non-empty string', (value) => typeof value === 'string' && value !== ''],
  number: ['a number', isNumber],
  count: [
    'a whole number, 0 or more',
    (value) => isNumber(value) && value >= 0 && (Number.isInteger(value) || value === Infinity),
  ],
  atLeastOne: [
    'a whole number, 1 or more, or Infinity',
    (value) => isNumber(value) && value >= 1 && (Number.isInteger(value) || value === Infinity),
  ],
  duration: ['milliseconds, 0 or more', (value) => isNumber(value) && value >= 0],
  clock: ['a clock', hasMethods('now', 'setTimeout', 'clearTimeout')],
  limit: ['milliseconds, more than 0', (value) => isNumber(value) && value > 0],
} as const satisfies Record<string, Kind>;

/** Names a value for a message: what it is, never what it holds. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === '') return 'an empty string';
  if (typeof value === 'undefined') return 'undefined';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** @throws OPTION_INVALID unless the value is of the kind */
export function check(what: string, value: unknown, [expected, test]: Kind): void {
  if (test(value)) return;
  const message = `${what} must be ${expected}; received ${describe(value)}`;
  throw new QTasksError('OPTION_INVALID', message);
}

/**
 * Checks an options object: known names only, each undefined or of its kind.
 * @throws OPTION_INVALID
 */
export function checkOptions(
  where: string,
  options: unknown,
  known: Readonly<Record<string, Kind>>,
): void {
  check(`${where}: the options`, options, kinds.object);
  for (const [name, value] of Object.entries(options as object)) {
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!kind) {
      const names = Object.keys(known).join(', ');
      const message = `${where}: there is no option "${name}"; expected ${names}`;
      throw new QTasksError('OPTION_INVALID', message);
    }
    if (value !== undefined) check(`${where}: option "${name}"`, value, kind);
  }
}
