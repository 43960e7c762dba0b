/** Calls with a signal that has aborted. */
import type { Cases } from './arena.js';
import { hasFields, rejects, same } from './expect.js';

/** Abort. */
export const aborting: Cases = {
  'an aborted read rejects with the reason': async (arena) => {
    const adapter = await arena.open();
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    const error = await rejects(() => adapter.read(arena.bucket(), { signal }), 'an aborted read');
    same(error === reason, true, 'it rejects with the reason of the signal');
  },
  'an aborted commit rejects with the reason and changes nothing': async (arena) => {
    const adapter = await arena.open();
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    const set = new Map([['a', '1']]);
    const commit = { writer: 'w', sequence: 1, set };
    const attempt = (): Promise<unknown> => adapter.commit(arena.bucket(), commit, { signal });
    const error = await rejects(attempt, 'an aborted commit');
    same(error === reason, true, 'it rejects with the reason of the signal');
    hasFields(await adapter.read(arena.bucket()), {}, 'nothing of an aborted commit is stored');
    await adapter.commit(arena.bucket(), commit);
    hasFields(await adapter.read(arena.bucket()), { a: '1' }, 'and its sequence can be used again');
  },
  'a signal that does not abort changes nothing': async (arena) => {
    const adapter = await arena.open();
    const { signal } = new AbortController();
    const commit = { writer: 'w', sequence: 1, set: new Map([['a', '1']]) };
    await adapter.commit(arena.bucket(), commit, { signal });
    hasFields(await adapter.read(arena.bucket(), { signal }), { a: '1' }, 'an ordinary commit');
  },
};
