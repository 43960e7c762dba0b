/** Expectations that tell an adapter's author which promise is broken, without any test runner. */
import type { CommitResult, Revision, Snapshot } from '../../../src/storage.js';

const show = (value: unknown): string => {
  const text = JSON.stringify(value, (_key, part) => (part instanceof Map ? [...part] : part));
  return text === undefined || text.length <= 200 ? String(text) : `${text.slice(0, 200)}…`;
};

/** @throws Error that names the promise */
export function fail(promise: string, expected: unknown, received: unknown): never {
  throw new Error(
    `The storage contract is broken: ${promise}. Expected ${show(expected)}; received ${show(received)}.`,
  );
}

/** Expects two values of plain data to be the same. */
export function same(received: unknown, expected: unknown, promise: string): void {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_key, part) => (part instanceof Map ? ['Map', ...part] : part)) ?? '';
  if (text(received) !== text(expected)) fail(promise, expected, received);
}

/** Expects something to hold. */
function holds(condition: boolean, promise: string): void {
  if (!condition) fail(promise, true, false);
}

const sorted = (fields: Iterable<readonly [string, string]>): (readonly [string, string])[] =>
  [...fields].sort(([a], [b]) => (a < b ? -1 : 1));

/** Expects a snapshot to have exactly these fields; none means that the bucket is absent. */
export function hasFields(
  snapshot: Snapshot,
  expected: Readonly<Record<string, string>>,
  promise: string,
): void {
  same(sorted(snapshot.fields), sorted(Object.entries(expected)), promise);
  const isAbsent = Object.keys(expected).length === 0;
  if (isAbsent)
    same(snapshot.revision, null, `${promise}: a bucket without fields has no revision`);
  else holds(typeof snapshot.revision === 'string', `${promise}: a bucket has a revision`);
}

/** Expects a commit to have been made, and gives its revision. */
export function made(result: CommitResult, promise: string): Revision {
  return result.ok ? result.revision : fail(promise, { ok: true }, result);
}

/** Expects a commit to have been refused, and gives what is there. */
export function refused(result: CommitResult, promise: string): Snapshot {
  return result.ok ? fail(promise, { ok: false }, result) : result.current;
}

/** Expects a rejection, and gives the error. */
export async function rejects(attempt: () => Promise<unknown>, promise: string): Promise<unknown> {
  let result: unknown;
  try {
    result = await attempt();
  } catch (error) {
    return error;
  }
  return fail(promise, 'a rejection', result);
}

/**
 * Waits for all, also after a failure, so that nothing goes on once the test is over.
 * @throws what the first of them that failed was rejected with
 */
export async function together(running: readonly Promise<unknown>[]): Promise<void> {
  for (const one of await Promise.allSettled(running)) {
    if (one.status === 'rejected') throw one.reason;
  }
}

/** Waits for what is told a little later. */
export async function eventually(
  condition: () => boolean,
  sleep: (duration: number) => Promise<void>,
  promise: string,
): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries === 200) fail(promise, 'within 2 seconds', 'nothing');
    await sleep(10);
  }
}
