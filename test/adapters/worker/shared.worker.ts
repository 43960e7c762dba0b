/** A shared worker that adds one to a number in the storage of each page that connects, and tells it. */
import { hostStorage } from '../../../adapters/worker/host-storage.js';
import { AsyncState, isQTasksError, QTasks } from '../../../src/index.js';

class Account extends AsyncState<{ count: number }> {
  static readonly id = 'account';
}

async function serve(port: MessagePort): Promise<void> {
  const own = await hostStorage()
    .read({ app: 'app', session: '', state: 'any' })
    .catch((error: unknown) => (isQTasksError(error) ? error.code : 'another error'));
  const app = new QTasks({ name: 'app', storage: hostStorage(port) });
  const { count } = await app.state(Account).update(({ count = 0 }) => ({ count: count + 1 }));
  port.postMessage({ own, count });
}

addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports;
  if (port) void serve(port);
});
