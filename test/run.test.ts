/** A run as its caller holds it: API.md §3. */
import { describe, expect, it } from 'vitest';
import { Context, Depends, QTasks, task } from '../src/index.js';
import { ManualClock, settle } from './support/clock.js';
import { gate, rejection, turn } from './support/promises.js';

describe('id and status', () => {
  it('has an id of its own, the same for all attempts', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const ids: string[] = [];
    const flaky = app.task(
      't',
      { ctx: Context },
      ({ ctx }) => {
        ids.push(ctx.runId);
        throw new Error('no');
      },
      { retry: 2 },
    );
    const run = flaky();
    const { settled } = run;
    await clock.advance(60_000);
    await settled;
    expect(ids).toEqual([run.id, run.id, run.id]);
    const other = app.task('other', () => {});
    expect(new Set(Array.from({ length: 1_000 }, () => other().id)).size).toBe(1_000);
  });

  it('has ids that differ from those of another app', () => {
    const make = () => new QTasks().task('t', () => {})().id;
    expect(make()).not.toBe(make());
  });

  it('is "new", "process", "retry" and then how it ended', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, concurrency: 1 });
    const blocker = gate();
    const first = app.task('first', () => blocker.promise)();
    const body = gate();
    const flaky = app.task(
      'flaky',
      { ctx: Context },
      async ({ ctx }) => {
        if (ctx.attempt === 1) throw new Error('no');
        await body.promise;
        return 'value';
      },
      { retry: { limit: 1, delay: 100, jitter: false } },
    );
    const run = flaky();
    const seen = [run.status];
    blocker.resolve();
    await first;
    await settle();
    seen.push(run.status);
    await clock.advance(100);
    seen.push(run.status);
    body.resolve();
    await run;
    seen.push(run.status);
    expect(seen).toEqual(['new', 'retry', 'process', 'success']);
    expect(first.status).toBe('success');
  });

  it('starts at once', () => {
    const log: string[] = [];
    const app = new QTasks();
    app.task('t', () => log.push('body'))();
    expect(log).toEqual(['body']);
  });

  it('ends "error" or "cancel" where it does', async () => {
    const app = new QTasks();
    const fails = app.task('fails', () => {
      throw new Error('no');
    })();
    const cancelled = app.task('cancelled', () => settle())();
    cancelled.cancel();
    await Promise.all([rejection(fails), rejection(cancelled)]);
    expect([fails.status, cancelled.status]).toEqual(['error', 'cancel']);
  });
});

describe('then', () => {
  it('gives the value to everyone who asks, also after the end', async () => {
    const app = new QTasks();
    const value = { some: 'value' };
    const run = app.task('t', async () => value)();
    const values = await Promise.all([run, run, run.then((given) => given), Promise.resolve(run)]);
    values.push(await run);
    expect(values.every((given) => given === value)).toBe(true);
  });

  it("rejects with the handler's own error object, whatever it is", async () => {
    const app = new QTasks();
    const errors = [new Error('no'), Object.freeze({ odd: true }), 'text', null, undefined, 0];
    for (const [place, error] of errors.entries()) {
      const sync = app.task(`sync${place}`, () => {
        throw error;
      });
      const later = app.task(`later${place}`, () => Promise.reject(error));
      for (const run of [sync(), later()]) {
        expect(await rejection(run)).toBe(error);
        expect(await rejection(run)).toBe(error);
        const settled = await run.settled;
        expect(settled.status).toBe('error');
        expect(settled.error).toBe(error);
      }
    }
  });

  it('chains like a promise', async () => {
    const app = new QTasks();
    const good = app.task('good', () => 1);
    const bad = app.task('bad', () => Promise.reject('no'));
    expect(await good().then((value) => value + 1)).toBe(2);
    expect(await good().then(null)).toBe(1);
    expect(await bad().then(null, (error) => `caught ${error}`)).toBe('caught no');
    expect(await rejection(bad().then(() => 'never'))).toBe('no');
    expect(await Promise.race([good(), new Promise(() => {})])).toBe(1);
  });

  it('resolves a thenable that the handler returns', async () => {
    const app = new QTasks();
    // biome-ignore lint/suspicious/noThenProperty: it is to be taken for a promise
    const thenable = { then: (yes: (value: string) => void) => yes('value') };
    const run = app.task('t', () => thenable as PromiseLike<string>)();
    expect(await run).toBe('value');
  });

  it('never throws as it is called, whatever the handler does', async () => {
    const app = new QTasks();
    const odd = {
      // biome-ignore lint/suspicious/noThenProperty: odd on purpose
      get then() {
        throw new Error('odd');
      },
    };
    const run = app.task('t', (): unknown => odd)();
    expect(await rejection(run)).toEqual(new Error('odd'));
  });
});

