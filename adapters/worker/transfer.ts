/** `transfer`: what of a task's result, or of a value that it yields, is moved instead of copied. */

import { QTasksError } from '../../src/index.js';
import { check, describe } from '../../src/options.js';

/** By the value that was marked. */
const marked = new WeakMap<object, readonly object[]>();

const listKind = ['an array of transferable objects', Array.isArray] as const;

/**
 * Marks a value that a task is about to return or yield: what is in the list, and stands somewhere in the
 * value, moves to the caller's thread instead of being copied, and is of no more use here. In an app of one
 * thread nothing happens.
 *
 * @param value an object or a function's result, not a primitive
 * @param list buffers, ports, streams, bitmaps
 * @returns the value
 * @throws OPTION_INVALID
 * @see https://developer.mozilla.org/en-US/docs/Web/API/Web_Workers_API/Transferable_objects
 * @example
 * const thumbnail = task('thumbnail', async (image: ImageBitmap) => {
 *   const { buffer } = await shrink(image);
 *   return transfer(buffer, [buffer]);
 * });
 */
export function transfer<Value extends object>(value: Value, list: readonly object[]): Value {
  if (typeof value !== 'object' || value === null) {
    const message = `transfer: the value must be an object; received ${describe(value)}`;
    throw new QTasksError('OPTION_INVALID', message);
  }
  check('transfer: the list', list, listKind);
  marked.set(value, list);
  return value;
}

/** What {@link transfer} has marked a value with. */
export function transferOf(value: unknown): readonly object[] {
  return (Object(value) === value && marked.get(value as object)) || [];
}
