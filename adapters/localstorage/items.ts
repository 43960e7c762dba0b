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
    const id = { app: `${app}`, session: `${session}`, state: `${state}` };
    return nameOf(id) === name ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Reads an item as it is now. @throws STORAGE_CORRUPT */
export function parse(name: string, text: string | null, now: EpochMs): Item {
  if (text === null) return { ...absent<never>(), version: 0, changes: [] };
  try {
    const { version, expiresAt, revision, sequences, changes, fields } = JSON.parse(text);
    const item: Item = {
      version,
      expiresAt,
      revision,
      sequences: new Map(sequences),
      changes: [...changes],
      fields: new Map([...fields]),
    };
    const numbers = [version, expiresAt === null ? 0 : expiresAt];
    const texts = [revision === null ? '' : revision, ...[...item.fields].flat()];
    const isWhole =
      numbers.every((value) => typeof value === 'number') &&
      texts.every((value) => typeof value === 'string');
    if (!isWhole) throw undefined;
    expire(item, now);
    return item;
  } catch (cause) {
    const message = `localstorage: the item ${JSON.stringify(name)} is damaged, or not of this library; it is left as it is: repair or remove it`;
    throw new QTasksError('STORAGE_CORRUPT', message, { cause, data: { key: name } });
  }
}

export function stringify(item: Item): string {
  const { version, expiresAt, revision, sequences, changes, fields } = item;
  return JSON.stringify({
    version,
    expiresAt,
    revision,
    sequences: [...sequences],
    changes,
    fields: [...fields],
  });
}

/** What can be told of an item without parsing it; nothing of what is not one. */
export function headOf(text: string | null): { version: number; expiresAt: EpochMs } {
  const [, version = 0, expiresAt] =
    /^\{"version":(\d+),"expiresAt":([^,]+),/.exec(text ?? '') ?? [];
  return { version: Number(version), expiresAt: Number(expiresAt) };
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
