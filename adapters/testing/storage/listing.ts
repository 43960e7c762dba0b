/** Which buckets there are. */
import type { BucketId, StorageAdapter } from '../../../src/storage.js';
import type { Cases } from './arena.js';
import { same } from './expect.js';

async function listed(
  adapter: StorageAdapter,
  prefix: { readonly app: string; readonly session?: string },
): Promise<string[]> {
  const found: string[] = [];
  for await (const { app, session, state } of adapter.list(prefix)) {
    found.push(JSON.stringify([app, session, state]));
  }
  return found.sort();
}

const texts = (ids: readonly BucketId[]): string[] =>
  ids.map(({ app, session, state }) => JSON.stringify([app, session, state])).sort();

/** Listing. */
export const listing: Cases = {
  'lists the buckets of an app, each once': async (arena) => {
    const adapter = await arena.open();
    const ids = ['', 'a', 'b'].flatMap((session) =>
      ['one', 'two'].map((state) => arena.bucket({ session, state })),
    );
    for (const id of ids) await arena.commit(adapter, id, { set: { a: '1' } });
    same(await listed(adapter, { app: arena.app }), texts(ids), 'every bucket of the app, once');
  },
  'lists the buckets of a session exactly': async (arena) => {
    const adapter = await arena.open();
    const sessions = ['', 'a', 'aa', 'a:b', 'a%3Ab', 'a*', 'A', 'a ', 'b'];
    for (const session of sessions) {
      await arena.commit(adapter, arena.bucket({ session }), { set: { a: '1' } });
    }
    for (const session of sessions) {
      const expected = texts([arena.bucket({ session })]);
      same(await listed(adapter, { app: arena.app, session }), expected, 'exactly this session');
    }
  },
  'lists the buckets of an app exactly': async (arena) => {
    const adapter = await arena.open();
    const apps = [arena.app, `${arena.app}:a`, `${arena.app}a`, `${arena.app}*`];
    for (const app of apps) await arena.commit(adapter, arena.bucket({ app }), { set: { a: '1' } });
    for (const app of apps) {
      same(await listed(adapter, { app }), texts([arena.bucket({ app })]), 'exactly this app');
      await arena.commit(adapter, arena.bucket({ app }), { clear: true });
    }
  },
  'lists what other openers wrote': async (arena) => {
    const [one, other] = [await arena.open(), await arena.open()];
    await arena.commit(one, arena.bucket(), { set: { a: '1' } });
    same(
      await listed(other, { app: arena.app }),
      texts([arena.bucket()]),
      'all openers see one list',
    );
  },
  'an app without buckets lists nothing': async (arena) => {
    same(await listed(await arena.open(), { app: arena.app }), [], 'nothing was written');
  },
  'what stays is listed once while others come and go': async (arena) => {
    const adapter = await arena.open();
    const stay = Array.from({ length: 20 }, (_, index) =>
      arena.bucket({ session: `stay-${index}` }),
    );
    for (const id of stay) await arena.commit(adapter, id, { set: { a: '1' } });
    const gone = arena.bucket({ session: 'gone' });
    await arena.commit(adapter, gone, { set: { a: '1' } });
    const found: string[] = [];
    for await (const { session } of adapter.list({ app: arena.app })) {
      if (session.startsWith('stay-')) found.push(session);
      await arena.commit(adapter, gone, { clear: true });
      const come = arena.bucket({ session: `come-${found.length}` });
      await arena.commit(adapter, come, { set: { a: '1' } });
    }
    const expected = stay.map(({ session }) => session).sort();
    same(found.sort(), expected, 'each bucket that stays is listed exactly once');
  },
};
