/** Runs that never overlap: lines 4 and 8 of ARCHITECTURE.md §5. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { AsyncState, Context, Depends, QTasks, task } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { FaultyStorage } from '../support/faulty.js';
import { overlap } from '../support/overlap.js';
import { gate } from '../support/promises.js';

class Counter extends AsyncState<{ count: number }> {
  static readonly id = 'counter';
}

describe('exclusive', () => {
  it('4 runs of a session never overlap, in two apps on one storage', async () => {
    const { dep, seen } = overlap();
    const work = task('work', { dep }, () => settle(), { exclusive: true });
    const storage = memory();
    const apps = [1, 2].map(() => new QTasks({ storage, tasks: { work } }));
    const runs = apps.flatMap((app) =>
      [1, 2, 3].flatMap(() => [app.run(work), app.session('ann').run(work)]),
    );
    await Promise.all(runs);
    // The two sessions do not wait for each other.
    expect(seen).toEqual({ entered: 12, now: 0, most: 2 });
  });

  it('4 runs of a session never overlap with those of another exclusive task', async () => {
    const { dep, seen } = overlap();
    const app = new QTasks({ storage: memory() });
    const one = app.task('one', { dep }, () => settle(), { exclusive: true });
    const other = app.task('other', { dep }, () => settle(), { exclusive: true });
    await Promise.all([one(), other(), one(), other()]);
    expect(seen).toEqual({ entered: 4, now: 0, most: 1 });
  });

  it('4 runs may overlap with those that are not exclusive', async () => {
    const { dep, seen } = overlap();
    const app = new QTasks({ storage: memory() });
    const alone = app.task('alone', { dep }, () => settle(), { exclusive: true });
    const any = app.task('any', { dep }, () => settle());
    await Promise.all([alone(), any(), any()]);
    expect(seen.most).toBe(3);
  });

  it('4 runs never overlap in one app without storage', async () => {
    const { dep, seen } = overlap();
    const app = new QTasks();
    const work = app.task('work', { dep }, () => settle(), { exclusive: true });
    await Promise.all([work(), work(), app.session('ann').run(work), work()]);
    expect(seen).toEqual({ entered: 4, now: 0, most: 2 });
  });

  it('4 runs lose no step between a read and a write', async () => {
    const storage = memory();
    const count = task(
      'count',
      { state: Counter },
      async ({ state }) => {
        const before = await state.get('count', 0);
        await settle();
        await state.set('count', before + 1);
      },
      { exclusive: true },
    );
    const apps = [1, 2].map(() => new QTasks({ storage, tasks: { count } }));
    await Promise.all(apps.flatMap((app) => Array.from({ length: 20 }, () => app.run(count))));
    expect(await apps[0]?.state(Counter).get('count')).toBe(40);
  });

  it('4 runs of apps with different names, or on different storages, do not wait for each other', async () => {
    const { dep, seen } = overlap();
    const work = task('work', { dep }, () => settle(), { exclusive: true });
    const storage = memory();
    const apps = [
      new QTasks({ name: 'a', storage, tasks: { work } }),
      new QTasks({ name: 'b', storage, tasks: { work } }),
      new QTasks({ name: 'a', storage: memory(), tasks: { work } }),
    ];
    await Promise.all(apps.map((app) => app.run(work)));
    expect(seen.most).toBe(3);
  });
});

describe('the hold of an exclusive run', () => {
  it('8 is taken first and the slot after it: who waits for it leaves the slot to others', async () => {
    const app = new QTasks({ concurrency: 2, storage: memory() });
    const { promise, resolve } = gate();
    const alone = app.task('alone', () => promise, { exclusive: true });
    const runs = [alone(), alone(), alone()];
    await settle();
    expect(app.inspect().runs.map(({ waitsFor }) => waitsFor)).toEqual([null, 'hold', 'hold']);
    const quick = app.task('quick', () => 'value');
    expect(await quick()).toBe('value');
    resolve();
    await Promise.all(runs);
  });

  it('8 is kept while it waits for a slot', async () => {
    const storage = memory();
    const app = new QTasks({ concurrency: 1, storage });
    const other = new QTasks({ storage });
    const { promise, resolve } = gate();
    const busy = app.task('busy', () => promise)();
    const order: string[] = [];
    const options = { exclusive: true };
    const mine = app.task('mine', () => order.push('mine'), options)();
    await settle();
    const theirs = other.task('theirs', () => order.push('theirs'), options)();
    await settle();
    expect(app.inspect().runs.find(({ task }) => task === 'mine')?.waitsFor).toBe('slot');
    expect(other.inspect().runs[0]?.waitsFor).toBe('hold');
    resolve();
    await Promise.all([busy, mine, theirs]);
    expect(order).toEqual(['mine', 'theirs']);
  });

  it('8 is taken for each attempt anew: another run goes between two of them', async () => {
    const clock = new ManualClock();
    const storage = new FaultyStorage();
    const app = new QTasks({ clock, storage });
    const order: string[] = [];
    const flaky = app.task(
      'flaky',
      { ctx: Context },
      ({ ctx }) => {
        order.push(`flaky ${ctx.attempt}`);
        if (ctx.attempt === 1) throw new Error('no');
      },
      { exclusive: true, retry: { limit: 1, delay: 100 } },
    );
    const other = app.task('other', () => order.push('other'), { exclusive: true });
    const runs = [flaky().settled, other().settled];
    await clock.advance(100);
    await Promise.all(runs);
    expect(order).toEqual(['flaky 1', 'other', 'flaky 2']);
    expect(storage.locks).toHaveLength(3);
  });

  it('8 is kept through teardown, and free as soon as the run has settled', async () => {
    const storage = memory();
    const { promise, resolve } = gate();
    const order: string[] = [];
    const dep = Depends(async function* () {
      yield;
      await promise;
      order.push('closed');
    });
    const apps = [new QTasks({ storage }), new QTasks({ storage })] as const;
    const options = { exclusive: true };
    const first = apps[0].task('first', { dep }, () => order.push('first'), options)();
    const second = apps[1].task('second', () => order.push('second'), options);
    const waiting = second();
    await settle();
    expect(order).toEqual(['first']);
    resolve();
    await Promise.all([first, waiting]);
    expect(order).toEqual(['first', 'closed', 'second']);
    await second();
    // Would wait for ever otherwise.
    const release = await storage.lock?.({ app: 'qtasks', session: '' }, {});
    await release?.();
    expect(order).toHaveLength(4);
  });
});
