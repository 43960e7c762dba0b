/** A worker whose app runs one task at a time. */
import { serve } from '../../../adapters/worker/index.js';
import { QTasks } from '../../../src/index.js';
import * as tasks from './tasks.js';

serve(new QTasks({ name: 'narrow', tasks, concurrency: 1 }));
