/** Opening of dependencies: lines 1 to 9 of ARCHITECTURE.md §4. */
import { describe, expect, it } from 'vitest';
import { Context, type Dependency, Depends, isQTasksError, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, rejection } from '../support/promises.js';
import { traced } from '../support/traced.js';

describe('once per scope instance', () => {
  it('1 opens a dependency once for a diamond', async () => {
    let opened = 0;
    const base = Depends(() => ({ number: ++opened }));
    const left = Depends({ base }, ({ base }) => base);
    const right = Depends({ base }, async ({ base }) => base);
    const app = new QTasks();
    const diamond = app.task('diamond', { left, right, base }, (all) => all);
    const all = await diamond();
    expect(all.left).toBe(all.base);
    expect(all.right).toBe(all.base);
    expect(opened).toBe(1);
  });

  it('1 opens a dependency once under two names of one record, and again for the next run', async () => {
    let opened = 0;
    const db = Depends(async () => ({ number: ++opened }));
    const app = new QTasks();
    const both = app.task('both', { one: db, two: db }, ({ one, two }) => [one, two] as const);
    const [one, two] = await both();
    expect(one).toBe(two);
    const [again] = await both();
    expect(again).not.toBe(one);
    expect(opened).toBe(2);
  });

  it('1 never shows a run what another run at the same time has opened', async () => {
    const app = new QTasks();
    let opened = 0;
    const own = Depends({ ctx: Context }, async function* ({ ctx }) {
      yield { id: ctx.runId, number: ++opened };
    });
    const show = app.task('show', { own, ctx: Context }, async ({ own, ctx }) => {
      await settle();
      return own.id === ctx.runId && own.number;
    });
    const numbers = await Promise.all([show(), show(), show()]);
    expect(numbers).toEqual([1, 2, 3]);
  });

  it('1 opens a chain of 100, innermost first, and closes it outermost first', async () => {
    const log: string[] = [];
    let chain = Depends(() => traced(log, '0'));
    for (let depth = 1; depth < 100; depth++) {
      const inner = chain;
      chain = Depends({ inner }, () => traced(log, String(depth)));
    }
    const app = new QTasks();
    expect(await app.task('deep', { chain }, ({ chain }) => chain)()).toBe('99');
    const numbers = Array.from({ length: 100 }, (_, depth) => depth);
    const closing = numbers.map((depth) => `-${99 - depth}`);
    expect(log).toEqual([...numbers.map((depth) => `+${depth}`), ...closing]);
  });

  it('1 opens 1,000 side by side and closes each once', async () => {
    const log: string[] = [];
    const needs = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, place) => {
        return [`d${place}`, Depends(() => traced(log, String(place)))];
      }),
    );
    const app = new QTasks();
    const wide = app.task('wide', needs, (all) => Object.values(all).length);
    expect(await wide()).toBe(1_000);
    expect(log.slice(0, 1_000).every((line) => line.startsWith('+'))).toBe(true);
    expect(log.slice(1_000)).toEqual(
      log
        .slice(0, 1_000)
        .reverse()
        .map((line) => line.replace('+', '-')),
    );
  });

  it('1 gives each place of a diamond its own with cache: false, and closes all of them', async () => {
    const log: string[] = [];
    let opened = 0;
    const base = Depends(() => traced(log, `base${++opened}`), { cache: false });
    const left = Depends({ base }, ({ base }) => base);
    const right = Depends({ base }, ({ base }) => base);
    const app = new QTasks();
    const diamond = app.task('diamond', { left, right, base }, (all) => Object.values(all));
    expect(new Set(await diamond()).size).toBe(3);
    expect(opened).toBe(3);
    expect(log.filter((line) => line.startsWith('-')).sort()).toEqual([
      '-base1',
      '-base2',
      '-base3',
    ]);
  });

  it('1 injects under names such as __proto__, constructor and ""', async () => {
    const value = (name: string) => Depends(() => name);
    const app = new QTasks();
    const needs = {
      ['__proto__']: value('proto'),
      constructor: value('constructor'),
      '': value('empty'),
      toString: value('string'),
    };
    const inner = Depends(needs, (all) => Object.entries(all));
    const odd = app.task('odd', { ...needs, inner }, (all) => all);
    const all = await odd();
    const { inner: within, ...rest } = all;
    const entries = [
      ['__proto__', 'proto'],
      ['constructor', 'constructor'],
      ['', 'empty'],
      ['toString', 'string'],
    ];
    expect(Object.entries(rest)).toEqual(entries);
    expect(within).toEqual(entries);
    expect(Object.getPrototypeOf(all)).toBe(Object.prototype);
  });
});

