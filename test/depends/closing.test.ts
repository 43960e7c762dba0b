/** Closing of dependencies: lines 10 to 20 of ARCHITECTURE.md §4. */
import { describe, expect, it } from 'vitest';
import { Context, Depends, isQTasksError, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, rejection } from '../support/promises.js';
import { traced } from '../support/traced.js';

/** A dependency whose teardown fails. */
const breaks = (log: string[], name: string, error: unknown) =>
  Depends(async function* () {
    log.push(`+${name}`);
    try {
      yield name;
      log.push(`-${name}`);
    } catch (reason) {
      log.push(`!${name} ${reason instanceof Error ? reason.message : reason}`);
    }
    throw error;
  });

describe('when task scope closes', () => {
  it('10 closes before the run settles and before its result is told', async () => {
    const log: string[] = [];
    const closing = gate();
    const db = Depends(async function* () {
      yield 'db';
      await closing.promise;
      log.push('closed');
    });
    const app = new QTasks();
    app.on('run:return', () => log.push('run:return'));
    app.on('run:success', () => log.push('run:success'));
    const run = app.task('t', { db }, () => 'value')();
    void run.settled.then(() => log.push('settled'));
    void run.then(() => log.push('resolved'));
    await settle();
    expect(log).toEqual(['run:return']);
    expect(run.status).toBe('process');
    closing.resolve();
    await settle();
    expect(log.slice(0, 2)).toEqual(['run:return', 'closed']);
    expect(log.slice(2).sort()).toEqual(['resolved', 'run:success', 'settled']);
  });

  it('10 closes before a retry is planned, and opens afresh for it', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    app.on('run:retry', () => log.push('retry'));
    const db = Depends({ ctx: Context }, ({ ctx }) => traced(log, `db${ctx.attempt}`));
    const flaky = app.task(
      'flaky',
      { db, ctx: Context },
      ({ ctx }) => {
        if (ctx.attempt < 3) throw new Error('no');
        return ctx.attempt;
      },
      { retry: { limit: 2, jitter: false } },
    );
    const run = flaky();
    await clock.advance(1_000);
    expect(await run).toBe(3);
    expect(log).toEqual(['+db1', '!db1 no', 'retry', '+db2', '!db2 no', 'retry', '+db3', '-db3']);
  });
});

describe('order of closing', () => {
  it('11 closes in the reverse of the order in which they came to be open', async () => {
    const log: string[] = [];
    const slow = gate();
    const a = Depends(async function* () {
      await slow.promise;
      yield* traced(log, 'a');
    });
    const b = Depends(() => traced(log, 'b'));
    const c = Depends({ b }, () => traced(log, 'c'));
    const app = new QTasks();
    const run = app.task('t', { a, b, c }, () => {})();
    await settle();
    slow.resolve();
    await run;
    expect(log).toEqual(['+b', '+c', '+a', '-a', '-c', '-b']);
  });

  it('11 closes one at a time', async () => {
    const log: string[] = [];
    const slow = (name: string) =>
      Depends(async function* () {
        yield;
        log.push(`${name} starts to close`);
        await settle();
        log.push(`${name} is closed`);
      });
    const app = new QTasks();
    await app.task('t', { a: slow('a'), b: slow('b') }, () => {})();
    expect(log).toEqual(['b starts to close', 'b is closed', 'a starts to close', 'a is closed']);
  });

  it('11 closes every one although others fail to', async () => {
    const log: string[] = [];
    const a = Depends(() => traced(log, 'a'));
    const b = breaks(log, 'b', new Error('b broke'));
    const c = breaks(log, 'c', new Error('c broke'));
    const d = Depends(() => traced(log, 'd'));
    const app = new QTasks();
    const run = app.task('t', { a, b, c, d }, () => {})();
    const { cleanupErrors } = await run.settled;
    expect(log.map((line) => line.slice(0, 2))).toEqual([
      ...['+a', '+b', '+c', '+d'],
      ...['-d', '-c', '!b', '!a'],
    ]);
    expect(cleanupErrors).toEqual([new Error('c broke'), new Error('b broke')]);
  });
});

/** Writes down by which method a generator is driven. */
function driven(calls: unknown[][], isAsync: boolean) {
  const step = (done: boolean) => {
    const result = { done, value: 'value' };
    return isAsync ? Promise.resolve(result) : result;
  };
  return {
    next(...given: unknown[]) {
      calls.push(['next', ...given]);
      return step(calls.length > 1);
    },
    throw(error: unknown) {
      calls.push(['throw', error]);
      return step(true);
    },
    return() {
      calls.push(['return']);
      return step(true);
    },
  };
}

