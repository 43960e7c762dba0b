/** Makes what the visitor has chosen. */
import type { Choice } from './choice.js';
import type { Host, Print } from './host.js';
import { storageOf } from './storages.js';

/** How many workers the pool has. */
export const poolSize = 2;

export async function openHost({ place, store }: Choice, print: Print): Promise<Host> {
  const storage = await storageOf(store);
  if (place === 'page') return (await import('./page.js')).openPage(storage, print);
  const { openWorkers } = await import('./workers.js');
  return openWorkers({ size: place === 'pool' ? poolSize : 1, store, storage, print });
}

/** Redis knows the visitor by name; what is in this browser is nobody else's anyway. */
export async function sessionOf({ store }: Choice): Promise<string> {
  return store === 'redis' ? (await import('./backend.js')).logIn() : 'you';
}
