/** A worker whose app closes when it is told to, or whose serving does. */
import { serve } from '../../../adapters/worker/index.js';
import { QTasks } from '../../../src/index.js';
import * as tasks from './tasks.js';

const app = new QTasks({ name: 'closing', tasks });
const serving = serve(app);
const soon = (close: () => unknown) => (): void => void setTimeout(close, 0);
app.task(
  'closeApp',
  soon(() => app.close({ drain: 0 })),
);
app.task(
  'closeServing',
  soon(() => serving.close({ drain: 0 })),
);
