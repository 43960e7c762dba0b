/** Runs the tasks in the page itself. */
import { QTasks, type StorageAdapter } from 'qtasks-lite';
import * as tasks from '../tasks/all.js';
import { appName, type Host, type Print } from './host.js';

export function openPage(storage: StorageAdapter, print: Print): Host {
  const logger = { info: print, warn: print, error: print };
  const app = new QTasks({ name: appName, tasks, storage, logger });
  return {
    app,
    workers: [],
    kill: () => {},
    close: () => app.close({ drain: 0 }),
  };
}
