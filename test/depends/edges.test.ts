import { describe, expect, it } from 'vitest';
import { Context, Depends, isQTasksError, QTasks } from '../../src/index.js';
import { ManualClock } from '../support/clock.js';
import { rejection } from '../support/promises.js';

describe('edges', () => {
  it('close() in app while a session is draining waits for its runs with one reason', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const ann = app.session('ann');
    const run = ann.run(app.task('t', { ctx: Context }, ({ ctx }) => ctx.sleep(1_000)));
    const one = ann.close({ drain: 500 });
    const two = app.close({ drain: 100 });
    await clock.advance(100);
    await Promise.all([one, two]);
    expect(isQTasksError(await rejection(run), 'APP_CLOSED')).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('shared scope: an override made while nothing runs, cached subtree elsewhere', async () => {
    const app = new QTasks();
    const base = Depends(() => 'base', { scope: 'worker' });
    const pool = Depends({ base }, ({ base }) => base, { scope: 'worker' });
    const fake = Depends({ base }, ({ base }) => `around ${base}`, { scope: 'worker' });
    const t = app.task('t', { pool, base }, (all) => [all.pool, all.base]);
    expect(await t()).toEqual(['base', 'base']);
    const o = app.override(base, fake);
    expect(await t()).toEqual(['around base', 'around base']);
    o.restore();
    expect(await t()).toEqual(['base', 'base']);
  });
});
