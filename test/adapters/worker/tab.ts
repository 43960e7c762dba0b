/** What the tests of tabs call there, by the name `driver`: a client of the shared worker of all tabs. */
import { connect } from '../../../adapters/worker/index.js';
import type * as tasks from '../../support/workers/tasks.js';

const app = connect<typeof tasks>(new SharedWorker('/worker.js', { type: 'module' }));

export const driver = { app };

export type Driver = typeof driver;

Object.assign(globalThis, { driver });
