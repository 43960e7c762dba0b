/** A worker with a storage of its own. */
import { QTasks } from 'qtasks-lite';
import { memory } from 'qtasks-lite/memory';
import { serve } from 'qtasks-lite/worker';
import * as tasks from './tasks.js';

const { WrongCode } = tasks;
serve(new QTasks({ name: 'club', tasks, storage: memory() }), { errors: { WrongCode } });
