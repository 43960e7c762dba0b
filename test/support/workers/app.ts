/** A worker that serves an app with all tasks of the tests. */
import { memory } from '../../../adapters/memory.js';
import { serve } from '../../../adapters/worker/index.js';
import { QTasks } from '../../../src/index.js';
import { errors } from './errors.js';
import * as failures from './failures.js';
import * as moves from './moves.js';
import * as tasks from './tasks.js';

const all = { ...tasks, ...failures, ...moves };

serve(new QTasks({ name: 'app', tasks: all, storage: memory() }), { errors });
