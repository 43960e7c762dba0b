/** A worker with the storage of who has started it. */
import { QTasks } from 'qtasks-lite';
import { hostStorage, serve } from 'qtasks-lite/worker';
import * as tasks from './tasks.js';

const { WrongCode } = tasks;
serve(new QTasks({ name: 'club', tasks, storage: hostStorage() }), { errors: { WrongCode } });
