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
  'an aborted lock rejects with the reason and is not held': async (arena) => {
    const adapter = await arena.open();
    if (!adapter.lock) return;
    const place = { app: arena.app, session: 'ann' };
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    const error = await rejects(async () => adapter.lock?.(place, { signal }), 'an aborted lock');
    same(error === reason, true, 'it rejects with the reason of the signal');
    const release = await adapter.lock(place, {});
    await release();
  },
  'a signal that does not abort changes nothing': async (arena) => {
    const adapter = await arena.open();
    const { signal } = new AbortController();
    const commit = { writer: 'w', sequence: 1, set: new Map([['a', '1']]) };
    await adapter.commit(arena.bucket(), commit, { signal });
    hasFields(await adapter.read(arena.bucket(), { signal }), { a: '1' }, 'an ordinary commit');
  },
};
