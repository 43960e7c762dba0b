import { QTasks } from 'qtasks-lite';
import { hostStorage, serve } from 'qtasks-lite/worker';
import * as tasks from '../tasks/all.js';
import { logger } from './lines.js';

serve(new QTasks({ name: 'example', tasks, storage: hostStorage(), logger }));
