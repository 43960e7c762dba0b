/** Runs that are given an id: who joins which, what is remembered, for how long and of how many. */
import { describe, expect, it } from 'vitest';
import { Context, isQTasksError, QTasks, type RememberOptions } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, rejection, turn } from '../support/promises.js';
import { countedSignal } from '../support/signals.js';

const no = new Error('no');

/** An app with a task that counts its calls. */
function counting(remember: RememberOptions = {}) {
  const clock = new ManualClock();
  const app = new QTasks({ clock, remember });
  const seen = { calls: 0 };
  const work = app.task('work', async () => {
    await null;
    return ++seen.calls;
  });
  return { clock, app, seen, work };
}

describe('who runs a task with the id of a run', () => {
  it('that goes on gets that same run, however it is run', async () => {
    const { app, seen, work } = counting();
    const run = app.with({ id: 'a' }).run(work);
    expect(app.with({ id: 'a' }).run(work)).toBe(run);
    expect(app.with({ id: 'b' }).with({ id: 'a' }).run(work)).toBe(run);
    const byName: unknown = Reflect.apply(app.with({ id: 'a' }).run, undefined, ['work']);
    expect(byName).toBe(run);
    expect(run.id).toBe('a');
    expect(await run).toBe(1);
    expect(seen.calls).toBe(1);
  });

  it('that waits, is retried or is being cancelled gets that same run, too', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, concurrency: 1 });
    const { promise, resolve } = gate();
    const busy = app.task('busy', () => promise)();
    const flaky = app.task(
      'flaky',
      { ctx: Context },
      async ({ ctx }) => {
        if (ctx.attempt === 1) throw no;
        return never;
      },
      { retry: 1, grace: 50 },
    );
    const client = app.with({ id: 'a' });
    const run = client.run(flaky);
    const again: unknown[] = [];
    const join = (status: string): void => {
      expect(run.status).toBe(status);
      again.push(client.run(flaky));
    };
    join('new');
    resolve();
    await settle();
    join('retry');
    await clock.advance(200);
    join('process');
    run.cancel('stop');
    join('process');
    await clock.advance(50);
    expect(again.every((one) => one === run)).toBe(true);
    expect(await rejection(run)).toBe('stop');
    await busy;
    // It has ended "cancel": forgotten.
    const next = client.run(flaky);
    expect(next).not.toBe(run);
    next.cancel();
    await clock.advance(50);
  });

  it('that has succeeded gets that same run, with its value, whatever the arguments', async () => {
    const app = new QTasks();
    const echo = app.task('echo', (value: object) => value);
    const client = app.with({ id: 'a' });
    const given = {};
    const run = client.run(echo, given);
    await run;
    const again = client.run(echo, { other: true });
    expect(again).toBe(run);
    expect(await again).toBe(given);
    expect(await again.settled).toMatchObject({ status: 'success', attempts: 1 });
  });

  it('that has failed, was cancelled or was refused gets a new one', async () => {
    const app = new QTasks();
    const client = app.with({ id: 'a' });
    let calls = 0;
    const work = app.task('work', { ctx: Context }, ({ ctx }) => {
      calls++;
      if (calls === 1) throw no;
      if (calls === 2) ctx.cancel('stop');
      return calls;
    });
    expect(await rejection(client.run(work))).toBe(no);
    expect(await rejection(client.run(work))).toBe('stop');
    const unknown: PromiseLike<unknown> = Reflect.apply(client.run, undefined, ['nobody']);
    expect(isQTasksError(await rejection(unknown), 'TASK_UNKNOWN')).toBe(true);
    expect(await client.run(work)).toBe(3);
    expect(await client.run(work)).toBe(3);
  });

  it('of another task is refused with OPTION_INVALID, while it goes on and after', async () => {
    const { app, work } = counting();
    const other = app.task('other', () => 'other');
    const client = app.with({ id: 'a' });
    const run = client.run(work);
    for (const isOver of [false, true]) {
      if (isOver) await run;
      const refused = client.run(other);
      expect(await refused.settled).toMatchObject({ status: 'error', attempts: 0 });
      const error = await rejection(refused);
      expect(isQTasksError(error, 'OPTION_INVALID') && error.message).toContain('"work"');
      // The refusal is not remembered in the place of the run.
      expect(client.run(work)).toBe(run);
    }
  });

  it('of another session gets a run of its own, however names and ids are cut', async () => {
    const { app, seen, work } = counting();
    const places = [
      ['a', 'b'],
      ['a:', 'b'],
      ['a', ':b'],
      ['1:a', 'b'],
      ['1', ':ab'],
      ['ab', 'c'],
      ['a', 'bc'],
      ['__proto__', '__proto__'],
      ['constructor', 'toString'],
      ['\ud800', '\udc00'],
      ['\ud800\udc00', ' '],
    ] as const;
    const runs = places.map(([session, id]) => app.session(session).with({ id }).run(work));
    runs.push(app.with({ id: 'b' }).run(work), app.with({ id: 'a1:b' }).run(work));
    await Promise.all(runs);
    expect(seen.calls).toBe(places.length + 2);
    for (const [index, [session, id]] of places.entries()) {
      expect(app.with({ id }).session(session).run(work)).toBe(runs[index]);
    }
  });
});

