/** A thread that uses the storage of its host, lets go of it, and has nothing more to do. */
import { hostStorage } from '../../../adapters/worker/host-storage.js';

async function main(): Promise<void> {
  const storage = hostStorage();
  const id = { app: 'app', session: '', state: 'any' };
  const stop = storage.watch?.(id, () => {});
  await storage.commit(id, { writer: 'w', sequence: 1, set: new Map([['a', '1']]) });
  const release = await storage.lock?.(id, {});
  await release?.();
  for await (const _ of storage.list({ app: 'app' })) break;
  stop?.();
  await storage.close();
}

void main();
