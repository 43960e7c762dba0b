/** Who is told of which change: `subscribe`, `changes` and the event `state:change`. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import {
  AsyncState,
  type Logger,
  QTasks,
  type StateChange,
  type StateChangeEvent,
} from '../../src/index.js';
import { settle } from '../support/clock.js';
import { answerAfter, FaultyStorage, failWith, gate, passAfter } from '../support/faulty.js';

type Shape = Record<string, unknown>;

class Any extends AsyncState<Shape> {
  static readonly id = 'any';
}

class Versioned extends AsyncState<Shape> {
  static readonly id = 'any';
  static readonly version = 2;
  static migrate({ old, ...rest }: Shape): Shape {
    return { ...rest, new: old };
  }
}

const open = (storage = memory(), logger?: Logger): QTasks =>
  new QTasks({ name: 'app', storage, ...(logger && { logger }) });

/** What a subscriber of a state is told. */
function watched(state: Any): { readonly seen: StateChange<Shape>[]; stop(): void } {
  const seen: StateChange<Shape>[] = [];
  return { seen, stop: state.subscribe((change) => seen.push(change)) };
}

const local = (changed: string[], deleted: string[] = []): StateChange<Shape> => ({
  changed,
  deleted,
  origin: 'local',
});
const remote = (changed: string[], deleted: string[] = []): StateChange<Shape> => ({
  changed,
  deleted,
  origin: 'remote',
});

const calls: readonly (readonly [string, (state: Any) => Promise<unknown>, string[], string[]])[] =
  [
    ['set', (state) => state.set('a', 9), ['a'], []],
    ['set of a new field', (state) => state.set('new', 9), ['new'], []],
    ['update', (state) => state.update({ b: 1, '\0': 1 }), ['b', '\0'], []],
    ['update by a function', (state) => state.update(() => ({ a: 1, __proto__: null })), ['a'], []],
    ['delete', (state) => state.delete('b'), [], ['b']],
    ['clear', (state) => state.clear(), [], ['a', 'b', '\0v']],
  ];

async function filled(storage = memory()): Promise<Any> {
  const state = open(storage).state(Any);
  await state.update({ a: 1, b: 2, '\0v': 3 });
  return state;
}

