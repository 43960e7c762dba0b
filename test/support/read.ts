/** Reads runs to their end. */
import type { Run } from '../../src/index.js';

/** All that a run streams. */
export async function collect<Yield>(run: Run<unknown, Yield>): Promise<Yield[]> {
  const values: Yield[] = [];
  for await (const value of run) values.push(value);
  return values;
}

/** What a reader gets: the values, and the error that ended the loop. */
export async function read<Yield>(
  run: Run<unknown, Yield>,
): Promise<[values: Yield[], error: unknown]> {
  const values: Yield[] = [];
  try {
    for await (const value of run) values.push(value);
    return [values, undefined];
  } catch (error) {
    return [values, error];
  }
}
