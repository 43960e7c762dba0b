/** A child run that waits for a hold, while the run that has it waits for a slot. */
import { expect, test } from 'vitest';
import { Context, QTasks } from '../../src/index.js';
import { settle } from '../support/clock.js';
import { gate } from '../support/promises.js';

/** One slot; a task in it waits for `start`, then runs an exclusive one so many levels below itself. */
function deep(log: string[], start: Promise<void>) {
  const app = new QTasks({ concurrency: 1 });
  const body = async (name: string): Promise<void> => {
    log.push(`+${name}`);
    await settle();
    log.push(`-${name}`);
  };
  const exclusive = app.task('exclusive', body, { exclusive: true });
  const nest = app.task('nest', { ctx: Context }, async ({ ctx }, left: number): Promise<void> => {
    if (left > 0) await ctx.run('nest', left - 1);
    else await ctx.run(exclusive, 'child');
  });
  const parent = app.task('parent', { ctx: Context }, async ({ ctx }, levels: number) => {
    log.push('+parent');
    await start;
    await ctx.run(nest, levels);
    log.push('-parent');
  });
  return { app, exclusive, parent };
}

test.each([0, 1, 3])(
  'the slot of what only waits for the hold is lent, %i levels deep',
  async (levels) => {
    const log: string[] = [];
    const start = gate();
    const { app, exclusive, parent } = deep(log, start.promise);
    const runs = [parent(levels), exclusive('other')];
    await settle();
    start.resolve();
    await Promise.all(runs);
    expect(log).toEqual(['+parent', '+other', '-other', '+child', '-child', '-parent']);
    const end = gate();
    const block = app.task('block', () => end.promise);
    const [first, second] = [block(), block()];
    expect([first.status, second.status]).toEqual(['process', 'new']);
    end.resolve();
    await Promise.all([first, second]);
  },
);

test('a slot that was lent is taken back where the child is cancelled', async () => {
  const log: string[] = [];
  const start = gate();
  const { app, exclusive, parent } = deep(log, start.promise);
  const run = parent(1);
  const other = exclusive('other');
  start.resolve();
  await settle();
  run.cancel('enough');
  await other;
  expect((await run.settled).status).toBe('cancel');
  const end = gate();
  const block = app.task('block', () => end.promise);
  const [first, second] = [block(), block()];
  expect([first.status, second.status]).toEqual(['process', 'new']);
  end.resolve();
  await Promise.all([first, second]);
});
