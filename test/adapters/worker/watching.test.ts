/** Who watches a state of a worker's app misses nothing that is started after that. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { connect, serve } from '../../../adapters/worker/index.js';
import { AsyncState, QTasks, task } from '../../../src/index.js';

class Cart extends AsyncState<{ items: number }> {
  static readonly id = 'cart';
}

const fill = task('fill', { cart: Cart }, async ({ cart }, items: number) => {
  await cart.set('items', items);
});
const tasks = { fill };

/** A connection to an app, and what has to be closed. */
function open() {
  const { port1, port2 } = new MessageChannel();
  const served = new QTasks({ tasks, storage: memory() });
  const serving = serve(served, { port: port2 });
  const app = connect<typeof tasks>(port1);
  const close = async (): Promise<void> => {
    await app.close();
    await serving.close();
    await served.close();
  };
  return { app, close };
}

describe('a run that is started after a watch', () => {
  it('is seen, also where the worker has yet to start', async () => {
    const { app, close } = open();
    const seen: unknown[] = [];
    const told = new Promise((resolve) => {
      app.state(Cart).subscribe(({ changed }) => resolve(seen.push(...changed)));
    });
    await app.run('fill', 1);
    await told;
    expect(seen).toEqual(['items']);
    await close();
  });

  it('is seen in each session, and in what `changes` gives', async () => {
    const { app, close } = open();
    await app.run('fill', 1);
    for (const id of ['ann', 'bob', 'ann']) {
      const session = app.session(id);
      const changes = session.state(Cart).changes();
      const next = changes.next();
      await session.run('fill', 2);
      expect(await next).toEqual({ done: false, value: { items: 2 } });
      await changes.return();
    }
    await close();
  });
});
