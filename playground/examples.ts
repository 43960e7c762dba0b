/** Runs the original examples on an app of their own, as `npm start` does in Node. */
import { QTasks } from 'qtasks-lite';
import { memory } from 'qtasks-lite/memory';
import { printExamples } from './print-examples.js';
import * as tasks from './tasks.js';

/** Prints both examples line by line; each call starts with an empty storage. */
export async function runExamples(print: (line: string) => void): Promise<void> {
  const logger = { info: print, warn: print, error: print };
  const app = new QTasks({ name: 'example', tasks, storage: memory(), logger });
  await printExamples(app, print);
  await app.close();
}
