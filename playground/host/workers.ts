/** Runs the tasks in workers: one, or a pool. */
import { type Signal, signal } from '@preact/signals';
import type { StorageAdapter } from 'qtasks-lite';
import { connect } from 'qtasks-lite/worker';
import type { Store } from './choice.js';
import type { Host, Print, Tasks } from './host.js';

/** A worker's place in the pool, whoever is in it. */
export interface WorkerSlot {
  readonly state: Signal<'starting' | 'ready' | 'lost'>;
  worker: Worker | undefined;
}

/** What a worker serves is in its file; what the page has alone, it uses through `hostStorage`. */
const makers: Record<Store, () => Worker> = {
  memory: inHost,
  localstorage: inHost,
  indexeddb: () =>
    new Worker(new URL('../worker/indexeddb.ts', import.meta.url), { type: 'module' }),
  redis: () => new Worker(new URL('../worker/redis.ts', import.meta.url), { type: 'module' }),
};

function inHost(): Worker {
  return new Worker(new URL('../worker/host.ts', import.meta.url), { type: 'module' });
}

export interface WorkersOptions {
  readonly size: number;
  readonly store: Store;
  readonly storage: StorageAdapter;
  readonly print: Print;
}

export function openWorkers({ size, store, storage, print }: WorkersOptions): Host {
  const slots = Array.from({ length: size }, (): WorkerSlot => {
    return { state: signal('starting'), worker: undefined };
  });
  const free = [...slots];
  const start = (): Worker => {
    const worker = makers[store]();
    worker.addEventListener('message', ({ data }) => {
      if (isLine(data)) print(data.line);
    });
    const slot = free.shift();
    if (slot) slot.worker = worker;
    return worker;
  };
  const app = connect<Tasks>(start, { size, storage });
  app.on('worker:start', ({ worker }) => {
    const slot = slots[worker];
    if (slot) slot.state.value = 'ready';
  });
  app.on('worker:lost', ({ worker }) => {
    const slot = slots[worker];
    if (!slot) return;
    slot.state.value = 'lost';
    // The next one that is made takes its place.
    free.push(slot);
  });
  return {
    app,
    workers: slots,
    kill: (worker) => slots[worker]?.worker?.terminate(),
    close: () => app.close({ drain: 0 }),
  };
}

function isLine(data: unknown): data is { readonly line: string } {
  return typeof data === 'object' && data !== null && 'line' in data;
}