describe('order of opening', () => {
  it('2 opens independent dependencies in parallel', async () => {
    const log: string[] = [];
    const slow = (name: string) =>
      Depends(async () => {
        log.push(`${name} starts`);
        await settle();
        log.push(`${name} is open`);
      });
    const app = new QTasks();
    await app.task('both', { a: slow('a'), b: slow('b') }, () => {})();
    expect(log).toEqual(['a starts', 'b starts', 'a is open', 'b is open']);
  });

  it('2 opens a dependent only after all it needs', async () => {
    const first = gate<string>();
    const second = gate<string>();
    const log: string[] = [];
    const a = Depends(() => first.promise);
    const b = Depends(() => second.promise);
    const c = Depends({ a, b }, (needs) => {
      log.push(`c with ${needs.a} and ${needs.b}`);
    });
    const app = new QTasks();
    const run = app.task('t', { c }, () => log.push('body'))();
    await settle();
    second.resolve('B');
    await settle();
    expect(log).toEqual([]);
    first.resolve('A');
    await run;
    expect(log).toEqual(['c with A and B', 'body']);
  });

  it('2 opens a dependent only after all it needs in the longer scopes too', async () => {
    const log: string[] = [];
    const first = gate<string>();
    const a = Depends(() => first.promise, { scope: 'storage' });
    const b = Depends(() => traced(log, 'b'), { scope: 'worker' });
    const c = Depends({ a, b }, (needs) => traced(log, `c with ${needs.a} and ${needs.b}`), {
      scope: 'session',
    });
    const app = new QTasks();
    const run = app.task('t', { c }, () => log.push('body'))();
    await settle();
    expect(log).toEqual(['+b']);
    first.resolve('A');
    await run;
    expect(log).toEqual(['+b', '+c with A and b', 'body']);
  });

  it('2 opens what is ready although something slow beside it is not', async () => {
    const slow = gate();
    const log: string[] = [];
    const a = Depends(() => slow.promise);
    const b = Depends(() => traced(log, 'b'));
    const c = Depends({ b }, () => traced(log, 'c'));
    const app = new QTasks();
    const run = app.task('t', { a, c }, () => log.push('body'))();
    await settle();
    expect(log).toEqual(['+b', '+c']);
    slow.resolve();
    await run;
    expect(log).toEqual(['+b', '+c', 'body', '-c', '-b']);
  });
});