describe('how a generator is closed', () => {
  for (const isAsync of [true, false]) {
    const kind = isAsync ? 'async' : 'sync';
    it(`12 drives it by next() after a success, never by return(), ${kind}`, async () => {
      const calls: unknown[][] = [];
      const app = new QTasks();
      await app.task('t', { dep: Depends(() => driven(calls, isAsync)) }, () => 'value')();
      expect(calls).toEqual([['next'], ['next']]);
    });

    it(`12 drives it by throw(error) after a failure, never by return(), ${kind}`, async () => {
      const no = new Error('no');
      const calls: unknown[][] = [];
      const app = new QTasks();
      const dep = Depends(() => driven(calls, isAsync));
      const fails = app.task('t', { dep }, () => {
        throw no;
      });
      await rejection(fails());
      expect(calls).toHaveLength(2);
      expect(calls[1]?.[0]).toBe('throw');
      expect(calls[1]?.[1]).toBe(no);
    });
  }

  it('12 runs what stands after the yield after a success only, finally always', async () => {
    const app = new QTasks();
    for (const fails of [false, true]) {
      const log: string[] = [];
      const dep = Depends(function* () {
        try {
          yield;
          log.push('commit');
        } catch (error) {
          log.push('rollback');
          throw error;
        } finally {
          log.push('finally');
        }
        log.push('after');
      });
      const run = app.task(`t${fails}`, { dep }, () => {
        if (fails) throw new Error('no');
      })();
      await run.settled;
      expect(log).toEqual(fails ? ['rollback', 'finally'] : ['commit', 'finally', 'after']);
    }
  });

  it('12 throws undefined too, where that is what the handler threw', async () => {
    const seen: unknown[] = [];
    const dep = Depends(function* () {
      try {
        yield;
        seen.push('success');
      } catch (error) {
        seen.push(error);
      }
    });
    const app = new QTasks();
    const run = app.task('t', { dep }, () => {
      throw undefined;
    })();
    expect(await run.settled).toMatchObject({ status: 'error', error: undefined });
    expect(seen).toEqual([undefined]);
  });
});

describe('a generator that yields again', () => {
  const kinds = {
    *sync(log: string[]) {
      try {
        yield 1;
        yield 2;
        log.push('never');
      } catch {
        yield 3;
        log.push('never');
      } finally {
        log.push('finally');
      }
    },
    async *async(log: string[]) {
      try {
        yield 1;
        yield 2;
        log.push('never');
      } catch {
        yield 3;
        log.push('never');
      } finally {
        log.push('finally');
      }
    },
  };
  for (const [kind, open] of Object.entries(kinds)) {
    it(`13 is ended by return(), and fails a success, ${kind}`, async () => {
      const log: string[] = [];
      const app = new QTasks();
      const run = app.task('t', { dep: Depends(() => open(log)) }, () => 'value')();
      const { status, error, cleanupErrors } = await run.settled;
      expect(status).toBe('error');
      expect(isQTasksError(error, 'CLEANUP_FAILED')).toBe(true);
      expect(cleanupErrors).toHaveLength(1);
      expect(isQTasksError(cleanupErrors[0], 'DEPENDENCY_INVALID')).toBe(true);
      expect(log).toEqual(['finally']);
    });

    it(`13 is ended by return() when it yields in its catch, ${kind}`, async () => {
      const log: string[] = [];
      const no = new Error('no');
      const outer = Depends(() => traced(log, 'outer'));
      const app = new QTasks();
      const dep = Depends({ outer }, () => open(log));
      const run = app.task('t', { dep }, () => {
        throw no;
      })();
      const { error, cleanupErrors } = await run.settled;
      expect(error).toBe(no);
      expect(cleanupErrors).toHaveLength(1);
      expect(isQTasksError(cleanupErrors[0], 'DEPENDENCY_INVALID')).toBe(true);
      expect(cleanupErrors[0]).toMatchObject({ data: { dependency: 'dep' } });
      expect(log).toEqual(['+outer', 'finally', '!outer no']);
    });
  }
});

