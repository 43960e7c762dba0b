/** Closing and opening again. */
import type { Cases } from './arena.js';
import { hasFields, made } from './expect.js';

/** Closing. */
export const closing: Cases = {
  'the next use opens again, and the data is there': async (arena) => {
    const adapter = await arena.open();
    await arena.commit(adapter, arena.bucket(), { set: { a: '1' } });
    await adapter.close();
    hasFields(await adapter.read(arena.bucket()), { a: '1' }, 'closing keeps the data');
    made(
      await arena.commit(adapter, arena.bucket(), { set: { a: '2' } }),
      'a closed adapter opens again',
    );
  },
  'closing twice is closing once, and one that was never used can be closed': async (arena) => {
    const adapter = await arena.open();
    await adapter.close();
    await adapter.close();
    await Promise.all([adapter.close(), adapter.close()]);
  },
  'closing one opener leaves the others alone': async (arena) => {
    const [one, other] = [await arena.open(), await arena.open()];
    await arena.commit(one, arena.bucket(), { set: { a: '1' } });
    await one.close();
    hasFields(await other.read(arena.bucket()), { a: '1' }, 'another opener goes on');
    made(await arena.commit(other, arena.bucket(), { set: { a: '2' } }), 'another opener commits');
  },
};
