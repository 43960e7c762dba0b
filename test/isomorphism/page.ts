/** A page that does what the scenario says, in a Redis behind a proxy of another origin. */
import { QTasks } from 'qtasks-lite';
import { redis } from 'qtasks-lite/redis';
import { scenario } from './scenario.js';
import * as tasks from './tasks.js';

const parameters = new URL(location.href).searchParams;
const storage = redis({
  url: parameters.get('url') ?? '',
  token: parameters.get('token') ?? '',
});

/** What the page offers to the test in Node. */
export interface Teller {
  tell(): Promise<string[]>;
}

const teller: Teller = { tell: () => scenario(new QTasks({ name: 'club', tasks, storage })) };
Object.assign(globalThis, { teller });
