/** Web Locks as the storages of an origin use them. */
import type { LockPlace, StorageAdapter } from '../../src/storage.js';

/** The lock manager; `undefined` on a page of plain http, and in runtimes that have none. */
export const lockManager = (): LockManager | undefined =>
  (globalThis.navigator as Navigator | undefined)?.locks as LockManager | undefined;

/** Takes an exclusive lock; resolves to what frees it. @throws the signal's reason once it aborts */
export function acquire(
  locks: LockManager,
  name: string,
  options: LockOptions,
): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const held = locks.request(name, options, () => {
      return new Promise<void>((free) => {
        resolve(async () => {
          free();
          await held;
        });
      });
    });
    held.catch(reject);
  });
}

/** The `lock` of an adapter; `undefined` where there are no Web Locks. */
export function webLock(prefix: string): StorageAdapter['lock'] {
  const locks = lockManager();
  if (!locks) return undefined;
  return ({ app, session, state }: LockPlace, { signal }) => {
    const name = `${prefix}${JSON.stringify([app, session, state ?? null])}`;
    return acquire(locks, name, signal ? { signal } : {});
  };
}
