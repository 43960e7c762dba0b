/** Who watches a state of a worker's app misses nothing that is started after that. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { connect, serve } from '../../../adapters/worker/index.js';
import { AsyncState, QTasks, type QTasksOptions, task } from '../../../src/index.js';

class Cart extends AsyncState<{ items: number }> {
  static readonly id = 'cart';
}

const fill = task('fill', { cart: Cart }, async ({ cart }, items: number) => {
  await cart.set('items', items);
});
const tasks = { fill, ask: task('ask', () => 'answer') };

/** A connection to an app, and what closes both. */
function open(options: QTasksOptions<object> = { storage: memory() }) {
  const { port1, port2 } = new MessageChannel();
  const served = new QTasks({ ...options, tasks });
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

describe('a watch that never begins holds no run up', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('where the app has no storage', async () => {
    const told = vi.spyOn(console, 'error').mockReturnValue(undefined);
    const { app, close } = open({});
    app.state(Cart).subscribe(() => {});
    expect(await app.run('ask')).toBe('answer');
    expect(told).toHaveBeenCalled();
    await close();
  });

  it('where the storage never answers', async () => {
    const storage = memory();
    storage.read = () => new Promise(() => {});
    const { app, close } = open({ storage });
    app.state(Cart).subscribe(() => {});
    expect(await app.run('ask')).toBe('answer');
    await close();
  });

  it('where the connection is closed first', async () => {
    const told = vi.spyOn(console, 'error');
    const { app, close } = open();
    app.state(Cart).subscribe(() => {});
    const run = app.run('ask');
    await close();
    expect(await run.settled).toMatchObject({ status: 'success' });
    expect(told).not.toHaveBeenCalled();
  });
});

it('what is written before the worker has started is there after a close', async () => {
  const storage = memory();
  const { app, close } = open({ storage });
  const write = app.state(Cart).set('items', 1);
  await close();
  await write;
  const later = new QTasks({ storage });
  expect(await later.state(Cart).get('items')).toBe(1);
  await later.close();
});
