/** Locks on a session, or on one state of it. */
import type { LockPlace, StorageAdapter } from '../../../src/storage.js';
import type { Arena, Cases } from './arena.js';
import { eventually, fail, rejects, same, together } from './expect.js';

type Release = () => Promise<void>;

function lock(adapter: StorageAdapter, place: LockPlace, signal?: AbortSignal): Promise<Release> {
  if (!adapter.lock) return fail('the adapter has lock, or declares that it has not', 'lock', null);
  return adapter.lock(place, signal ? { signal } : {});
}

const session = (arena: Arena, id = 'ann'): LockPlace => ({ app: arena.app, session: id });
const state = (arena: Arena, id = 'cart'): LockPlace => ({ ...session(arena), state: id });

/** Takes locks that nobody holds; one that waits for another is a broken promise, not a hanging test. */
async function lockAll(
  arena: Arena,
  adapter: StorageAdapter,
  places: readonly LockPlace[],
  promise: string,
): Promise<void> {
  let held = 0;
  let isOver = false;
  const hold = async (place: LockPlace): Promise<void> => {
    const release = await lock(adapter, place);
    held++;
    while (!isOver) await arena.sleep(10);
    await release();
  };
  const holding = together(places.map(hold));
  try {
    const sleep = (duration: number): Promise<void> => arena.sleep(duration);
    await eventually(() => held === places.length, sleep, promise);
  } finally {
    isOver = true;
    await holding;
  }
}

/** Enters a place again and again through every opener; gives how many were inside at once. */
async function crowd(
  arena: Arena,
  openers: readonly StorageAdapter[],
  place: LockPlace,
): Promise<number> {
  let inside = 0;
  let most = 0;
  const enter = async (adapter: StorageAdapter): Promise<void> => {
    for (let round = 0; round < 5; round++) {
      const release = await lock(adapter, place);
      most = Math.max(most, ++inside);
      await arena.sleep(1);
      inside--;
      await release();
    }
  };
  await together(openers.map(enter));
  return most;
}

/** Locks. */
export const locking: Cases = {
  'one at a time, over all openers': async (arena) => {
    const openers = [await arena.open(), await arena.open(), await arena.open()];
    for (const place of [session(arena), state(arena)]) {
      const most = await crowd(arena, openers, place);
      same(most, 1, 'a lock has one holder at a time');
    }
  },
  'freeing twice is freeing once': async (arena) => {
    const adapter = await arena.open();
    const first = await lock(adapter, session(arena));
    await first();
    const second = await lock(adapter, session(arena));
    await first();
    let isIn = false;
    const third = lock(adapter, session(arena)).then((release) => {
      isIn = true;
      return release;
    });
    await arena.sleep(30);
    same(isIn, false, 'a second release by a former holder frees nobody');
    await second();
    await (await third)();
  },
  'waiting ends with the reason of an abort, and blocks nobody': async (arena) => {
    const [one, other] = [await arena.open(), await arena.open()];
    const release = await lock(one, session(arena));
    const controller = new AbortController();
    const reason = new Error('enough');
    let ended: unknown;
    const waiting = lock(other, session(arena), controller.signal).then(
      () => {
        ended = 'the lock was given';
      },
      (error) => {
        ended = error;
      },
    );
    controller.abort(reason);
    const sleep = (duration: number): Promise<void> => arena.sleep(duration);
    await eventually(() => ended !== undefined, sleep, 'an aborted wait for a lock rejects');
    await waiting;
    same(ended === reason, true, 'it rejects with the reason of the signal');
    const next = lock(other, session(arena));
    await release();
    await (await next)();
  },
  'an aborted signal gets no lock and holds none': async (arena) => {
    const adapter = await arena.open();
    const reason = new Error('enough');
    const attempt = () => lock(adapter, session(arena), AbortSignal.abort(reason));
    const error = await rejects(attempt, 'a lock with an aborted signal rejects');
    same(error === reason, true, 'it rejects with the reason of the signal');
    await lockAll(arena, adapter, [session(arena)], 'what was aborted holds no lock');
  },
  'an abort after the lock was given changes nothing': async (arena) => {
    const adapter = await arena.open();
    const controller = new AbortController();
    const release = await lock(adapter, session(arena), controller.signal);
    controller.abort();
    let isIn = false;
    const next = lock(adapter, session(arena)).then((free) => {
      isIn = true;
      return free;
    });
    await arena.sleep(30);
    same(isIn, false, 'the holder keeps the lock');
    await release();
    await (await next)();
  },
  'sessions, states and the session as a whole have locks of their own': async (arena) => {
    const adapter = await arena.open();
    const places = [session(arena), session(arena, 'bob'), state(arena), state(arena, 'other')];
    await lockAll(arena, adapter, places, 'none of them waits for another');
  },
  'places that look alike when joined have locks of their own': async (arena) => {
    const adapter = await arena.open();
    const { app } = arena;
    const places = ['', ':', '/', '\0', ',', '|', '%', '","'].flatMap((mark) => [
      { app, session: `a${mark}b` },
      { app, session: `a${mark}b`, state: 'c' },
      { app, session: 'a', state: `b${mark}c` },
      { app: `${app}${mark}a`, session: 'b', state: 'c' },
    ]);
    await lockAll(arena, adapter, places, 'no two places become one lock');
  },
};
