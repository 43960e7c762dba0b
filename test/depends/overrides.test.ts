/** `app.override`: API.md §4. */
import { describe, expect, it } from 'vitest';
import { type Dependency, Depends, isQTasksError, type Opening, QTasks } from '../../src/index.js';
import { settle } from '../support/clock.js';
import { gate } from '../support/promises.js';
import { traced } from '../support/traced.js';

/** What a call throws. */
function refusal(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('it was not refused');
}

/** An app whose one task returns what `db` is. */
function setUp() {
  const log: string[] = [];
  const app = new QTasks();
  const config = Depends(() => traced(log, 'config'));
  const db: Dependency<string, 'task'> = Depends({ config }, () => traced(log, 'db'));
  const task = app.task('t', { db }, ({ db }) => db);
  return { log, app, config, db, task };
}

describe('a replacement', () => {
  it('is used instead, and what only the original needs is not opened', async () => {
    const { app, db, task, log } = setUp();
    app.override(db, () => 'fake');
    expect(await task()).toBe('fake');
    expect(log).toEqual([]);
  });

  it('may be any kind of function, and closes like the original', async () => {
    const { app, db, task, log } = setUp();
    const kinds: (() => Opening<string>)[] = [
      () => 'value',
      async () => 'value',
      function* () {
        yield 'value';
        log.push('closed');
      },
      async function* () {
        yield 'value';
        log.push('closed');
      },
    ];
    for (const kind of kinds) {
      const override = app.override(db, kind);
      expect(await task()).toBe('value');
      override.restore();
    }
    expect(log).toEqual(['closed', 'closed']);
  });

  it('may be another Depends with needs of its own', async () => {
    const { app, db, task, log } = setUp();
    const other = Depends(() => traced(log, 'other'));
    app.override(
      db,
      Depends({ other }, ({ other }) => `fake on ${other}`),
    );
    expect(await task()).toBe('fake on other');
    expect(log).toEqual(['+other', '-other']);
  });

  it('replaces a dependency below others, and in every app alone', async () => {
    const { app, config, db, task } = setUp();
    const page = Depends({ db, config }, ({ db, config }) => `${db}, ${config}`);
    const other = new QTasks();
    const both = [app, other].map((one) => one.task('page', { page }, ({ page }) => page));
    app.override(config, () => 'fake');
    expect(await Promise.all(both.map((one) => one()))).toEqual(['db, fake', 'db, config']);
    expect(await task()).toBe('db');
  });

  it('counts for tasks that are registered later', async () => {
    const { app, db } = setUp();
    app.override(db, () => 'fake');
    expect(await app.task('later', { db }, ({ db }) => db)()).toBe('fake');
  });

  it('may need the original', async () => {
    const { app, db, task, log } = setUp();
    const override = app.override(
      db,
      Depends({ db }, ({ db }) => `around ${db}`),
    );
    expect(await task()).toBe('around db');
    override.restore();
    expect(await task()).toBe('db');
    expect(log).toEqual([
      ...['+config', '+db', '-db', '-config'],
      ...['+config', '+db', '-db', '-config'],
    ]);
  });

  it('alone gets the original: what it needs besides gets the replacement, so that is a cycle', () => {
    const app = new QTasks();
    const db: Dependency<string, 'task'> = Depends(() => 'db');
    const page = Depends({ db }, ({ db }) => `page on ${db}`);
    app.task('one', { db, page }, () => {});
    app.task('two', { page, db }, () => {});
    const error = refusal(() =>
      app.override(
        db,
        Depends({ page }, ({ page }) => page),
      ),
    );
    expect(isQTasksError(error, 'DEPENDENCY_CYCLE')).toBe(true);
  });

  it('may stand for two dependencies, which then are one', async () => {
    let opened = 0;
    const app = new QTasks();
    const a = Depends(() => 'a');
    const b = Depends(() => 'b');
    const fake = Depends(() => `fake${++opened}`);
    app.override(a, fake);
    app.override(b, fake);
    expect(await app.task('t', { a, b }, ({ a, b }) => [a, b])()).toEqual(['fake1', 'fake1']);
  });

  it('keeps cache and closeTimeout of the original where it is a function', async () => {
    let opened = 0;
    const app = new QTasks();
    const own = Depends(() => 0, { cache: false });
    app.override(own, () => ++opened);
    expect(await app.task('t', { a: own, b: own }, (all) => Object.values(all))()).toEqual([1, 2]);
  });
});

describe('restoring', () => {
  it('brings the original back, by either name, and twice is once', async () => {
    const { app, db, task } = setUp();
    const first = app.override(db, () => 'first');
    first[Symbol.dispose]();
    expect(await task()).toBe('db');
    const second = app.override(db, () => 'second');
    first.restore();
    first[Symbol.dispose]();
    expect(await task()).toBe('second');
    second.restore();
    second.restore();
    expect(await task()).toBe('db');
  });

  it('nests, and the newest that is left counts in whatever order they are restored', async () => {
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ];
    for (const order of orders) {
      const { app, db, task } = setUp();
      const overrides = [0, 1, 2].map((number) => app.override(db, () => `fake${number}`));
      expect(await task()).toBe('fake2');
      const left = [0, 1, 2];
      for (const number of order) {
        overrides[number]?.restore();
        left.splice(left.indexOf(number), 1);
        const newest = left.at(-1);
        expect(await task()).toBe(newest === undefined ? 'db' : `fake${newest}`);
      }
    }
  });
});