describe('a joined run', () => {
  it('keeps the settings that it was started with', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const sleeps = app.task('sleeps', { ctx: Context }, ({ ctx }) => ctx.sleep(100));
    const run = app.with({ id: 'a' }).run(sleeps);
    const again = app.with({ id: 'a', timeout: 10, priority: -1 }).run(sleeps);
    await clock.advance(100);
    expect(again).toBe(run);
    expect((await run.settled).status).toBe('success');
  });

  it("is not cancelled by the joiner's signal, and leaves no listener there", async () => {
    const { app, work } = counting();
    const { controller, signal, listeners } = countedSignal();
    const run = app.with({ id: 'a' }).run(work);
    expect(app.with({ id: 'a', signal }).run(work)).toBe(run);
    expect(listeners.size).toBe(0);
    controller.abort('stop');
    expect(await run).toBe(1);
  });

  it('is not what a signal that has aborted gets: that is a refused run of its own', async () => {
    const { app, seen, work } = counting();
    const client = app.with({ id: 'a' });
    const aborted = client.with({ signal: AbortSignal.abort('stop') });
    const run = client.run(work);
    for (const isOver of [false, true]) {
      if (isOver) await run;
      const refused = aborted.run(work);
      expect(refused).not.toBe(run);
      expect(await refused.settled).toMatchObject({ status: 'cancel', error: 'stop', attempts: 0 });
      expect(client.run(work)).toBe(run);
    }
    expect(seen.calls).toBe(1);
  });

  it('has one reader among all who joined', async () => {
    const app = new QTasks();
    const stream = app.task('stream', function* () {
      yield 1;
    });
    const client = app.with({ id: 'a' });
    const [one, other] = [client.run(stream), client.run(stream)];
    one[Symbol.asyncIterator]();
    let error: unknown;
    try {
      other[Symbol.asyncIterator]();
    } catch (thrown) {
      error = thrown;
    }
    expect(isQTasksError(error, 'OPTION_INVALID')).toBe(true);
    await one;
  });

  it('is looked at by whoever joins: its failure surfaces nowhere else', async () => {
    const app = new QTasks();
    const errors: unknown[] = [];
    app.on('error', ({ error }) => errors.push(error));
    const fails = app.task('fails', () => settle().then(() => Promise.reject(no)));
    const client = app.with({ id: 'a' });
    void client.run(fails);
    expect(await rejection(client.run(fails))).toBe(no);
    await turn();
    expect(errors).toEqual([]);
  });

  it('is refused by a closed app like any other', async () => {
    const { app, work } = counting();
    const client = app.with({ id: 'a' });
    await client.run(work);
    const slow = app.with({ id: 'b' }).run(work);
    const closing = app.close();
    for (const id of ['a', 'b']) {
      expect(isQTasksError(await rejection(app.with({ id }).run(work)), 'APP_CLOSED')).toBe(true);
    }
    await closing;
    expect(await slow).toBe(2);
  });
});

