/** What runs leave behind: line 6 of ARCHITECTURE.md §5. Only Node can be told to collect garbage. */
import { expect, it } from 'vitest';
import { Context, Depends, QTasks } from '../../src/index.js';
import { heapUsed, runMany } from '../support/heap.js';

it('6 leaves the heap within 5 MB after 1,000,000 runs', async () => {
  const app = new QTasks();
  const work = app.task('work', () => 'value');
  await runMany(work, 10_000);
  const before = await heapUsed();
  await runMany(work, 1_000_000);
  expect((await heapUsed()) - before).toBeLessThan(5);
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
  const before = await heapUsed();
  await runMany(run, 50_000);
  expect((await heapUsed()) - before).toBeLessThan(5);
  expect(app.inspect().runs).toEqual([]);
}, 120_000);