describe('a failure and the teardown', () => {
  it('14 stays a failure though a generator swallows the error, and the others get it too', async () => {
    const log: string[] = [];
    const no = new Error('no');
    const outer = Depends(() => traced(log, 'outer'));
    const swallows = Depends({ outer }, async function* () {
      try {
        yield;
      } catch {
        log.push('swallowed');
      }
    });
    const app = new QTasks();
    const run = app.task('t', { swallows }, () => {
      throw no;
    })();
    expect(await run.settled).toMatchObject({ status: 'error', cleanupErrors: [] });
    expect(await rejection(run)).toBe(no);
    expect(log).toEqual(['+outer', 'swallowed', '!outer no']);
  });

  it('14 keeps a cancel a cancel though a generator swallows the reason', async () => {
    const app = new QTasks();
    const swallows = Depends(function* () {
      try {
        yield;
      } catch {}
    });
    const run = app.task('t', { swallows, ctx: Context }, ({ ctx }) => ctx.cancel('stop'))();
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop' });
  });

  it("15 rejects with the task's own error object though a teardown fails too", async () => {
    const log: string[] = [];
    const no = new Error('no');
    const broke = new Error('broke');
    const told: unknown[] = [];
    const app = new QTasks();
    app.on('dependency:error', ({ dependency, error, run, task, session, attempt }) =>
      told.push({ dependency, error, run, task, session, attempt }),
    );
    const outer = Depends(() => traced(log, 'outer'));
    const run = app.task('t', { outer, dep: breaks(log, 'dep', broke) }, () => {
      throw no;
    })();
    const settled = await run.settled;
    expect(settled.error).toBe(no);
    expect(settled.cleanupErrors).toEqual([broke]);
    expect(settled.cleanupErrors[0]).toBe(broke);
    expect(told).toEqual([
      { dependency: 'dep', error: broke, run: run.id, task: 't', session: '', attempt: 1 },
    ]);
    expect(log).toEqual(['+outer', '+dep', '!dep no', '!outer no']);
  });

  it('15 collects the cleanup errors of all attempts', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    let count = 0;
    const dep = Depends(function* () {
      try {
        yield;
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: what a wrong teardown does
        throw ++count;
      }
    });
    const fails = app.task(
      't',
      { dep },
      () => {
        throw 'no';
      },
      { retry: 2 },
    );
    const { settled } = fails();
    await clock.advance(60_000);
    expect(await settled).toEqual({
      status: 'error',
      error: 'no',
      attempts: 3,
      cleanupErrors: [1, 2, 3],
    });
  });

  it('16 turns a success into CLEANUP_FAILED with all errors and the value', async () => {
    const log: string[] = [];
    const first = new Error('first');
    const second = new Error('second');
    const value = { some: 'value' };
    const app = new QTasks();
    const told: unknown[] = [];
    app.on('dependency:error', ({ error }) => told.push(error));
    app.on('run:success', () => told.push('success'));
    const needs = {
      a: Depends(() => traced(log, 'a')),
      b: breaks(log, 'b', second),
      c: breaks(log, 'c', first),
      d: Depends(() => traced(log, 'd')),
    };
    const run = app.task('t', needs, () => value)();
    const settled = await run.settled;
    const { error } = settled;
    expect(settled.status).toBe('error');
    if (!isQTasksError(error, 'CLEANUP_FAILED')) throw error;
    expect(error.cause).toBe(first);
    expect(error.data.errors).toEqual([first, second]);
    expect(error.data.value).toBe(value);
    expect(settled.cleanupErrors).toEqual([first, second]);
    expect(told).toEqual([first, second]);
    const later = error.message;
    expect(log).toEqual(['+a', '+b', '+c', '+d', '-d', '-c', `!b ${later}`, `!a ${later}`]);
  });

  it('16 takes a teardown that throws undefined for a failed one', async () => {
    const app = new QTasks();
    const run = app.task('t', { dep: breaks([], 'dep', undefined) }, () => 'value')();
    const { error, cleanupErrors } = await run.settled;
    expect(isQTasksError(error, 'CLEANUP_FAILED')).toBe(true);
    expect(cleanupErrors).toEqual([undefined]);
  });

  it('16 tells later teardowns of the very error that the run will reject with', async () => {
    const seen: unknown[] = [];
    const outer = Depends(function* () {
      try {
        yield;
      } catch (error) {
        seen.push(error);
        throw error;
      }
    });
    const app = new QTasks();
    const run = app.task('t', { outer, dep: breaks([], 'dep', 'broke') }, () => {})();
    const error = await rejection(run);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBe(error);
    expect((await run.settled).cleanupErrors).toEqual(['broke']);
  });
});