describe('what is remembered', () => {
  it('is forgotten once the ttl is over, counted from the success', async () => {
    const { clock, app, work } = counting({ ttl: 100 });
    const client = app.with({ id: 'a' });
    const run = client.run(work);
    await run;
    await clock.advance(99);
    expect(client.run(work)).toBe(run);
    // Joining is no use that would keep it.
    await clock.advance(1);
    const next = client.run(work);
    expect(next).not.toBe(run);
    expect(await next).toBe(2);
  });

  it('is ten minutes and 1,000 runs by default', async () => {
    const { clock, app, work } = counting();
    const runOne = (number: number) => app.with({ id: `${number}` }).run(work);
    const runs = Array.from({ length: 1_001 }, (_, number) => runOne(number));
    await Promise.all(runs);
    expect(runOne(1)).toBe(runs[1]);
    expect(runOne(1_000)).toBe(runs[1_000]);
    const again = runOne(0);
    expect(again).not.toBe(runs[0]);
    await again;
    await clock.advance(599_999);
    expect(runOne(1_000)).toBe(runs[1_000]);
    await clock.advance(1);
    const late = runOne(1_000);
    expect(late).not.toBe(runs[1_000]);
    await late;
  });

  it('is the newest up to the limit, by when they succeeded, of all sessions together', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, remember: { limit: 2 } });
    const gates = [gate(), gate(), gate()];
    const waits = app.task('waits', (index: number) => gates[index]?.promise);
    const start = (index: number) => app.session(`${index}`).with({ id: 'a' }).run(waits, index);
    const runs = [start(0), start(1), start(2)];
    for (const index of [2, 0, 1]) {
      gates[index]?.resolve();
      await runs[index];
    }
    expect([start(0), start(1)]).toEqual([runs[0], runs[1]]);
    expect(start(0)).toBe(runs[0]);
    const again = start(2);
    expect(again).not.toBe(runs[2]);
    await again;
  });

  it('is as new as its last success, where an id was used again after its ttl', async () => {
    const { clock, app, work } = counting({ limit: 2, ttl: 100 });
    const start = (id: string) => app.with({ id }).run(work);
    await start('a');
    await clock.advance(50);
    await start('b');
    await clock.advance(60);
    const again = start('a');
    await again;
    await start('c');
    expect(start('a')).toBe(again);
    expect(await start('b')).toBe(5);
  });

  it('is nothing with a limit or a ttl of 0, but who goes on is joined', async () => {
    for (const remember of [{ limit: 0 }, { ttl: 0 }]) {
      const { app, work } = counting(remember);
      const client = app.with({ id: 'a' });
      const run = client.run(work);
      expect(client.run(work)).toBe(run);
      expect(await run).toBe(1);
      expect(await client.run(work)).toBe(2);
    }
  });

  it('is everything, for ever, where both are Infinity', async () => {
    const { clock, app, work } = counting({ limit: Infinity, ttl: Infinity });
    const runs = Array.from({ length: 2_000 }, (_, id) => app.with({ id: `${id}` }).run(work));
    await Promise.all(runs);
    await clock.advance(1e12);
    expect(app.with({ id: '0' }).run(work)).toBe(runs[0]);
    expect(clock.pending).toBe(0);
  });

  it('is nothing of a run that was given no id', async () => {
    const { app, seen, work } = counting();
    await Promise.all([work(), work(), app.run(work)]);
    expect(seen.calls).toBe(3);
  });

  it('is known to listeners of the end: a success is joined, after a failure a new run starts', async () => {
    const app = new QTasks();
    let calls = 0;
    const work = app.task('work', () => {
      calls++;
      if (calls === 1) throw no;
      return calls;
    });
    const client = app.with({ id: 'a' });
    const again: PromiseLike<number>[] = [];
    app.on('run:error', () => again.push(client.run(work)));
    app.on('run:success', () => again.push(client.run(work)));
    expect(await rejection(client.run(work))).toBe(no);
    expect(await Promise.all(again)).toEqual([2, 2]);
    expect(again[0]).toBe(again[1]);
  });
});
