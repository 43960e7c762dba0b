import { QTasks } from 'qtasks-lite';
import { indexeddb } from 'qtasks-lite/indexeddb';
import { serve } from 'qtasks-lite/worker';
import * as tasks from './tasks.js';

serve(new QTasks({ name: 'bundled', tasks, storage: indexeddb() }));
