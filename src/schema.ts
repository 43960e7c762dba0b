/** Standard Schemas as the library uses them: telling one, and what its refusal becomes. */
import { QTasksError } from './errors.js';
import type { StandardResult, StandardSchema } from './types.js';

/** Tells a Standard Schema from everything else. */
export function isSchema(value: unknown): value is StandardSchema {
  const inside: unknown =
    (typeof value === 'object' || typeof value === 'function') && value !== null
      ? Reflect.get(value, '~standard')
      : undefined;
  return typeof (inside as { validate?: unknown } | undefined)?.validate === 'function';
}

/**
 * Gives the value that a schema's answer holds.
 * @param what names the value in the message
 * @param details go into `data`, beside `issues`
 * @throws with the code, where the schema refused the value
 */
export function accepted(
  answer: StandardResult<unknown>,
  code: 'INPUT_INVALID' | 'OUTPUT_INVALID' | 'STATE_INVALID',
  what: string,
  details: object = {},
): unknown {
  // A schema of somebody's own may answer anything.
  if (Object(answer) !== answer) {
    const message = `${what}: its schema answers neither with a value nor with issues`;
    throw new QTasksError('OPTION_INVALID', message);
  }
  if (!answer.issues) return answer.value;
  // Plain data, whatever the schema library made of it: it may have to cross to another thread.
  const issues = Array.from(answer.issues, ({ message, path }) => ({
    message,
    path: path && Array.from(path, (part) => (typeof part === 'object' ? part.key : part)),
  }));
  const message = `${what}: its schema refused the value; data.issues tells why`;
  throw new QTasksError(code, message, { data: { ...details, issues } });
}
