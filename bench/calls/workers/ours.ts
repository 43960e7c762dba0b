/** A worker that serves an app. */
import { QTasks } from 'qtasks-lite';
import { serve } from 'qtasks-lite/worker';
import * as functions from './tasks.js';

const app = new QTasks({ name: 'bench' });

/** The tasks, as the page types them. */
export const add = app.task('add', functions.add);
export const size = app.task('size', functions.size);
export const echo = app.task('echo', functions.echo);
export const count = app.task('count', functions.count);

serve(app);
