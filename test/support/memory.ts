/** What tests of the memory adapter commit, list and let go. */
import { type MemoryOptions, memory } from '../../adapters/memory.js';
import type { BucketId, Commit, StorageAdapter } from '../../src/storage.js';
import { ManualClock } from './clock.js';

/** One bucket of the app that all of them use. */
export const bucket = (session: string, state = 'cart'): BucketId => ({
  app: 'app',
  session,
  state,
});

let sequence = 0;

/** Commits as a writer that never repeats itself, unless told to. */
export function put(storage: StorageAdapter, id: BucketId, changes: Partial<Commit> = {}) {
  const commit = { writer: 'me', sequence: ++sequence, set: new Map([['a', '1']]), ...changes };
  return storage.commit(id, commit);
}

/** The sessions that have buckets, in order. */
export async function sessions(storage: StorageAdapter): Promise<string[]> {
  const found = new Set<string>();
  for await (const { session } of storage.list({ app: 'app' })) found.add(session);
  return [...found].sort();
}

/** A storage on a clock moved by hand, and the sessions that it has dropped. */
export function bounded(options: MemoryOptions = {}) {
  const clock = new ManualClock();
  const evicted: string[] = [];
  const onEvict = ({ session }: { session: string }): number => evicted.push(session);
  return { clock, evicted, storage: memory({ clock, onEvict, ...options }) };
}

/** Makes more commits than it takes until the storage has looked for what is over. */
export async function sweep(storage: StorageAdapter): Promise<void> {
  for (let count = 0; count < 2_100; count++) await put(storage, bucket('busy', 'other'));
}

/** Changes that leave a bucket without fields. */
export const empty = { clear: true, set: new Map() };
