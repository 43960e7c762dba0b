/** Values and names that nobody would choose: none of them keeps a run from ending. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { Context, Depends, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { gate, never, turn } from '../support/promises.js';

const no = new Error('no');

describe('any value', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const throwing = {
    get name() {
      throw no;
    },
    get code() {
      throw no;
    },
  };
  const thenable = {
    // biome-ignore lint/suspicious/noThenProperty: odd on purpose
    then() {
      throw no;
    },
  };
  const odd: readonly unknown[] = [
    undefined,
    null,
    0,
    Symbol('s'),
    proxy,
    throwing,
    thenable,
    never,
  ];

  it('is the reason of a cancel', async () => {
    for (const reason of odd.slice(1)) {
      const app = new QTasks({ concurrency: 1, middleware: (_run, next) => next() });
      const inner = app.task('inner', () => settle());
      const work = app.task('work', { ctx: Context }, async ({ ctx }) => {
        await ctx.run(inner);
        await settle();
      });
      const run = work();
      run.cancel(reason);
      const { status, error } = await run.settled;
      expect(status).toBe('cancel');
      expect(Object.is(error, reason)).toBe(true);
    }
  });

  it('is the error of a run', async () => {
    for (const error of odd) {
      const log: string[] = [];
      const app = new QTasks({ middleware: (_run, next) => next() });
      const dep = Depends(async function* () {
        log.push('+');
        try {
          yield;
        } finally {
          log.push('-');
        }
      });
      const work = app.task('work', { dep }, () => {
        throw error;
      });
      const end = await work().settled;
      expect(end.status).toBe('error');
      expect(Object.is(end.error, error)).toBe(true);
      expect(log).toEqual(['+', '-']);
    }
  });

  it('is the error of a run with retries, too', async () => {
    for (const error of odd) {
      const clock = new ManualClock();
      const app = new QTasks({ clock });
      let calls = 0;
      const work = app.task(
        'work',
        () => {
          calls++;
          throw error;
        },
        { retry: { limit: 1 } },
      );
      const run = work();
      void run.settled;
      await clock.advance(10_000);
      expect(run.status).toBe('error');
      expect(calls).toBe(2);
    }
  });

  it('is what nobody sees of a failure, told to a listener of "error"', async () => {
    const app = new QTasks();
    const seen: unknown[] = [];
    app.on('error', ({ error }) => seen.push(error));
    const work = app.task('work', (index: number) => {
      throw odd[index];
    });
    for (const index of odd.keys()) void work(index);
    await turn();
    expect(seen).toHaveLength(odd.length);
    for (const [index, error] of seen.entries()) expect(Object.is(error, odd[index])).toBe(true);
  });
});

describe('any name', () => {
  const names = [
    '__proto__',
    'constructor',
    'toString',
    'then',
    'hasOwnProperty',
    '\ud800',
    '0',
    ' ',
  ];

  it('is the name of a task, run by itself and by its name', async () => {
    const app = new QTasks();
    const work = names.map((name) => app.task(name, { ctx: Context }, ({ ctx }) => ctx.taskName));
    for (const [index, name] of names.entries()) {
      expect(await work[index]?.()).toBe(name);
      expect(await Reflect.apply(app.run, undefined, [name])).toBe(name);
    }
  });

  it('is that of a session, an id and an app, each apart from the others', async () => {
    const storage = memory();
    const { promise, resolve } = gate();
    const runs: PromiseLike<unknown>[] = [];
    let started = 0;
    for (const name of [...names, 'a:b', ':', '::']) {
      const app = new QTasks({ name, storage });
      const work = app.task('work', () => ++started && promise, { exclusive: true });
      for (const session of names) runs.push(app.session(session).with({ id: name }).run(work));
    }
    await settle();
    expect(started).toBe(runs.length);
    resolve();
    await Promise.all(runs);
  });
});
