/** The four lives that a dependency can have, from the shortest to the longest. */

/**
 * How long one opened value of a dependency lives.
 * - `"task"`: one attempt of one run
 * - `"session"`: from its first use in a session until the session or the app is closed
 * - `"worker"`: from its first use in an app until that app is closed
 * - `"storage"`: from its first use by any app on one storage object until the last of them is closed
 */
export type Scope = 'task' | 'session' | 'worker' | 'storage';

/** A dependency may only need what has at least its own rank. */
export const rankOf: Readonly<Record<Scope, number>> = {
  task: 0,
  session: 1,
  worker: 2,
  storage: 3,
};
