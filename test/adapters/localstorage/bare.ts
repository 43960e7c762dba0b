/** What tests call in pages and workers where localStorage is not what it should be: nothing is opened yet. */
import { localstorage } from '../../../adapters/localstorage.js';
import { isQTasksError, QTasks } from '../../../src/index.js';

const bare = {
  localstorage,
  QTasks,
  /** The code and the message of what opening throws. */
  refusal(): string {
    try {
      localstorage();
      return 'none';
    } catch (error) {
      return isQTasksError(error) ? `${error.code} ${error.message}` : String(error);
    }
  },
};

export type Bare = typeof bare;

Object.assign(globalThis, { bare });
