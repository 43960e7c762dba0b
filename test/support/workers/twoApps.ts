/** A worker that serves two apps, and answers messages of its own: each text, with the same text. */
import { Endpoint, parentEndpoint } from '../../../adapters/worker/endpoint.js';
import { serve } from '../../../adapters/worker/index.js';
import { QTasks } from '../../../src/index.js';
import * as tasks from './tasks.js';

for (const name of ['first', 'second']) {
  const app = new QTasks({ name, tasks });
  app.task('readName', () => name);
  serve(app);
}

const parent = parentEndpoint();
if (!parent) throw new Error('nobody has started this worker');
const endpoint = new Endpoint(parent);
endpoint.listen((message) => {
  if (typeof message === 'string') endpoint.post(`echo of ${message}`);
  return false;
});
