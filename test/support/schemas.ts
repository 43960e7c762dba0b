import type { StandardResult, StandardSchema } from '../../src/types.js';

/** A Standard Schema by hand. */
export const schema = <Output>(
  validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>,
): StandardSchema<unknown, Output> => ({ '~standard': { version: 1, vendor: 'test', validate } });

/** Takes numbers only. */
export const number = schema((value) =>
  typeof value === 'number' ? { value } : { issues: [{ message: 'is no number', path: ['deep'] }] },
);

/** Makes a trimmed string of anything. */
export const trimmed = schema((value) => ({ value: String(value).trim() }));
