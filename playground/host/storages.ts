/** The storages of this page: one of each kind, made as it is first chosen, kept as long as the page. */
import type { StorageAdapter } from 'qtasks-lite';
import type { Store } from './choice.js';

const makers: Record<Store, () => Promise<StorageAdapter>> = {
  memory: async () => (await import('qtasks-lite/memory')).memory(),
  indexeddb: async () => (await import('qtasks-lite/indexeddb')).indexeddb(),
  localstorage: async () => (await import('qtasks-lite/localstorage')).localstorage(),
  redis: async () => (await import('./backend.js')).visitorStorage(),
};

const made = new Map<Store, Promise<StorageAdapter>>();

export function storageOf(store: Store): Promise<StorageAdapter> {
  const storage = made.get(store) ?? makers[store]();
  made.set(store, storage);
  return storage;
}
