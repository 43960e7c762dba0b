/** Where tasks run right now: what a page-side app and a connection to workers have in common. */
import type { QTasks, TaskClient } from 'qtasks-lite';
import type * as tasks from '../tasks/all.js';
import type { WorkerSlot } from './workers.js';

export type Tasks = typeof tasks;

/** The app's name, everywhere: apps of one name on one storage share their states. */
export const appName = 'example';

/** Where the lines of tasks go that they log. */
export type Print = (line: string) => void;

export interface Host {
  /** Of no session: for those tasks that are about nobody. */
  readonly app: TaskClient<Tasks> & Pick<QTasks<Tasks>, 'on'>;
  /** Those that tasks run in; none where that is the page. */
  readonly workers: readonly WorkerSlot[];
  /** Ends a worker behind the library's back, as a crash would. */
  kill(worker: number): void;
  /** Cancels what goes on and lets go of the workers. */
  close(): Promise<void>;
}