describe('a teardown that takes too long', () => {
  const stuck = (log: string[]) =>
    Depends(
      async function* () {
        try {
          yield;
        } finally {
          log.push('stuck');
          await never;
        }
      },
      { closeTimeout: 20 },
    );

  it('17 is told of once its closeTimeout has passed, and the rest still closes', async () => {
    const log: string[] = [];
    const told: unknown[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    app.on('dependency:error', ({ dependency, error }) => told.push([dependency, error]));
    const a = Depends(() => traced(log, 'a'));
    const run = app.task('t', { a, b: stuck(log) }, () => 'value')();
    const { settled } = run;
    await clock.advance(19);
    expect(log).toEqual(['+a', 'stuck']);
    await clock.advance(1);
    const { error, cleanupErrors } = await settled;
    expect(isQTasksError(error, 'CLEANUP_FAILED')).toBe(true);
    expect(isQTasksError(cleanupErrors[0], 'TASK_TIMEOUT')).toBe(true);
    expect(cleanupErrors[0]).toMatchObject({ data: { dependency: 'b' } });
    expect(told).toEqual([['b', cleanupErrors[0]]]);
    expect(log).toEqual(['+a', 'stuck', `!a ${(error as Error).message}`]);
    expect(clock.pending).toBe(0);
  });

  it('17 leaves a failed run its own error', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const run = app.task('t', { a: stuck(log) }, () => {
      throw 'no';
    })();
    const { settled } = run;
    await clock.advance(20);
    const { error, cleanupErrors } = await settled;
    expect(error).toBe('no');
    expect(isQTasksError(cleanupErrors[0], 'TASK_TIMEOUT')).toBe(true);
  });

  it('17 tells of what it still throws after that', async () => {
    const late = gate();
    const told: unknown[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    app.on('dependency:error', ({ error }) => told.push(error));
    const dep = Depends(
      async function* () {
        yield;
        await late.promise;
      },
      { closeTimeout: 20 },
    );
    const { settled } = app.task('t', { dep }, () => {})();
    await clock.advance(20);
    await settled;
    late.reject('late');
    await settle();
    expect(told).toHaveLength(2);
    expect(told[1]).toBe('late');
  });

  it('17 lets go of its timer when it ends in time', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const dep = Depends(
      async function* () {
        yield;
        await settle();
      },
      { closeTimeout: 20 },
    );
    await app.task('t', { dep }, () => {})();
    expect(clock.pending).toBe(0);
  });

  it('17 counts for one that yields again and hangs as it is ended', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const outer = Depends(() => traced(log, 'outer'));
    const dep = Depends(
      { outer },
      async function* () {
        try {
          yield 1;
          yield 2;
        } finally {
          await never;
        }
      },
      { closeTimeout: 20 },
    );
    const { settled } = app.task('t', { dep }, () => 'value')();
    await clock.advance(20);
    const { error, cleanupErrors } = await settled;
    expect(isQTasksError(error, 'CLEANUP_FAILED')).toBe(true);
    expect(isQTasksError(cleanupErrors[0], 'TASK_TIMEOUT')).toBe(true);
    expect(log[1]?.startsWith('!outer')).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('17 counts for longer-lived ones too', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const log: string[] = [];
    const dep = Depends(
      async function* () {
        yield;
        await never;
      },
      { closeTimeout: 20, scope: 'worker' },
    );
    const first = Depends(() => traced(log, 'first'), { scope: 'worker' });
    await app.task('t', { first }, () => {})();
    await app.task('u', { dep }, () => {})();
    const closing = rejection(app.close());
    await clock.advance(20);
    const error = await closing;
    if (!isQTasksError(error, 'CLEANUP_FAILED')) throw error;
    expect(isQTasksError(error.cause, 'TASK_TIMEOUT')).toBe(true);
    expect(log).toEqual(['+first', '-first']);
  });
});

