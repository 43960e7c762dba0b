/** A worker whose script waits for something before it serves its app. */
import { serve } from '../../../adapters/worker/index.js';
import { QTasks } from '../../../src/index.js';
import * as tasks from './tasks.js';

await new Promise((resolve) => setTimeout(resolve, 200));
serve(new QTasks({ name: 'late', tasks }));
