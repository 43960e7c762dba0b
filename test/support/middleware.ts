import { Depends, type Middleware, QTasks } from '../../src/index.js';
import { ManualClock } from './clock.js';
import { traced } from './traced.js';

/** An app on a manual clock, with a dependency that writes down what becomes of it. */
export function setUp(middleware: Middleware | readonly Middleware[] = []) {
  const clock = new ManualClock();
  const log: string[] = [];
  const app = new QTasks({ clock, middleware, concurrency: 1 });
  const dep = Depends(() => traced(log, 'dep'));
  return { clock, log, app, dep };
}
