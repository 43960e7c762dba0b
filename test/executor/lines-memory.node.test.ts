/** What runs leave behind: line 6 of ARCHITECTURE.md §5. Only Node can be told to collect garbage. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { Context, Depends, QTasks } from '../../src/index.js';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

async function heap(): Promise<number> {
  // Finalizers and promises that hang on objects need a turn between.
  for (let count = 0; count < 4; count++) {
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    collect();
  }
  return process.memoryUsage().heapUsed / 2 ** 20;
}

async function runMany(run: () => PromiseLike<unknown>, count: number): Promise<void> {
  for (let done = 0; done < count; done += 100) {
    await Promise.all(Array.from({ length: 100 }, run));
  }
}

it('6 leaves the heap within 5 MB after 1,000,000 runs', async () => {
  const app = new QTasks();
  const work = app.task('work', () => 'value');
  await runMany(work, 10_000);
  const before = await heap();
  await runMany(work, 1_000_000);
  expect((await heap()) - before).toBeLessThan(5);
  expect(app.inspect().counts).toMatchObject({ calls: 1_010_000, success: 1_010_000 });
}, 120_000);

it('6 leaves the heap within 5 MB after 50,000 runs of every kind on one signal', async () => {
  const { signal } = new AbortController();
  const app = new QTasks({
    concurrency: 10,
    remember: { limit: 100 },
    middleware: (_run, next) => next(),
  });
  const dep = Depends({ ctx: Context }, async function* ({ ctx }) {
    ctx.defer(() => {});
    yield ctx.signal;
  });
  const inner = app.task('inner', () => 'value');
  const work = app.task(
    'work',
    { dep, ctx: Context },
    async function* ({ ctx }) {
      yield 1;
      await ctx.run(inner);
    },
    { exclusive: true, timeout: 60_000 },
  );
  let ids = 0;
  const run = async (): Promise<unknown> => {
    const number = ++ids;
    const client = app.session(`session ${number % 7}`).with({ signal, id: `id ${number}` });
    const started = client.run(work);
    if (number % 3 === 0) started.cancel();
    if (number % 3 === 1) for await (const _value of started) break;
    return started.settled;
  };
  await runMany(run, 5_000);
  const before = await heap();
  await runMany(run, 50_000);
  expect((await heap()) - before).toBeLessThan(5);
  expect(app.inspect().runs).toEqual([]);
}, 120_000);
