/** A week of use in a moment: 200 sessions, in visit after visit, each with an adapter and an app of its own. */
import { expect, test, vi } from 'vitest';
import { localstorage } from '../../../adapters/localstorage.js';
import { AsyncState, QTasks } from '../../../src/index.js';
import { ManualClock } from '../../support/clock.js';

const hour = 3_600_000;
const name = `week-${crypto.randomUUID()}`;
const clock = new ManualClock();

class Cart extends AsyncState<Record<string, number>> {
  static readonly id = 'cart';
  static readonly ttl = 24 * hour;
}

/** All items of this test, with the numbers of their sessions. */
function items(): { readonly session: number; readonly text: string }[] {
  const keys = Array.from({ length: localStorage.length }, (_, at) => localStorage.key(at) ?? '');
  const own = keys.filter((key) => key.includes(name));
  return own.map((key) => {
    const [, session] = JSON.parse(key.slice('qtasks-lite:'.length));
    return { session: Number(session), text: localStorage.getItem(key) ?? '' };
  });
}

/** A page that is opened, used by some sessions, and left. */
async function visit(sessions: readonly number[], value: number): Promise<void> {
  const storage = localstorage({ clock });
  const app = new QTasks({ name, storage, clock });
  const fields = Array.from({ length: 20 }, (_, at) => [`field${at}`, value]);
  const use = async (session: number): Promise<void> => {
    const cart = app.session(String(session)).state(Cart);
    cart.subscribe(() => {});
    await cart.update(Object.fromEntries(fields));
    await cart.set('field0', value + 1);
    if (session % 10 === 9) await cart.clear();
  };
  await Promise.all(sessions.map(use));
  await clock.advance(hour / 60);
  await app.close();
  await storage.close();
}

test('a week leaves what a day leaves, and of old sessions nothing', {
  timeout: 60_000,
}, async () => {
  const added = vi.spyOn(globalThis, 'addEventListener');
  const removed = vi.spyOn(globalThis, 'removeEventListener');
  const sizes: number[] = [];
  const regular = 0;
  let newest = 0;
  for (let day = 1; day <= 7; day++) {
    for (let hours = 0; hours < 24; hours += 6) {
      const fresh = Array.from({ length: 7 }, () => ++newest);
      await visit([regular, ...fresh], hours);
      await clock.advance(6 * hour);
    }
    sizes.push(items().reduce((size, { text }) => size + text.length, 0));
  }

  // By the fourth day the regular one knows as many writers as it ever will.
  const [fourth = 0, ...later] = sizes.slice(3);
  for (const size of later) expect(size / fourth).toBeCloseTo(1, 1);
  const old = items().filter(({ session }) => session !== regular && session <= newest - 5 * 7);
  expect(old).toEqual([]);
  const [kept] = items().filter(({ session }) => session === regular);
  const { sequences, changes } = JSON.parse(kept?.text ?? '');
  expect(sequences).toHaveLength(16);
  expect(changes).toHaveLength(1);

  expect(clock.pending).toBe(0);
  const listeners = new Set(added.mock.calls.map(([, listener]) => listener));
  for (const [, listener] of removed.mock.calls) listeners.delete(listener);
  expect([...listeners]).toEqual([]);
  const { held = [] } = await navigator.locks.query();
  expect(held.filter(({ name: lock }) => lock?.includes(name))).toEqual([]);
});
