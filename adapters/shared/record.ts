/** A bucket as a storage keeps it, and what a commit does to it: the rules, without any storage. */
import { check, kinds } from '../../src/options.js';
import type { Commit, Revision } from '../../src/storage.js';
import type { EpochMs } from '../../src/types.js';
import { remember, type Sequences } from './sequences.js';

/** How long the sequences of a bucket that is gone are kept. */
export const keptFor = 120_000;

/** One bucket, or what is kept of one that is gone. `Value` is what may stand for a field's text. */
export interface BucketRecord<Value = never> {
  /** `null`: the bucket is absent. */
  revision: Revision | null;
  readonly fields: Map<string, string | Value>;
  readonly sequences: Sequences;
  /** When it expires; of an absent one, how long its sequences are kept. `null`: for ever. */
  expiresAt: EpochMs | null;
}

/** A bucket that nobody has written to. */
export const absent = <Value>(): BucketRecord<Value> => ({
  revision: null,
  fields: new Map(),
  sequences: new Map(),
  expiresAt: null,
});

/** Makes a record absent once its time is over, and one without fields. */
export function expire(record: BucketRecord<unknown>, now: EpochMs): void {
  const { revision, expiresAt, fields } = record;
  if (revision === null) return;
  if (fields.size > 0 && (expiresAt === null || expiresAt > now)) return;
  fields.clear();
  record.revision = null;
  record.expiresAt = now + keptFor;
}

/** A commit as it is at the call: it may be some time until it is made. */
export const copyOf = (commit: Commit): Commit => ({
  ...commit,
  ...(commit.set ? { set: new Map(commit.set) } : {}),
  ...(commit.delete ? { delete: [...commit.delete] } : {}),
});

/** What a commit means to a record: a repeat, one whose condition does not hold, or one to be made. */
export function verdict(
  { revision, sequences }: BucketRecord<unknown>,
  { writer, sequence, ifRevision, ttl }: Commit,
): 'repeat' | 'refused' | 'made' {
  if (ttl !== undefined && ttl !== null) check('commit: the ttl', ttl, kinds.duration);
  if (sequence <= (sequences.get(writer) ?? Number.NEGATIVE_INFINITY)) return 'repeat';
  return ifRevision !== undefined && ifRevision !== revision ? 'refused' : 'made';
}

/** Makes a commit; it may leave the record absent. */
export function apply(
  record: BucketRecord<unknown>,
  commit: Commit,
  revision: Revision,
  now: EpochMs,
): void {
  const { writer, sequence, clear, delete: gone, set, ttl } = commit;
  const { fields, sequences } = record;
  remember(sequences, writer, sequence);
  if (record.revision === null) record.expiresAt = null;
  if (clear) fields.clear();
  for (const field of gone ?? []) fields.delete(field);
  for (const [field, value] of set ?? []) fields.set(field, value);
  record.revision = revision;
  if (ttl !== undefined) record.expiresAt = ttl === null || ttl === Infinity ? null : now + ttl;
  expire(record, now);
}

/** Makes revisions that nobody has made before. */
export function revisions(): () => Revision {
  const prefix = Math.random().toString(36).slice(2) + Math.random().toString(36).slice(2);
  let count = 0;
  return () => `${prefix}.${(++count).toString(36)}`;
}
