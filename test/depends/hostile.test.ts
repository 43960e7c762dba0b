/** What an adversary or an odd library does to the library: each run still settles, once, torn down. */
import { describe, expect, it } from 'vitest';
import { Depends, QTasks } from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';
import { traced } from '../support/traced.js';

it('3 takes the first word of a subclass of Promise that calls back twice', async () => {
  class Twice<T> extends Promise<T> {
    // biome-ignore lint/suspicious/noThenProperty: what an odd library does
    override then<A = T, B = never>(
      yes?: ((value: T) => A | PromiseLike<A>) | null,
      no?: ((reason: unknown) => B | PromiseLike<B>) | null,
    ): Promise<A | B> {
      void super.then(yes, no);
      return super.then(yes, no);
    }
  }
  const log: string[] = [];
  const twice = Depends(() => Twice.resolve('twice'));
  const other = Depends(() => traced(log, 'other'));
  const app = new QTasks();
  const run = app.task('t', { twice, other }, ({ other }) => other)();
  expect(await run).toBe('other');
  expect(log).toEqual(['+other', '-other']);
});

describe('odd teardowns', () => {
  it('17 takes a thenable that throws for a failed teardown, and lets go of its timer', async () => {
    const clock = new ManualClock();
    const app = new QTasks({ clock });
    const odd = {
      // biome-ignore lint/suspicious/noThenProperty: odd on purpose
      then() {
        throw 'odd';
      },
    } as unknown as PromiseLike<void>;
    const dep = Depends.using(() => ({ [Symbol.asyncDispose]: () => odd }), { closeTimeout: 10 });
    const { settled } = app.task('t', { dep }, () => 'value')();
    await clock.advance(100);
    expect(await settled).toMatchObject({ status: 'error', cleanupErrors: ['odd'] });
    expect(clock.pending).toBe(0);
  });

  it('26 waits for a sync generator that closes its app while it opens', async () => {
    const log: string[] = [];
    const app = new QTasks();
    let closing: Promise<void> | undefined;
    const dep = Depends(function* () {
      closing = app.close({ drain: 0 });
      yield;
      log.push('closed');
    });
    const run = app.task('t', { dep }, () => log.push('body'))();
    await run.settled;
    await closing;
    expect(log).toEqual(['body', 'closed']);
  });
});

describe('weird objects', () => {
  const noop = () => {};
  const weird: Record<string, () => unknown> = {
    'a generator whose next() gives no object': () => ({ next: noop, throw: noop, return: noop }),
    'a generator whose next() resolves to no object': () => ({
      next: async () => undefined,
      throw: noop,
      return: noop,
    }),
    'a generator whose next() throws': () => ({
      next() {
        throw new Error('odd');
      },
      throw: noop,
      return: noop,
    }),
    'a result whose value throws as it is read': () => ({
      next: () => ({
        done: false,
        get value() {
          throw new Error('odd');
        },
      }),
      throw: noop,
      return: noop,
    }),
    'a promise of a result whose value throws as it is read': () => ({
      next: async () => ({
        done: false,
        get value() {
          throw new Error('odd');
        },
      }),
      throw: noop,
      return: noop,
    }),
    'a value whose then throws as it is read': () => ({
      // biome-ignore lint/suspicious/noThenProperty: odd on purpose
      get then() {
        throw new Error('odd');
      },
    }),
    'a sync generator that yields a value whose then throws as it is read': function* () {
      yield {
        // biome-ignore lint/suspicious/noThenProperty: odd on purpose
        get then() {
          throw new Error('odd');
        },
      };
    },
  };
  for (const [what, open] of Object.entries(weird)) {
    it(`6 fails the run for ${what}`, async () => {
      const log: string[] = [];
      const app = new QTasks({ concurrency: 1 });
      const db = Depends(() => traced(log, 'db'));
      const odd = Depends({ db }, open);
      const run = app.task('t', { odd }, () => log.push('body'))();
      const outcome = await Promise.race([run.settled, settle().then(settle)]);
      expect(outcome).toMatchObject({ status: 'error', error: expect.any(Error) });
      expect(log).toEqual(['+db', expect.stringContaining('!db')]);
      expect(await app.task('next', () => 'next')()).toBe('next');
    });
  }
});
