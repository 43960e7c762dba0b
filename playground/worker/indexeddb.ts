import { QTasks } from 'qtasks-lite';
import { indexeddb } from 'qtasks-lite/indexeddb';
import { serve } from 'qtasks-lite/worker';
import * as tasks from '../tasks/all.js';
import { logger } from './lines.js';

serve(new QTasks({ name: 'example', tasks, storage: indexeddb(), logger }));