describe('subscribe', () => {
  it.each(calls)('tells of a %s here, before its caller', async (_, call, changed, deleted) => {
    const state = await filled();
    const { seen } = watched(state);
    let early: unknown[] = [];
    await call(state).then(() => {
      early = [...seen];
    });
    await settle();
    expect(early).toEqual([local(changed, deleted)]);
    expect(seen).toEqual(early);
  });

  it.each(calls)('tells of a %s by another app', async (_, call, changed, deleted) => {
    const storage = memory();
    await filled(storage);
    const { seen } = watched(open(storage).state(Any));
    await settle();
    await call(open(storage).state(Any));
    await settle();
    expect(seen).toEqual([remote(changed, deleted)]);
  });

  it('tells every state object of the session, and no other session or state', async () => {
    class Other extends AsyncState<Shape> {
      static readonly id = 'other';
    }
    const app = open();
    const both = [watched(app.session('s').state(Any)), watched(app.session('s').state(Any))];
    const others = [app.state(Any), app.session('t').state(Any), app.session('s').state(Other)];
    const silent = others.map(watched);
    await app.session('s').state(Any).set('a', 1);
    await settle();
    for (const { seen } of both) expect(seen).toEqual([local(['a'])]);
    for (const { seen } of silent) expect(seen).toEqual([]);
  });

  it('tells one change of the calls that were committed as one', async () => {
    const storage = new FaultyStorage();
    const state = open(storage).state(Any);
    const { seen } = watched(state);
    await settle();
    const { opened, open: go } = gate();
    storage.nextCommits.push(passAfter(() => opened));
    const pending = [state.set('a', 1), state.set('b', 1), state.set('c', 1), state.delete('b')];
    go();
    await Promise.all(pending);
    expect(seen).toEqual([local(['a']), local(['c'], ['b'])]);
  });

  it('tells nothing of what changed nothing', async () => {
    const state = open().state(Any);
    const { seen } = watched(state);
    await state.clear();
    await state.update({});
    await state.update(() => ({}));
    await state.getAll();
    expect(seen).toEqual([]);
  });

  it('tells nothing of a failed commit, nor of a call that failed', async () => {
    const storage = new FaultyStorage();
    const state = open(storage).state(Any);
    const { seen } = watched(state);
    await settle();
    storage.nextCommits.push(failWith(new Error('down')));
    await expect(state.set('a', 1)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(state.set('a', () => {})).rejects.toMatchObject({ code: 'VALUE_UNSUPPORTED' });
    await settle();
    expect(seen).toEqual([]);
  });

  it('lists all fields of a clear by another app, also those written after a failure', async () => {
    const storage = new FaultyStorage();
    const state = open(storage).state(Any);
    const { seen } = watched(state);
    await settle();
    await state.set('before', 1);
    storage.nextCommits.push(failWith(new Error('down')));
    await expect(state.set('a', 1)).rejects.toThrow();
    await state.set('after', 1);
    await state.set('gone', 1);
    await state.delete('gone');
    seen.length = 0;
    await open(storage.inner).state(Any).clear();
    await settle();
    expect(seen).toEqual([remote([], ['before', 'after'])]);
  });

  it('lists all fields of a clear by another app that comes before it has read them', async () => {
    const storage = new FaultyStorage();
    await filled(storage);
    const { opened, open: go } = gate();
    storage.nextReads.push(answerAfter(() => opened));
    const { seen } = watched(open(storage).state(Any));
    await settle();
    await open(storage.inner).state(Any).clear();
    await settle();
    go();
    await settle();
    expect(seen).toEqual([remote([], ['a', 'b', '\0v'])]);
  });

  it('lists all fields of a clear as deleted but those written with it', async () => {
    const storage = new FaultyStorage();
    const [here, there] = [await filled(storage), open(storage).state(Any)];
    const [one, other] = [watched(here), watched(there)];
    await settle();
    const { opened, open: go } = gate();
    storage.nextCommits.push(passAfter(() => opened));
    const pending = [here.set('c', 1), here.clear(), here.set('a', 1)];
    go();
    await Promise.all(pending);
    await settle();
    expect(one.seen).toEqual([local(['c']), local(['a'], ['b', '\0v', 'c'])]);
    expect(other.seen.at(-1)).toEqual(remote(['a'], ['b', '\0v', 'c']));
  });

  it('tells of a migration as of any write', async () => {
    const storage = memory();
    await open(storage).state(Any).update({ old: 1, kept: 2 });
    const { seen } = watched(open(storage).state(Versioned));
    await settle();
    expect(seen).toHaveLength(1);
    expect(new Set(seen[0]?.changed)).toEqual(new Set(['kept', 'new']));
  });

  it('shares one watch and gives it back with the last listener', async () => {
    const storage = new FaultyStorage();
    const state = open(storage).state(Any);
    const listeners = [watched(state), watched(state)];
    expect(storage.watches).toBe(1);
    listeners[0]?.stop();
    listeners[0]?.stop();
    await state.set('a', 1);
    expect(listeners.map(({ seen }) => seen.length)).toEqual([0, 1]);
    listeners[1]?.stop();
    expect(storage.watches).toBe(0);
    const late = watched(state);
    await open(storage).state(Any).set('b', 1);
    await settle();
    expect([storage.watches, late.seen]).toEqual([1, [remote(['b'])]]);
  });

  it('counts the same listener as often as it subscribes', async () => {
    const state = open().state(Any);
    let count = 0;
    const listener = (): void => void count++;
    const stop = state.subscribe(listener);
    state.subscribe(listener);
    await state.set('a', 1);
    stop();
    await state.set('a', 2);
    expect(count).toBe(3);
  });

  it('goes on with the others after a listener throws or rejects, and tells the logger', async () => {
    const errors: unknown[] = [];
    const logger = {
      info() {},
      warn() {},
      error: (_: string, error: unknown) => void errors.push(error),
    };
    const state = open(memory(), logger).state(Any);
    state.subscribe(() => {
      throw new Error('thrown');
    });
    state.subscribe(async () => {
      throw new Error('rejected');
    });
    const { seen } = watched(state);
    await state.set('a', 1);
    await settle();
    expect(seen).toEqual([local(['a'])]);
    expect(errors).toEqual([new Error('thrown'), new Error('rejected')]);
  });

  it('lets a listener use the state, subscribe and stop', async () => {
    const state = open().state(Any);
    const inner: StateChange<Shape>[] = [];
    let written: Promise<unknown> | undefined;
    const stop = state.subscribe(() => {
      stop();
      state.subscribe((change) => inner.push(change));
      written = state.set('b', 1);
    });
    await state.set('a', 1);
    await written;
    expect(inner).toEqual([local(['b'])]);
  });

  it('reports to the logger what keeps it from reading, and goes on', async () => {
    const errors: unknown[] = [];
    const logger = {
      info() {},
      warn() {},
      error: (_: string, error: unknown) => void errors.push(error),
    };
    const storage = new FaultyStorage();
    const { seen } = watched(open(storage, logger).state(Any));
    await settle();
    storage.nextReads.push(failWith(new Error('down')));
    const other = open(storage.inner).state(Any);
    await other.set('a', 1);
    await settle();
    expect(errors).toEqual([expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' })]);
    await other.set('b', 1);
    await settle();
    expect(seen).toEqual([remote(['b'])]);
  });

  it('needs a function, and a storage that can watch', () => {
    const state = open().state(Any);
    const wrong = expect.objectContaining({ code: 'OPTION_INVALID' });
    expect(() => state.subscribe(undefined as unknown as () => void)).toThrow(wrong);
    const { read, commit, list, close } = memory();
    const blind = { name: 'blind', scope: 'runtime', read, commit, list, close } as const;
    const missing = expect.objectContaining({
      code: 'STORAGE_MISSING',
      message: expect.stringContaining('"blind"'),
    });
    expect(() =>
      open(blind)
        .state(Any)
        .subscribe(() => {}),
    ).toThrow(missing);
    expect(() => open(blind).state(Any).changes()).toThrow(missing);
  });

  it('is forgotten where the watch cannot begin', async () => {
    const storage = new FaultyStorage();
    const state = open(storage).state(Any);
    const error = new Error('no watch');
    storage.inner.watch = () => {
      throw error;
    };
    const seen: unknown[] = [];
    expect(() => state.subscribe((change) => seen.push(change))).toThrow();
    await state.set('a', 1);
    expect(seen).toEqual([]);
  });

  it('ends as the app closes', async () => {
    const storage = new FaultyStorage();
    const app = open(storage);
    const { seen } = watched(app.state(Any));
    await app.close();
    expect(storage.watches).toBe(0);
    await open(storage).state(Any).set('a', 1);
    await settle();
    expect(seen).toEqual([]);
  });
});

describe('the event state:change', () => {
  it.each(calls)(
    'comes for a %s here without any subscriber',
    async (_, call, changed, deleted) => {
      const storage = memory();
      await filled(storage);
      const app = open(storage);
      const events: StateChangeEvent[] = [];
      app.on('state:change', (event) => events.push(event));
      await call(app.session('s').state(Any));
      await call(app.state(Any));
      const seen = {
        type: 'state:change',
        at: expect.any(Number),
        state: 'any',
        changed,
        deleted,
        origin: 'local',
      };
      expect(events.at(-1)).toEqual({ ...seen, session: '' });
      expect(events.slice(0, -1).map(({ session }) => session)).toEqual(_ === 'clear' ? [] : ['s']);
    },
  );

  it('comes for others where somebody subscribed, once', async () => {
    const storage = memory();
    const app = open(storage);
    const events: StateChangeEvent[] = [];
    app.on('state:change', (event) => events.push(event));
    watched(app.state(Any));
    watched(app.state(Any));
    await settle();
    await open(storage).state(Any).set('a', 1);
    await open(storage).session('s').state(Any).set('a', 1);
    await settle();
    expect(events).toMatchObject([{ session: '', changed: ['a'], origin: 'remote' }]);
  });
});