/** A generator as a compiler for old browsers makes it: no tag, only the methods. */
function downLevelled(log: string[], value: string) {
  let isOpen = false;
  return {
    next() {
      log.push('next');
      if (isOpen) return Promise.resolve({ done: true, value: undefined });
      isOpen = true;
      return Promise.resolve({ done: false, value });
    },
    throw(error: unknown) {
      log.push('throw');
      return Promise.reject(error);
    },
    return() {
      log.push('return');
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}

describe('kinds of dependencies', () => {
  it('3 injects what each kind of function gives', async () => {
    const app = new QTasks();
    const kinds = app.task(
      'kinds',
      {
        plain: Depends(() => 1),
        promised: Depends(async () => 2),
        sync: Depends(function* () {
          yield 3;
        }),
        async: Depends(async function* () {
          yield 4;
        }),
        returned: Depends(() =>
          (function* () {
            yield 5;
          })(),
        ),
      },
      (all) => all,
    );
    expect(await kinds()).toEqual({ plain: 1, promised: 2, sync: 3, async: 4, returned: 5 });
  });

  it('3 awaits the promise that a sync generator yields', async () => {
    const log: string[] = [];
    const promise = Promise.resolve('value');
    const dep = Depends(function* () {
      yield promise;
      log.push('closed');
    });
    const app = new QTasks();
    expect(await app.task('t', { dep }, ({ dep }) => dep)()).toBe('value');
    expect(log).toEqual(['closed']);
  });

  it('3 throws the rejection of a yielded promise into its sync generator, and fails with it', async () => {
    const wrong = new Error('wrong');
    const seen: unknown[] = [];
    const dep = Depends(function* () {
      try {
        yield Promise.reject(wrong);
      } catch (error) {
        seen.push(error);
      } finally {
        seen.push('finally');
      }
    });
    const app = new QTasks();
    const run = app.task('t', { dep }, () => seen.push('body'))();
    expect(await rejection(run)).toBe(wrong);
    expect(seen).toEqual([wrong, 'finally']);
  });

  it('3 knows a generator by its methods alone', async () => {
    const log: string[] = [];
    const dep: Dependency<unknown> = Depends(() => downLevelled(log, 'value'));
    const app = new QTasks();
    expect(await app.task('t', { dep }, ({ dep }) => dep)()).toBe('value');
    expect(log).toEqual(['next', 'next']);
  });

  it('3 leaves an iterator that is no generator as it is', async () => {
    const app = new QTasks();
    const iterator = new Map([[1, 2]]).entries();
    const method = (): void => expect.unreachable('it is no generator');
    const all = { next: method, throw: method, return: method };
    const values: object[] = [iterator];
    for (const missing of Object.keys(all)) values.push({ ...all, [missing]: undefined });
    for (const [place, value] of values.entries()) {
      const dep = Depends(() => value);
      expect(await app.task(`t${place}`, { dep }, ({ dep }) => dep)()).toBe(value);
    }
    expect(iterator.next().value).toEqual([1, 2]);
  });

  it('3 injects any other object as it is', async () => {
    const app = new QTasks();
    const values = [
      null,
      0,
      '',
      false,
      Symbol.iterator,
      () => 1,
      Object.create(null),
      new Proxy({}, {}),
    ];
    for (const [place, value] of values.entries()) {
      const dep = Depends((): unknown => value);
      expect(await app.task(`t${place}`, { dep }, ({ dep }) => ({ dep }))()).toEqual({
        dep: value,
      });
    }
  });

  it('3 takes the first word of a thenable that calls back twice', async () => {
    const word = (calls: (yes: (value: string) => void, no: (error: unknown) => void) => void) => {
      // biome-ignore lint/suspicious/noThenProperty: it is to be taken for a promise
      return { then: calls } as PromiseLike<string>;
    };
    const app = new QTasks();
    const good = Depends(() => {
      return word((yes, no) => {
        yes('good');
        no(new Error('late'));
        yes('later');
      });
    });
    expect(await app.task('good', { good }, ({ good }) => good)()).toBe('good');
    const bad = Depends(() => {
      return word((yes, no) => {
        no('bad');
        yes('late');
        throw new Error('later');
      });
    });
    expect(await rejection(app.task('bad', { bad }, () => {})())).toBe('bad');
  });
});

describe('undefined', () => {
  it('4 injects undefined of every kind of function, and caches it', async () => {
    let opened = 0;
    const kinds = [
      Depends(() => void opened++),
      Depends(async () => void opened++),
      Depends(function* () {
        yield void opened++;
      }),
      Depends(async function* () {
        yield void opened++;
      }),
    ];
    const app = new QTasks();
    for (const [place, dep] of kinds.entries()) {
      opened = 0;
      const inner = Depends({ dep }, (all) => 'dep' in all && all.dep === undefined);
      const task = app.task(`t${place}`, { dep, inner }, (all) => [all.dep, all.inner]);
      expect(await task()).toEqual([undefined, true]);
      expect(opened).toBe(1);
    }
  });

  it('4 caches undefined in the longer scopes too', async () => {
    let opened = 0;
    const dep = Depends(() => void opened++, { scope: 'worker' });
    const app = new QTasks();
    const task = app.task('t', { dep }, ({ dep }) => dep);
    expect([await task(), await task()]).toEqual([undefined, undefined]);
    expect(opened).toBe(1);
  });
});

describe('a generator that never yields', () => {
  const kinds = {
    sync: Depends(function* (): Generator<string, void, undefined> {}),
    async: Depends(async function* (): AsyncGenerator<string, void, undefined> {}),
  };
  for (const [kind, empty] of Object.entries(kinds)) {
    it(`5 fails the run and closes what is open, ${kind}`, async () => {
      const log: string[] = [];
      const db = Depends(() => traced(log, 'db'));
      const page = Depends({ db, empty }, () => log.push('page'));
      const app = new QTasks();
      const run = app.task('t', { db, page }, () => log.push('body'))();
      const error = await rejection(run);
      expect(isQTasksError(error, 'DEPENDENCY_INVALID')).toBe(true);
      expect(error).toMatchObject({ data: { dependency: 'page > empty' } });
      expect(log).toEqual(['+db', `!db ${(error as Error).message}`]);
    });
  }
});

describe('opening throws', () => {
  it('6 rejects with the very error an opening throws', async () => {
    const app = new QTasks();
    const errors = [new Error('no'), 'text', 0, null, undefined, Object.freeze({})];
    for (const [place, error] of errors.entries()) {
      const kinds = {
        plain: Depends(() => {
          throw error;
        }),
        promise: Depends(() => Promise.reject(error)),
        sync: Depends(function* () {
          if (place >= 0) throw error;
          yield;
        }),
        async: Depends(async function* () {
          if (place >= 0) throw error;
          yield;
        }),
      };
      for (const [kind, dep] of Object.entries(kinds)) {
        let called = false;
        const task = app.task(`${kind}${place}`, { dep }, () => {
          called = true;
        });
        const settled = await task().settled;
        expect(settled.status).toBe('error');
        expect(settled.error).toBe(error);
        expect(called).toBe(false);
      }
    }
  });

  it('6 throws the error into those already open, in reverse', async () => {
    const log: string[] = [];
    const no = new Error('no');
    const seen: unknown[] = [];
    const a = Depends(() => traced(log, 'a'));
    const b = Depends({ a }, async function* () {
      try {
        yield* traced(log, 'b');
      } catch (error) {
        seen.push(error);
        throw error;
      }
    });
    const bad = Depends({ b }, () => {
      throw no;
    });
    const never = Depends({ bad }, () => log.push('never'));
    const app = new QTasks();
    const run = app.task('t', { never }, () => log.push('body'))();
    expect(await rejection(run)).toBe(no);
    expect(log).toEqual(['+a', '+b', '!b no', '!a no']);
    expect(seen).toEqual([no]);
    expect(seen[0]).toBe(no);
  });

  it('6 opens no other dependent of what is open once one has thrown', async () => {
    const log: string[] = [];
    const base = Depends(() => traced(log, 'base'));
    const bad = Depends({ base }, () => {
      throw new Error('no');
    });
    const good = Depends({ base }, () => traced(log, 'good'));
    await rejection(new QTasks().task('t', { bad, good }, () => log.push('body'))());
    expect(log).toEqual(['+base', '!base no']);
  });

  it('6 opens nothing more once a sync opening has thrown', async () => {
    const log: string[] = [];
    const bad = Depends(() => {
      throw new Error('no');
    });
    const later = Depends(() => traced(log, 'later'));
    const app = new QTasks();
    await rejection(app.task('t', { bad, later }, () => log.push('body'))());
    expect(log).toEqual([]);
  });
});

describe('one of several fails to open', () => {
  it('7 aborts the signal of its siblings and waits for them', async () => {
    const log: string[] = [];
    const bad = gate();
    const no = new Error('no');
    const slow = gate();
    const a = Depends({ ctx: Context }, async function* ({ ctx }) {
      ctx.signal.addEventListener('abort', () => {
        log.push('a is told');
        expect(ctx.signal.reason).toBe(no);
      });
      await slow.promise;
      yield* traced(log, 'a');
    });
    const b = Depends(() => bad.promise);
    const c = Depends({ a }, () => log.push('c'));
    const app = new QTasks();
    const run = app.task('t', { b, c }, () => log.push('body'))();
    await settle();
    bad.reject(no);
    await settle();
    expect(run.status).toBe('process');
    expect(log).toEqual(['a is told']);
    slow.resolve();
    expect(await rejection(run)).toBe(no);
    expect(log).toEqual(['a is told', '+a', '!a no']);
  });

  it('7 keeps the first error, tells of the others and leaves no rejection unhandled', async () => {
    const first = gate();
    const second = gate();
    const third = gate();
    const errors: unknown[] = [];
    const app = new QTasks();
    app.on('dependency:error', ({ dependency, error }) => errors.push([dependency, error]));
    const needs = {
      a: Depends(() => first.promise),
      b: Depends(() => second.promise),
      c: Depends(() => third.promise),
    };
    const run = app.task('t', needs, () => {})();
    await settle();
    second.reject('second');
    await settle();
    third.reject('third');
    await settle();
    first.reject('first');
    expect(await rejection(run)).toBe('second');
    expect(errors).toEqual([
      ['c', 'third'],
      ['a', 'first'],
    ]);
  });

  it('7 does not tell of a sibling that only passes the abort on', async () => {
    const errors: unknown[] = [];
    const app = new QTasks({ clock: new ManualClock() });
    app.on('dependency:error', ({ error }) => errors.push(error));
    const patient = Depends({ ctx: Context }, ({ ctx }) => ctx.sleep(1_000));
    const bad = Depends(async () => {
      await settle();
      throw 'bad';
    });
    const run = app.task('t', { patient, bad }, () => {})();
    expect(await rejection(run)).toBe('bad');
    expect(errors).toEqual([]);
  });
});

describe('cancel while opening', () => {
  it('8 waits for the pending one, closes it with the reason and does not call the body', async () => {
    const log: string[] = [];
    const slow = gate();
    const a = Depends(() => traced(log, 'a'));
    const b = Depends({ a }, async function* () {
      await slow.promise;
      yield* traced(log, 'b');
    });
    const c = Depends({ b }, () => log.push('c'));
    const app = new QTasks({ clock: new ManualClock() });
    const run = app.task('t', { c }, () => log.push('body'))();
    await settle();
    run.cancel('enough');
    await settle();
    expect(run.status).toBe('process');
    slow.resolve();
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'enough' });
    expect(log).toEqual(['+a', '+b', '!b enough', '!a enough']);
  });

  it('8 waits no longer than grace; a late resource is closed as it comes and told of', async () => {
    const log: string[] = [];
    const slow = gate();
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 50 });
    app.on('dependency:error', ({ dependency, error, run }) => {
      log.push(`${run}: ${dependency}: ${error}`);
    });
    const a = Depends(() => traced(log, 'a'));
    const b = Depends(async function* () {
      await slow.promise;
      yield* traced(log, 'b');
    });
    const run = app.task('t', { a, b }, () => log.push('body'))();
    await settle();
    run.cancel('enough');
    await clock.advance(49);
    expect(run.status).toBe('process');
    await clock.advance(1);
    expect(run.status).toBe('cancel');
    expect(log).toEqual(['+a', '!a enough']);
    slow.resolve();
    await settle();
    expect(log).toEqual(['+a', '!a enough', '+b', `${run.id}: b: enough`, '!b enough']);
  });

  it('8 tells of a late one that fails to open, and of one that fails to close', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 0 });
    const errors: unknown[] = [];
    app.on('dependency:error', ({ dependency, error }) => errors.push([dependency, error]));
    const slow = gate();
    const needs = {
      fails: Depends(async () => {
        await slow.promise;
        throw 'late';
      }),
      breaks: Depends(async function* () {
        await slow.promise;
        try {
          yield;
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: what a wrong teardown does
          throw 'broken';
        }
      }),
    };
    const run = app.task('t', needs, () => {})();
    run.cancel('enough');
    await clock.advance(0);
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'enough' });
    slow.resolve();
    await settle();
    expect(errors).toHaveLength(3);
    expect(errors).toEqual(
      expect.arrayContaining([
        ['fails', 'late'],
        ['breaks', 'enough'],
        ['breaks', 'broken'],
      ]),
    );
  });

  it('8 has nothing to tell of a late value that needs no closing', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock, grace: 0 });
    const told: unknown[] = [];
    app.on('dependency:error', (event) => told.push(event));
    const late = gate();
    const run = app.task('t', { dep: Depends(() => late.promise) }, () => {})();
    run.cancel();
    await clock.advance(0);
    late.resolve();
    await settle();
    expect(told).toEqual([]);
  });

  it('8 does not start what was still to open', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const stops = Depends({ ctx: Context }, ({ ctx }) => ctx.cancel('stop'));
    const later = Depends(() => traced(log, 'later'));
    const run = app.task('t', { stops, later }, () => log.push('body'))();
    expect(await run.settled).toMatchObject({ status: 'cancel', error: 'stop' });
    expect(log).toEqual([]);
  });

  it('8 fails an opening that takes longer than its own timeout, and closes what comes late', async () => {
    const log: string[] = [];
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const slow = gate();
    const db = Depends(
      async function* () {
        await slow.promise;
        yield* traced(log, 'db');
      },
      { timeout: 20 },
    );
    const stuck = Depends({ db }, () => never);
    const run = app.task('t', { stuck }, () => log.push('body'))();
    const failure = rejection(run);
    await clock.advance(19);
    expect(run.status).toBe('process');
    await clock.advance(1);
    const error = await failure;
    expect(isQTasksError(error, 'TASK_TIMEOUT')).toBe(true);
    expect(error).toMatchObject({ data: { dependency: 'stuck > db' } });
    slow.resolve();
    await settle();
    expect(log).toEqual(['+db', `!db ${(error as Error).message}`]);
    expect(clock.pending).toBe(0);
  });
});

