/** Scopes that outlive a run, and shutdown: lines 21 to 26 of ARCHITECTURE.md §4. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { Context, Depends, isQTasksError, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, rejection } from '../support/promises.js';
import { traced } from '../support/traced.js';

const longer = ['session', 'worker', 'storage'] as const;

describe('first use', () => {
  for (const scope of longer) {
    it(`21 opens once for many that use it first at the same time, ${scope} scope`, async () => {
      let opened = 0;
      const app = new QTasks();
      const base = Depends(
        async () => {
          await settle();
          return { number: ++opened };
        },
        { scope },
      );
      const pool = Depends({ base }, async ({ base }) => base, { scope });
      const one = app.task('one', { pool }, ({ pool }) => pool);
      const two = app.task('two', { base }, ({ base }) => base);
      const values = await Promise.all([one(), two(), one(), two()]);
      expect(new Set(values).size).toBe(1);
      expect(opened).toBe(1);
      expect(await one()).toBe(values[0]);
    });
  }

  it('21 opens session scope once for each session, the default one too', async () => {
    let opened = 0;
    const app = new QTasks();
    const own = Depends(() => ++opened, { scope: 'session' });
    const task = app.task('t', { own }, ({ own }) => own);
    const ids = ['ann', 'bob', '__proto__', ' '];
    const first = await Promise.all([task(), ...ids.map((id) => app.session(id).run(task))]);
    expect(new Set(first).size).toBe(5);
    const again = await Promise.all([task(), ...ids.map((id) => app.session(id).run(task))]);
    expect(again).toEqual(first);
  });
});

describe('waiters', () => {
  it('22 lets a cancelled waiter leave at once and harms nobody', async () => {
    const log: string[] = [];
    const opening = gate();
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const own = Depends(() => traced(log, 'own'));
    const pool = Depends(
      async function* () {
        await opening.promise;
        yield* traced(log, 'pool');
      },
      { scope: 'worker' },
    );
    const task = app.task('t', { own, pool }, ({ pool }) => pool);
    const first = task();
    const second = task();
    await settle();
    first.cancel('enough');
    expect(await Promise.race([first.settled, settle()])).toMatchObject({ status: 'cancel' });
    expect(second.status).toBe('process');
    opening.resolve();
    expect(await second).toBe('pool');
    expect(await task()).toBe('pool');
    expect(log.filter((line) => line.endsWith('pool'))).toEqual(['+pool']);
    await app.close();
    expect(log.filter((line) => line.endsWith('pool'))).toEqual(['+pool', '-pool']);
  });

  it('22 keeps what opens after its only waiter has left, for the next use', async () => {
    const log: string[] = [];
    const opening = gate();
    const app = new QTasks({ clock: new ManualClock() });
    const pool = Depends(
      async function* () {
        await opening.promise;
        yield* traced(log, 'pool');
      },
      { scope: 'session' },
    );
    const task = app.task('t', { pool }, ({ pool }) => pool);
    const run = task();
    await settle();
    run.cancel();
    await rejection(run);
    opening.resolve();
    await settle();
    expect(log).toEqual(['+pool']);
    expect(await task()).toBe('pool');
    expect(log).toEqual(['+pool']);
    await app.close();
    expect(log).toEqual(['+pool', '-pool']);
  });
});

describe('a first use that fails', () => {
  it('23 tells every waiter of the same error, keeps nothing and tries again at the next use', async () => {
    let tries = 0;
    const no = new Error('no');
    const log: string[] = [];
    const app = new QTasks();
    const pool = Depends(
      async function* () {
        tries++;
        try {
          await settle();
          if (tries === 1) throw no;
          yield `pool${tries}`;
        } finally {
          log.push(`closed${tries}`);
        }
      },
      { scope: 'worker' },
    );
    const task = app.task('t', { pool }, ({ pool }) => pool);
    const errors = await Promise.all([rejection(task()), rejection(task())]);
    expect(errors.every((error) => error === no)).toBe(true);
    expect(tries).toBe(1);
    expect(log).toEqual(['closed1']);
    expect(await task()).toBe('pool2');
    expect(await task()).toBe('pool2');
    await app.close();
    expect(log).toEqual(['closed1', 'closed2']);
  });

  it('23 keeps what a failed one needed, and fails those who need the failed one', async () => {
    const log: string[] = [];
    let tries = 0;
    const app = new QTasks();
    const base = Depends(() => traced(log, 'base'), { scope: 'worker' });
    const middle = Depends(
      { base },
      () => {
        if (++tries === 1) throw 'no';
        return 'middle';
      },
      { scope: 'worker' },
    );
    const top = Depends({ middle }, ({ middle }) => `top of ${middle}`, { scope: 'session' });
    const task = app.task('t', { top }, ({ top }) => top);
    expect(await rejection(task())).toBe('no');
    expect(await task()).toBe('top of middle');
    expect(log).toEqual(['+base']);
  });

  it('23 tries again after an opening that took too long, and closes that one as it comes', async () => {
    const log: string[] = [];
    const slow = gate();
    let tries = 0;
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const pool = Depends(
      async function* () {
        const name = `pool${++tries}`;
        if (tries === 1) await slow.promise;
        yield* traced(log, name);
      },
      { scope: 'worker', timeout: 10 },
    );
    const task = app.task('t', { pool }, ({ pool }) => pool);
    const first = rejection(task());
    await clock.advance(10);
    const error = await first;
    expect(isQTasksError(error, 'TASK_TIMEOUT')).toBe(true);
    expect(await task()).toBe('pool2');
    slow.resolve();
    await settle();
    expect(log).toEqual(['+pool2', '+pool1', `!pool1 ${(error as Error).message}`]);
    expect(await task()).toBe('pool2');
    await app.close();
    expect(log.at(-1)).toBe('-pool2');
  });
});

describe('the end of a task', () => {
  for (const scope of longer) {
    it(`24 closes nothing in ${scope} scope, however the task ends`, async () => {
      const log: string[] = [];
      const app = new QTasks();
      const pool = Depends(() => traced(log, 'pool'), { scope });
      const good = app.task('good', { pool }, () => {});
      const bad = app.task('bad', { pool }, () => {
        throw 'no';
      });
      const cancelled = app.task('cancelled', { pool, ctx: Context }, ({ ctx }) => ctx.cancel());
      await good();
      await rejection(bad());
      await rejection(cancelled());
      await settle();
      expect(log).toEqual(['+pool']);
      await app.close();
      expect(log).toEqual(['+pool', '-pool']);
    });
  }

  it('24 keeps it for all attempts of a run', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const pool = Depends(() => traced(log, 'pool'), { scope: 'worker' });
    const fails = app.task(
      't',
      { pool },
      () => {
        throw 'no';
      },
      { retry: 2 },
    );
    const { settled } = fails();
    await clock.advance(60_000);
    expect(await settled).toMatchObject({ attempts: 3 });
    expect(log).toEqual(['+pool']);
  });
});

describe('separate instances', () => {
  it('25 lets a slow one block no other', async () => {
    const app = new QTasks();
    const stuck = Depends(() => never, { scope: 'worker' });
    const quick = Depends(async () => 'quick', { scope: 'worker' });
    const run = app.task('stuck', { stuck }, () => {})();
    await settle();
    expect(await app.task('quick', { quick }, ({ quick }) => quick)()).toBe('quick');
    expect(run.status).toBe('process');
    run.cancel();
  });

  it('25 shares storage scope among the apps on one storage object until the last one closes', async () => {
    const log: string[] = [];
    let opened = 0;
    const storage = memory();
    const pool = Depends(() => traced(log, `pool${++opened}`), { scope: 'storage' });
    const make = (on = storage) => {
      const app = new QTasks({ storage: on });
      return { app, use: app.task('t', { pool }, ({ pool }) => pool) };
    };
    const [one, two] = [make(), make()];
    const other = make(memory());
    expect(await Promise.all([one.use(), two.use(), other.use()])).toEqual([
      'pool1',
      'pool1',
      'pool2',
    ]);
    await one.app.close();
    await one.app.close();
    expect(await two.use()).toBe('pool1');
    expect(log).toEqual(['+pool1', '+pool2']);
    await two.app.close();
    expect(log).toEqual(['+pool1', '+pool2', '-pool1']);
    await other.app.close();
    const next = make();
    expect(await next.use()).toBe('pool3');
    await next.app.close();
    expect(log.slice(3)).toEqual(['-pool2', '+pool3', '-pool3']);
  });

  it('25 closes storage scope although an app on it could not be made', async () => {
    const log: string[] = [];
    const storage = memory();
    const pool = Depends(() => traced(log, 'pool'), { scope: 'storage' });
    const app = new QTasks({ storage });
    const use = app.task('t', { pool }, () => {});
    expect(
      () => new QTasks({ storage, tasks: { use, twin: new QTasks().task('t', () => {}) } }),
    ).toThrow();
    await use();
    await app.close();
    expect(log).toEqual(['+pool', '-pool']);
  });

  it('25 gives each app without a storage a storage scope of its own', async () => {
    let opened = 0;
    const pool = Depends(() => ++opened, { scope: 'storage' });
    const use = () => new QTasks().task('t', { pool }, ({ pool }) => pool)();
    expect([await use(), await use()]).toEqual([1, 2]);
  });

  it('25 makes another instance for an override under an open one, and returns to the first', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const base = Depends(() => traced(log, 'base'), { scope: 'worker' });
    const pool = Depends({ base }, ({ base }) => traced(log, `pool of ${base}`), {
      scope: 'worker',
    });
    const task = app.task('t', { pool }, ({ pool }) => pool);
    expect(await task()).toBe('pool of base');
    const override = app.override(base, () => 'fake');
    expect(await task()).toBe('pool of fake');
    override.restore();
    expect(await task()).toBe('pool of base');
    expect(log).toEqual(['+base', '+pool of base', '+pool of fake']);
    await app.close();
    expect(log.slice(3)).toEqual(['-pool of fake', '-pool of base', '-base']);
  });

  it('25 gives each place in the graph its own with cache: false, the same at every use', async () => {
    const log: string[] = [];
    let opened = 0;
    const app = new QTasks();
    const own = Depends(() => traced(log, `own${++opened}`), { scope: 'worker', cache: false });
    const left = Depends({ own }, ({ own }) => own, { scope: 'worker' });
    const right = Depends({ own }, ({ own }) => own, { scope: 'worker' });
    const task = app.task('t', { own, left, right }, (all) => Object.values(all));
    const other = app.task('u', { own, left }, (all) => Object.values(all));
    const first = await task();
    expect(new Set(first).size).toBe(3);
    expect(await task()).toEqual(first);
    const [elsewhere, shared] = await other();
    expect(shared).toBe(first[1]);
    expect(first).not.toContain(elsewhere);
    expect(opened).toBe(4);
    await app.close();
    expect(log).toHaveLength(8);
  });

  it('25 tells places apart whatever their names are', async () => {
    let opened = 0;
    const app = new QTasks();
    const own = Depends(() => ++opened, { scope: 'worker', cache: false });
    const middle = Depends({ c: own }, ({ c }) => c);
    const one = app.task('a', { b: middle, 'b > c': own }, (all) => Object.values(all));
    const other = app.task('a > b', { c: own }, ({ c }) => c);
    expect(new Set([...(await one()), await other()]).size).toBe(3);
  });

  it("25 waits for a session's runs as the session closes, and for no others", async () => {
    const log: string[] = [];
    const app = new QTasks();
    const own = Depends(() => traced(log, 'own'), { scope: 'session' });
    const ends = gate();
    const task = app.task('t', { own }, async () => {
      await ends.promise;
      log.push('done');
    });
    const quick = app.task('quick', { own }, () => {});
    const ann = app.session('ann');
    const run = ann.run(task);
    const bob = app.session('bob').run(task);
    let closed = false;
    const closing = ann.close().then(() => {
      closed = true;
    });
    await settle();
    expect(closed).toBe(false);
    expect(log).toEqual(['+own', '+own']);
    await ann.run(quick);
    expect(log).toEqual(['+own', '+own', '+own']);
    ends.resolve();
    await Promise.all([run, closing, bob]);
    expect(log.slice(3).sort()).toEqual(['-own', 'done', 'done']);
    await app.close();
    expect(log.filter((line) => line === '-own')).toHaveLength(3);
  });

  it('25 aborts what is left of a session after drain, and opens afresh at the next use', async () => {
    const log: string[] = [];
    let opened = 0;
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const own = Depends(() => traced(log, `own${++opened}`), { scope: 'session' });
    const waits = app.task('waits', { own, ctx: Context }, ({ ctx }) => ctx.sleep(60_000));
    const use = app.task('use', { own }, ({ own }) => own);
    const ann = app.session('ann');
    const run = ann.run(waits);
    const closing = ann.close({ drain: 100 });
    await clock.advance(99);
    expect(run.status).toBe('process');
    await clock.advance(1);
    await closing;
    expect(isQTasksError(await rejection(run), 'APP_CLOSED')).toBe(true);
    expect(log).toEqual(['+own1', '-own1']);
    expect(await ann.run(use)).toBe('own2');
  });
});

describe('shutdown', () => {
  it('26 refuses new runs, also while it drains', async () => {
    const app = new QTasks();
    const ends = gate();
    const run = app.task('t', () => ends.promise)();
    const task = app.task('late', () => {});
    const closing = app.close();
    expect(isQTasksError(await rejection(task()), 'APP_CLOSED')).toBe(true);
    expect(isQTasksError(await rejection(app.session('ann').run(task)), 'APP_CLOSED')).toBe(true);
    ends.resolve();
    await Promise.all([run, closing]);
    expect(isQTasksError(await rejection(task()), 'APP_CLOSED')).toBe(true);
  });

  it('26 waits up to drain, then aborts with APP_CLOSED and waits for the teardown', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const closing = gate();
    const pool = Depends(() => traced(log, 'pool'), { scope: 'worker' });
    const dep = Depends({ pool }, async function* () {
      try {
        yield;
      } catch (error) {
        log.push(isQTasksError(error, 'APP_CLOSED') ? 'told' : 'not told');
        await closing.promise;
        log.push('torn down');
      }
    });
    const run = app.task('t', { dep, ctx: Context }, ({ ctx }) => ctx.sleep(60_000))();
    let closed = false;
    const end = app.close({ drain: 100 }).then(() => {
      closed = true;
    });
    await clock.advance(99);
    expect(log).toEqual(['+pool']);
    await clock.advance(1);
    expect(log).toEqual(['+pool', 'told']);
    await clock.advance(60_000);
    expect(closed).toBe(false);
    closing.resolve();
    await end;
    expect(log).toEqual(['+pool', 'told', 'torn down', '-pool']);
    expect(await run.settled).toMatchObject({ status: 'cancel' });
    expect(clock.pending).toBe(0);
  });

  it('26 waits 10 seconds where no drain is given', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const run = app.task('t', { ctx: Context }, ({ ctx }) => ctx.sleep(60_000))();
    const closing = app.close();
    await clock.advance(9_999);
    expect(run.status).toBe('process');
    await clock.advance(1);
    await closing;
    expect(run.status).toBe('cancel');
  });

  it('26 lets go of its timer when all runs end in time, and ends those that wait for a slot', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock, concurrency: 1 });
    const ends = gate();
    const task = app.task('t', async (name: string) => {
      await ends.promise;
      log.push(name);
    });
    const runs = [task('first'), task('second')];
    const closing = app.close();
    ends.resolve();
    await Promise.all([...runs, closing]);
    expect(log).toEqual(['first', 'second']);
    expect(clock.pending).toBe(0);
  });

  it('26 aborts runs that wait for a slot and runs that wait for a retry', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, concurrency: 1 });
    const task = app.task('t', { ctx: Context }, ({ ctx }) => ctx.sleep(60_000));
    const flaky = app.task(
      'flaky',
      () => {
        throw 'no';
      },
      { retry: { limit: 1, delay: 50_000, maxDelay: 50_000, jitter: false } },
    );
    const runs = [flaky(), task(), task()];
    await settle();
    expect(runs.map(({ status }) => status)).toEqual(['retry', 'process', 'new']);
    const closing = app.close({ drain: 10 });
    await clock.advance(10);
    await closing;
    for (const run of runs) {
      const { status, error } = await run.settled;
      expect(status).toBe('cancel');
      expect(isQTasksError(error, 'APP_CLOSED')).toBe(true);
    }
    expect(clock.pending).toBe(0);
  });

  it('26 closes session, worker and storage scope in this order, each in reverse', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const make = (name: string, scope: (typeof longer)[number]) =>
      Depends(() => traced(log, name), { scope });
    const needs = {
      own1: make('own1', 'session'),
      own2: make('own2', 'session'),
      pool1: make('pool1', 'worker'),
      pool2: make('pool2', 'worker'),
      host1: make('host1', 'storage'),
      host2: make('host2', 'storage'),
    };
    await app.task('t', needs, () => {})();
    await app.close();
    expect(log.slice(6)).toEqual(['-own2', '-own1', '-pool2', '-pool1', '-host2', '-host1']);
  });

  it('26 waits for a session that is closing before it closes what that needs', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const closing = gate();
    const pool = Depends(() => traced(log, 'pool'), { scope: 'worker' });
    const own = Depends(
      { pool },
      async function* () {
        yield;
        await closing.promise;
        log.push('own closed');
      },
      { scope: 'session' },
    );
    const ann = app.session('ann');
    await ann.run(app.task('t', { own }, () => {}));
    const both = [ann.close(), app.close()];
    await settle();
    expect(log).toEqual(['+pool']);
    closing.resolve();
    await Promise.all(both);
    expect(log).toEqual(['+pool', 'own closed', '-pool']);
  });

  it('26 starts no opening in a scope that has closed meanwhile', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 10 });
    const late = gate();
    const pool = Depends(
      async function* () {
        await late.promise;
        yield* traced(log, 'pool');
      },
      { scope: 'worker' },
    );
    const own = Depends({ pool }, () => traced(log, 'own'), { scope: 'session' });
    const ann = app.session('ann');
    const run = ann.run(app.task('t', { own }, () => {}));
    await settle();
    run.cancel();
    await run.settled;
    const closing = ann.close();
    await clock.advance(10);
    await closing;
    late.resolve();
    await settle();
    await app.close();
    expect(log).toEqual(['+pool', '-pool']);
  });

  it('26 closes the rest although some fail, and rejects with all of it', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const breaks = (error: string, scope: (typeof longer)[number]) =>
      Depends(
        function* () {
          yield;
          throw error;
        },
        { scope },
      );
    const good = Depends(() => traced(log, 'good'), { scope: 'worker' });
    const last = Depends(() => traced(log, 'last'), { scope: 'storage' });
    const needs = { last, good, own: breaks('own', 'session'), pool: breaks('pool', 'worker') };
    const told: unknown[] = [];
    app.on('dependency:error', ({ dependency, error }) => told.push([dependency, error]));
    await app.task('t', needs, () => {})();
    const error = await rejection(app.close());
    if (!isQTasksError(error, 'CLEANUP_FAILED')) throw error;
    expect(error.cause).toBe('own');
    expect(error.data).toEqual({ errors: ['own', 'pool'], value: undefined });
    expect(told).toEqual([
      ['own', 'own'],
      ['pool', 'pool'],
    ]);
    expect(log).toEqual(['+last', '+good', '-good', '-last']);
  });

  it('26 does not deadlock when a task closes its own app and waits for it', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 20 });
    const pool = Depends(() => traced(log, 'pool'), { scope: 'worker' });
    const own = Depends(() => traced(log, 'own'));
    const run = app.task('t', { pool, own }, () => app.close({ drain: 100 }))();
    await clock.advance(120);
    const { status, error } = await run.settled;
    expect(status).toBe('cancel');
    expect(isQTasksError(error, 'APP_CLOSED')).toBe(true);
    await app.close();
    expect(log.at(-1)).toBe('-pool');
    expect(log).toHaveLength(4);
  });

  it('26 does not deadlock when a task closes its own session and waits for it', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 20 });
    const own = Depends(() => traced(log, 'own'), { scope: 'session' });
    const run = app
      .session('ann')
      .run(app.task('t', { own }, () => app.session('ann').close({ drain: 100 })));
    await clock.advance(120);
    expect(isQTasksError(await rejection(run), 'APP_CLOSED')).toBe(true);
    await settle();
    expect(log).toEqual(['+own', '-own']);
  });

  it('26 ends well for a task that closes its app without waiting for it', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const pool = Depends(() => traced(log, 'pool'), { scope: 'worker' });
    let closing: Promise<void> | undefined;
    const run = app.task('t', { pool }, () => {
      closing = app.close();
      return 'value';
    })();
    expect(await run).toBe('value');
    await closing;
    expect(log).toEqual(['+pool', '-pool']);
  });

  it('26 waits for what is still opening, for grace at most, and closes it when it comes', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 50 });
    const soon = gate();
    const late = gate();
    const slow = (name: string, ready: Promise<void>) =>
      Depends(
        async function* () {
          await ready;
          yield* traced(log, name);
        },
        { scope: 'worker' },
      );
    const a = slow('soon', soon.promise);
    const b = slow('late', late.promise);
    const run = app.task('t', { a, b }, () => log.push('body'))();
    await settle();
    run.cancel('enough');
    const closing = app.close();
    await clock.advance(49);
    soon.resolve();
    await clock.advance(1);
    await closing;
    expect(log).toEqual(['+soon', '-soon']);
    late.resolve();
    await settle();
    expect(log.map((line) => line.slice(0, 6))).toEqual(['+soon', '-soon', '+late', '!late ']);
  });

  it('26 closes in every phase of a run without leaving anything open', async () => {
    const phases = ['opening', 'body', 'closing', 'over'] as const;
    for (const phase of phases) {
      const log: string[] = [];
      const clock = new ManualClock();
      const app = new QTasks({ clock });
      const gates = { opening: gate(), body: gate(), closing: gate(), over: gate() };
      const dep = Depends(async function* () {
        await gates.opening.promise;
        yield* traced(log, 'dep');
        await gates.closing.promise;
      });
      const pool = Depends(() => traced(log, 'pool'), { scope: 'worker' });
      const run = app.task('t', { pool, dep }, () => gates.body.promise)();
      for (const before of phases.slice(0, phases.indexOf(phase))) gates[before].resolve();
      await settle();
      const closing = app.close();
      await settle();
      expect(run.status).toBe(phase === 'over' ? 'success' : 'process');
      for (const one of Object.values(gates)) one.resolve();
      await closing;
      expect(run.status).toBe('success');
      expect(log).toEqual(['+pool', '+dep', '-dep', '-pool'].sort(byLog(log)));
    }
  });
});

/** Opening is parallel, so that only the order of closing counts. */
function byLog(log: readonly string[]): (one: string, other: string) => number {
  return (one, other) => log.indexOf(one) - log.indexOf(other);
}