describe('closing again, cancelling late', () => {
  it('18 closes an app once, however often it is asked', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const db = Depends(() => traced(log, 'db'), { scope: 'worker' });
    const own = Depends(() => traced(log, 'own'), { scope: 'session' });
    await app.task('t', { db, own }, () => {})();
    await Promise.all([app.close(), app.close(), app[Symbol.asyncDispose]()]);
    await app.close();
    expect(log).toEqual(['+db', '+own', '-own', '-db']);
  });

  it('18 closes a session once, however often it is asked', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const own = Depends(() => traced(log, 'own'), { scope: 'session' });
    const ann = app.session('ann');
    await ann.run(app.task('t', { own }, () => {}));
    await Promise.all([ann.close(), ann.close()]);
    await ann.close();
    await app.close();
    expect(log).toEqual(['+own', '-own']);
  });

  it('18 lets a second close of a session wait for the first', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const closing = gate();
    const own = Depends(
      async function* () {
        yield;
        await closing.promise;
        log.push('closed');
      },
      { scope: 'session' },
    );
    const ann = app.session('ann');
    await ann.run(app.task('t', { own }, () => {}));
    const both = ['one', 'two'].map((name) => ann.close().then(() => log.push(name)));
    await settle();
    expect(log).toEqual([]);
    closing.resolve();
    await Promise.all(both);
    expect(log[0]).toBe('closed');
    expect(log).toHaveLength(3);
  });

  it('18 lets the close of a session during that of the app wait for it, too', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const closing = gate();
    const first = Depends(() => traced(log, 'first'), { scope: 'session' });
    const last = Depends(
      { first },
      async function* () {
        yield;
        await closing.promise;
        log.push('last closed');
      },
      { scope: 'session' },
    );
    const ann = app.session('ann');
    await ann.run(app.task('t', { last }, () => {}));
    const ends = [app.close()];
    await settle();
    ends.push(ann.close());
    await settle();
    expect(log).toEqual(['+first']);
    closing.resolve();
    await Promise.all(ends);
    expect(log).toEqual(['+first', 'last closed', '-first']);
  });

  it('18 gives every caller of close the same failure', async () => {
    const app = new QTasks();
    const dep = Depends(
      function* () {
        yield;
        throw 'broke';
      },
      { scope: 'worker' },
    );
    await app.task('t', { dep }, () => {})();
    const [first, second] = await Promise.all([rejection(app.close()), rejection(app.close())]);
    expect(isQTasksError(first, 'CLEANUP_FAILED')).toBe(true);
    expect(first).toBe(second);
  });

  for (const fails of [false, true]) {
    it(`19 changes nothing by a cancel during the teardown after a ${fails ? 'failure' : 'success'}`, async () => {
      const log: string[] = [];
      const closing = gate();
      const clock = new ManualClock();
      const app = new QTasks({ clock, grace: 10 });
      const signals: AbortSignal[] = [];
      const dep = Depends({ ctx: Context }, async function* ({ ctx }) {
        signals.push(ctx.signal);
        try {
          yield* traced(log, 'dep');
        } finally {
          await closing.promise;
          log.push('closed');
        }
      });
      const outer = Depends(() => traced(log, 'outer'));
      const task = app.task('t', { outer, dep }, () => {
        if (fails) throw new Error('no');
        return 'value';
      });
      const run = task();
      const { settled } = run;
      await settle();
      run.cancel('too late');
      run.cancel('too late again');
      await clock.advance(1_000);
      expect(run.status).toBe('process');
      expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
      closing.resolve();
      expect(await settled).toMatchObject(
        fails ? { status: 'error', error: new Error('no') } : { status: 'success', value: 'value' },
      );
      const close = fails ? ['!dep no', 'closed', '!outer no'] : ['-dep', 'closed', '-outer'];
      expect(log).toEqual(['+outer', '+dep', ...close]);
    });
  }

  it('19 is not disturbed by a generator that cancels its run as it is resumed', async () => {
    const app = new QTasks();
    const dep = Depends({ ctx: Context }, function* ({ ctx }) {
      yield;
      ctx.cancel('from inside');
    });
    const run = app.task('t', { dep }, () => 'value')();
    expect(await run.settled).toMatchObject({ status: 'success', value: 'value' });
  });
});

describe('slots', () => {
  it('20 frees the slot after the teardown only', async () => {
    const log: string[] = [];
    const closing = gate();
    const app = new QTasks({ concurrency: 1 });
    const dep = Depends(async function* () {
      yield;
      await closing.promise;
      log.push('closed');
    });
    const first = app.task('first', { dep }, () => {})();
    const second = app.task('second', () => log.push('second'))();
    await settle();
    expect(log).toEqual([]);
    expect(second.status).toBe('new');
    closing.resolve();
    await Promise.all([first, second]);
    expect(log).toEqual(['closed', 'second']);
  });

  it('20 needs no slot to close a late resource or a longer scope', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const late = gate();
    const app = new QTasks({ clock, concurrency: 1, grace: 0 });
    const slow = Depends(async function* () {
      await late.promise;
      yield* traced(log, 'slow');
    });
    const own = Depends(() => traced(log, 'own'), { scope: 'session' });
    await app.session('ann').run(app.task('open', { own }, () => {}));
    const first = app.task('first', { slow }, () => {})();
    first.cancel('enough');
    await clock.advance(0);
    const blocked = gate();
    const second = app.task('second', () => blocked.promise)();
    expect(second.status).toBe('process');
    late.resolve();
    await app.session('ann').close();
    await settle();
    expect(log).toEqual(['+own', '+slow', '!slow enough', '-own']);
    blocked.resolve();
    await second;
  });
});
