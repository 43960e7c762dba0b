/** A service worker: it has the states of its origin, and its own run of the tasks. */
import { QTasks } from 'qtasks-lite';
import { indexeddb } from 'qtasks-lite/indexeddb';
import { stateScenario } from './scenario.js';
import * as tasks from './tasks.js';

/** It lives as long as the event that it answers. */
interface ExtendableMessage extends MessageEvent {
  waitUntil(end: Promise<void>): void;
}

async function answer(port: MessagePort | undefined): Promise<void> {
  const club = new QTasks({ name: 'service', tasks, storage: indexeddb() });
  port?.postMessage(await stateScenario(club));
  await club.close();
}

addEventListener('message', (event) => {
  (event as ExtendableMessage).waitUntil(answer(event.ports[0]));
});
