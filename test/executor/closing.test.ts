/** Closing where a teardown has started runs: no `close` waits for ever. */
import { expect, test } from 'vitest';
import { Context, Depends, isQTasksError, QTasks, type Run } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never } from '../support/promises.js';

/** An app with a task whose dependency starts a run that never ends, as it is torn down. */
function setUp() {
  const clock = new ManualClock();
  const app = new QTasks({ clock });
  const children: Run<unknown, unknown>[] = [];
  const late = gate();
  const hang = app.task('hang', () => never, { grace: 0 });
  const dependency = Depends({ ctx: Context }, async function* ({ ctx }) {
    yield;
    children.push(ctx.run(hang));
    await late.promise;
    children.push(ctx.run(hang));
  });
  const work = app.task('work', { dependency }, () => 'done');
  return { clock, app, work, children, late };
}

test('runs that a teardown has started are cancelled once the drain is over', async () => {
  const { clock, app, work, children, late } = setUp();
  const run = work();
  await settle();
  const closing = app.close({ drain: 100 });
  await clock.advance(100);
  expect(children.map(({ status }) => status)).toEqual(['cancel']);
  late.resolve();
  await closing;
  expect(await run).toBe('done');
  const ends = await Promise.all(children.map(({ settled }) => settled));
  expect(ends.map(({ error }) => isQTasksError(error, 'APP_CLOSED'))).toEqual([true, true]);
  expect(clock.pending).toBe(0);
});

test('of a session, too, but not what has come to it meanwhile', async () => {
  const { clock, app, work, children, late } = setUp();
  late.resolve();
  const ann = app.session('ann');
  const run = ann.run(work);
  await settle();
  const closing = ann.close({ drain: 100 });
  const other = ann.run(work);
  await clock.advance(100);
  await closing;
  expect(await run).toBe('done');
  expect(children.map(({ status }) => status)).toEqual(['cancel', 'cancel', 'process', 'process']);
  expect(other.status).toBe('process');
  await Promise.all([app.close({ drain: 0 }), clock.advance(0)]);
  expect(await other).toBe('done');
});
