/** The code that makes the app for each choice, to be shown beside the tasks. */
import type { Choice } from './choice.js';

export interface Source {
  readonly file: string;
  readonly load: () => Promise<{ readonly default: string }>;
}

export function hostSource({ place, store }: Choice): Source {
  if (place === 'page') return { file: 'page.ts', load: () => import('./page.ts?raw') };
  if (store === 'indexeddb') {
    return { file: 'worker/indexeddb.ts', load: () => import('../worker/indexeddb.ts?raw') };
  }
  if (store === 'redis') {
    return { file: 'worker/redis.ts', load: () => import('../worker/redis.ts?raw') };
  }
  return { file: 'worker/host.ts', load: () => import('../worker/host.ts?raw') };
}