describe('settled', () => {
  it('never rejects and tells all there is, before, at and after the end', async () => {
    const app = new QTasks();
    const good = app.task('good', async () => 'value')();
    const early = good.settled;
    const told = { status: 'success', value: 'value', attempts: 1, cleanupErrors: [] };
    expect(await early).toEqual(told);
    expect(await good.settled).toEqual(told);
    const bad = app.task('bad', () => Promise.reject('no'))();
    expect(await bad.settled).toEqual({
      status: 'error',
      error: 'no',
      attempts: 1,
      cleanupErrors: [],
    });
  });

  it('has no attempts where nothing was started', async () => {
    const app = new QTasks();
    const { settled } = app.run(task('unknown', () => {}));
    expect(await settled).toMatchObject({ status: 'error', attempts: 0 });
  });
});

describe('cancel', () => {
  it('does nothing once it has settled', async () => {
    const app = new QTasks();
    const good = app.task('good', () => 'value')();
    expect(await good).toBe('value');
    good.cancel('late');
    expect(good.status).toBe('success');
    expect(await good).toBe('value');
    const bad = app.task('bad', () => Promise.reject('no'))();
    await rejection(bad);
    bad.cancel('late');
    expect(await bad.settled).toMatchObject({ status: 'error', error: 'no' });
  });
});

describe('a failure that nobody sees', () => {
  /** An app that writes down its "error" events. */
  const listening = () => {
    const app = new QTasks();
    const events: unknown[] = [];
    app.on('error', (event) => events.push(event));
    const no = new Error('no');
    const fails = app.task('fails', async () => {
      await settle();
      throw no;
    });
    return { app, events, no, fails };
  };

  it('becomes one "error" event', async () => {
    const { app, events, no, fails } = listening();
    const run = app.session('ann').run(fails);
    await settle();
    await turn();
    expect(events).toHaveLength(1);
    const about = { type: 'error', run: run.id, task: 'fails', session: 'ann' };
    expect(events[0]).toMatchObject({ ...about, at: expect.any(Number) });
    expect((events[0] as { error: unknown }).error).toBe(no);
  });

  it('is told to every listener of the app', async () => {
    const { app, events, fails } = listening();
    let more = 0;
    app.on('error', () => more++);
    void fails();
    await settle();
    await turn();
    expect([events.length, more]).toEqual([1, 1]);
  });

  it('is no such failure where somebody awaits it or asks for settled in time', async () => {
    const { events, fails } = listening();
    const awaited = rejection(fails());
    const { settled } = fails();
    fails().then(undefined, () => {});
    await awaited;
    await settled;
    await turn();
    expect(events).toEqual([]);
  });

  it('is one where somebody only looks at id and status, or asks after it was told', async () => {
    const { events, fails, no } = listening();
    const run = fails();
    expect(run.id).not.toBe('');
    await settle();
    await turn();
    expect(run.status).toBe('error');
    expect(events).toHaveLength(1);
    expect(await rejection(run)).toBe(no);
    await turn();
    expect(events).toHaveLength(1);
  });

  it('is one for a refused call too', async () => {
    const app = new QTasks();
    const events: unknown[] = [];
    app.on('error', ({ error }) => events.push(error));
    void app.run(task('unknown', () => {}));
    await turn();
    expect(events).toMatchObject([{ code: 'TASK_UNKNOWN' }]);
  });

  it('is none where it was cancelled', async () => {
    const { app, events } = listening();
    const clock = app.task('waits', { ctx: Context }, ({ ctx }) => ctx.sleep(1_000));
    clock().cancel(new Error('stop'));
    const aborted = app.with({ signal: AbortSignal.abort(new Error('stop')) });
    void aborted.run(clock);
    await settle();
    await turn();
    expect(events).toEqual([]);
  });

  it('is none where a later attempt succeeds', async () => {
    const { app, events } = listening();
    const flaky = app.task(
      'flaky',
      { ctx: Context },
      ({ ctx }) => {
        if (ctx.attempt < 3) throw new Error('no');
      },
      { retry: { limit: 2, delay: 0 } },
    );
    const run = flaky();
    await turn();
    await run;
    expect(events).toEqual([]);
  });

  it('is one for a teardown that fails after a success', async () => {
    const { app, events } = listening();
    const dep = Depends(function* () {
      yield;
      throw new Error('broke');
    });
    void app.task('t', { dep }, () => {})();
    await settle();
    await turn();
    expect(events).toMatchObject([{ error: { code: 'CLEANUP_FAILED' }, task: 't' }]);
  });
});
