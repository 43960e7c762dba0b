/** A worker with the storage of its origin. */
import { QTasks } from 'qtasks-lite';
import { indexeddb } from 'qtasks-lite/indexeddb';
import { serve } from 'qtasks-lite/worker';
import * as tasks from './tasks.js';

const { WrongCode } = tasks;
serve(new QTasks({ name: 'club', tasks, storage: indexeddb() }), { errors: { WrongCode } });