describe('runs that go on', () => {
  it('keep what they started with, also for what they have still to open', async () => {
    const ready = gate();
    const app = new QTasks();
    const slow = Depends(() => ready.promise);
    const db = Depends({ slow }, () => 'db');
    const task = app.task('t', { db }, ({ db }) => db);
    const before = task();
    const override = app.override(db, () => 'fake');
    const during = task();
    override.restore();
    const after = task();
    ready.resolve();
    expect(await Promise.all([before, during, after])).toEqual(['db', 'fake', 'db']);
  });

  it('keep it for their retries', async () => {
    const app = new QTasks();
    const db = Depends(() => 'db');
    const seen: string[] = [];
    const flaky = app.task(
      't',
      { db },
      ({ db }) => {
        seen.push(db);
        if (seen.length === 1) throw new Error('no');
      },
      { retry: { limit: 1, delay: 0 } },
    );
    const run = flaky();
    const override = app.override(db, () => 'fake');
    await run;
    override.restore();
    expect(seen).toEqual(['db', 'db']);
  });
});

describe('longer-lived instances', () => {
  it('are left alone by an override, and used again after it', async () => {
    const log: string[] = [];
    const app = new QTasks();
    const pool = Depends(() => traced(log, 'pool'), { scope: 'worker' });
    const task = app.task('t', { pool }, ({ pool }) => pool);
    await task();
    const override = app.override(pool, () => traced(log, 'fake'));
    expect([await task(), await task()]).toEqual(['fake', 'fake']);
    override.restore();
    expect(await task()).toBe('pool');
    expect(log).toEqual(['+pool', '+fake']);
    await app.close();
    expect(log).toEqual(['+pool', '+fake', '-fake', '-pool']);
  });

  it('are made anew for an override far below them, through task scope too', async () => {
    let opened = 0;
    const app = new QTasks();
    const base = Depends(() => 'base', { scope: 'storage' });
    const middle = Depends({ base }, ({ base }) => `${base}${++opened}`, { scope: 'worker' });
    const top = Depends({ middle }, ({ middle }) => middle, { scope: 'session' });
    const page = Depends({ top }, ({ top }) => top);
    const task = app.task('t', { page }, ({ page }) => page);
    expect(await task()).toBe('base1');
    const one = app.override(base, () => 'one');
    expect([await task(), await task()]).toEqual(['one2', 'one2']);
    const two = app.override(base, () => 'two');
    expect(await task()).toBe('two3');
    two.restore();
    expect(await task()).toBe('one2');
    one.restore();
    expect(await task()).toBe('base1');
  });

  it('which need nothing that is overridden stay the same', async () => {
    let opened = 0;
    const app = new QTasks();
    const pool = Depends(() => ++opened, { scope: 'worker' });
    const db = Depends({ pool }, ({ pool }) => pool);
    const task = app.task('t', { db, pool }, ({ pool }) => pool);
    expect(await task()).toBe(1);
    app.override(db, () => 7);
    expect(await task()).toBe(1);
  });
});

describe('a replacement that is refused', () => {
  it('has a shorter scope than a dependency that needs it; then nothing is changed', async () => {
    const app = new QTasks();
    const base = Depends(() => 'base', { scope: 'worker' });
    const pool = Depends({ base }, ({ base }) => base, { scope: 'worker' });
    const task = app.task('t', { pool }, ({ pool }) => pool);
    const short = Depends(() => 'short');
    const error = refusal(() => app.override(base, short));
    expect(isQTasksError(error, 'DEPENDENCY_SCOPE')).toBe(true);
    expect(error).toMatchObject({ data: { dependency: 'pool > base' } });
    expect(await task()).toBe('base');
  });

  it('would close a cycle; then nothing is changed', async () => {
    const { app, config, db, task } = setUp();
    const error = refusal(() =>
      app.override(
        config,
        Depends({ db }, ({ db }) => db),
      ),
    );
    expect(isQTasksError(error, 'DEPENDENCY_CYCLE')).toBe(true);
    expect(await task()).toBe('db');
  });

  it('is no function and no Depends, or stands for no Depends', async () => {
    const { app, db, task } = setUp();
    for (const wrong of [undefined, null, 'fake', {}, Promise.resolve('fake')]) {
      const error = refusal(() => app.override(db, wrong as never));
      expect(isQTasksError(error, 'OPTION_INVALID')).toBe(true);
      const other = refusal(() => app.override(wrong as never, () => 'fake'));
      expect(isQTasksError(other, 'OPTION_INVALID')).toBe(true);
    }
    expect(await task()).toBe('db');
  });

  it('leaves the override before it in force', async () => {
    const app = new QTasks();
    const base = Depends(() => 'base', { scope: 'worker' });
    const pool = Depends({ base }, ({ base }) => base, { scope: 'worker' });
    const task = app.task('t', { pool }, ({ pool }) => pool);
    app.override(base, () => 'good');
    refusal(() =>
      app.override(
        base,
        Depends(() => 'short'),
      ),
    );
    await settle();
    expect(await task()).toBe('good');
  });
});
