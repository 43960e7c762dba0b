/** Runs the examples on an app of their own; `npm start` does it in Node, main.ts in the page. */
import { QTasks } from 'qtasks-lite';
import { memory } from 'qtasks-lite/memory';
import * as tasks from './tasks.js';

/** Prints both examples line by line; each call starts with an empty storage. */
export async function runExamples(print: (line: string) => void): Promise<void> {
  const logger = { info: print, warn: print, error: print };
  const app = new QTasks({ name: 'example', tasks, storage: memory(), logger });

  print('Example 1: Depends');
  await app.run(tasks.testDepends);

  print('Example 2: AsyncState');
  await app.run(tasks.step1);
  await app.run(tasks.step2);

  await app.close();
}
