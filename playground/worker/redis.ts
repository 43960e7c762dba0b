import { QTasks } from 'qtasks-lite';
import { serve } from 'qtasks-lite/worker';
import { visitorStorage } from '../host/backend.js';
import * as tasks from '../tasks/all.js';
import { logger } from './lines.js';

serve(new QTasks({ name: 'example', tasks, storage: visitorStorage(), logger }));