/** What registering a task throws. */
function refusal(register: () => unknown): unknown {
  try {
    register();
  } catch (error) {
    return error;
  }
  throw new Error('it was not refused');
}

/** Takes what the compiler would refuse. */
const untyped = Depends as unknown as (...args: unknown[]) => Dependency<unknown>;

describe('graphs that are refused', () => {
  it('9 refuses a cycle and names its path', () => {
    const needs: Record<string, Dependency<number>> = {};
    const a = Depends(needs, () => 1);
    const b = Depends({ a }, () => 2);
    Object.assign(needs, { b });
    const app = new QTasks();
    const error = refusal(() => app.task('t', { a }, () => {}));
    expect(isQTasksError(error, 'DEPENDENCY_CYCLE')).toBe(true);
    expect((error as Error).message).toContain('a > b > a');
  });

  it('9 refuses a dependency that needs itself through a getter', () => {
    const self: Dependency<number> = Depends(
      {
        get self() {
          return self;
        },
      },
      () => 1,
    );
    const app = new QTasks();
    const error = refusal(() => app.task('t', { self }, () => {}));
    expect(isQTasksError(error, 'DEPENDENCY_CYCLE')).toBe(true);
  });

  it('9 takes a getter that names what is defined later', async () => {
    const page = Depends(
      {
        get db() {
          return db;
        },
      },
      ({ db }) => `page of ${db}`,
    );
    const db = Depends(() => 'db');
    const app = new QTasks();
    expect(await app.task('t', { page }, ({ page }) => page)()).toBe('page of db');
  });

  const shorter = { storage: 'worker', worker: 'session', session: 'task' } as const;
  for (const [outer, inner] of Object.entries(shorter)) {
    it(`9 refuses ${inner} scope below ${outer} scope and names the path`, () => {
      const db = Depends(() => 1, { scope: inner });
      const pool = untyped({ db }, () => 2, { scope: outer });
      const app = new QTasks();
      const error = refusal(() => app.task('t', { pool }, () => {}));
      expect(isQTasksError(error, 'DEPENDENCY_SCOPE')).toBe(true);
      expect(error).toMatchObject({ data: { dependency: 'pool > db' } });
      expect((error as Error).message).toContain('pool > db');
    });
  }

  it('9 refuses a shorter scope also through plain functions', () => {
    const app = new QTasks();
    const db = Depends({ ctx: Context }, () => 1);
    const plain = untyped({ db }, () => 2, { scope: 'worker' });
    const pool = untyped({ plain }, () => 3, { scope: 'worker' });
    const error = refusal(() => app.task('t', { pool }, () => {}));
    expect(isQTasksError(error, 'DEPENDENCY_SCOPE')).toBe(true);
    expect(error).toMatchObject({ data: { dependency: 'pool > plain > db' } });
  });

  it('9 refuses Context in the longer scopes', () => {
    const app = new QTasks();
    for (const scope of ['session', 'worker', 'storage'] as const) {
      const pool = untyped({ ctx: Context }, () => 1, { scope });
      const error = refusal(() => app.task(`t-${scope}`, { pool }, () => {}));
      expect(isQTasksError(error, 'DEPENDENCY_SCOPE')).toBe(true);
      expect(error).toMatchObject({ data: { dependency: 'pool > ctx' } });
    }
  });

  it('9 refuses what is no need, and a task that was refused can be registered again', () => {
    const app = new QTasks();
    const page = untyped({ db: () => 1 }, () => 2);
    const error = refusal(() => app.task('t', { page }, () => {}));
    expect(isQTasksError(error, 'DEPENDENCY_INVALID')).toBe(true);
    expect(error).toMatchObject({ data: { dependency: 'page > db' } });
    expect(() => app.task('t', () => {})).not.toThrow();
  });
});
