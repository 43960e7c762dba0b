/**
 * How a bucket lies in a web storage: one item with everything, so that one `setItem` is the whole
 * commit. The name is the prefix and JSON of `[app, session, state]`; the value is JSON.
 */
import { QTasksError } from '../../src/errors.js';
import type { BucketId, Change } from '../../src/storage.js';
import type { EpochMs } from '../../src/types.js';
import { absent, type BucketRecord, expire } from '../shared/record.js';

const prefix = 'qtasks-lite:';

/** A bucket in memory. */
export interface Item extends BucketRecord {
  /** Grows with each time it is written, as long as it is known: of two items the newer has more. */
  version: number;
  /** What it was last written for. */
  changes: readonly Change[];
}

export const nameOf = ({ app, session, state }: BucketId): string =>
  prefix + JSON.stringify([app, session, state]);

/** The bucket of a name; `undefined` for items of somebody else. */
export function idOf(name: string): BucketId | undefined {
  if (!name.startsWith(prefix)) return undefined;
  try {
    const [app, session, state] = JSON.parse(name.slice(prefix.length));
    const id = { app, session, state };
    return nameOf(id) === name ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Reads an item as it is now. @throws STORAGE_CORRUPT */
export function parse(name: string, text: string | null, now: EpochMs): Item {
  if (text === null) return { ...absent<never>(), version: 0, changes: [] };
  try {
    const { revision, version, fields, sequences, expiresAt, changes } = JSON.parse(text);
    if (typeof version !== 'number') throw undefined;
    const item: Item = {
      revision,
      version,
      fields: new Map(fields),
      sequences: new Map(sequences),
      expiresAt,
      changes,
    };
    expire(item, now);
    return item;
  } catch (cause) {
    const message = `localstorage: the item ${JSON.stringify(name)} was not written by this library, or is damaged; it is left as it is: repair it, or remove it by removeItem`;
    throw new QTasksError('STORAGE_CORRUPT', message, { cause, data: { key: name } });
  }
}

export function stringify(item: Item): string {
  const { revision, version, fields, sequences, expiresAt, changes } = item;
  return JSON.stringify({
    revision,
    version,
    expiresAt,
    sequences: [...sequences],
    changes,
    fields: [...fields],
  });
}

/** The names of all items. Not by the area's properties: those hide an item that is called `length`. */
export function namesIn(area: Storage): string[] {
  const names: string[] = [];
  for (let index = 0; index < area.length; index++) {
    const name = area.key(index);
    if (name !== null) names.push(name);
  }
  return names;
}
