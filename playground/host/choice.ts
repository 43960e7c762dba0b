/** What the visitor chooses: where tasks run and where their states live. The address keeps it. */

export const places = ['page', 'worker', 'pool'] as const;
export type Place = (typeof places)[number];

export const stores = ['memory', 'indexeddb', 'localstorage', 'redis'] as const;
export type Store = (typeof stores)[number];

export interface Choice {
  readonly place: Place;
  readonly store: Store;
}

/** Reads it off the address; what is unknown there counts as not given. */
export function chosen(isPossible: (store: Store) => boolean): Choice {
  const asked = new URLSearchParams(location.search);
  const place = places.find((each) => each === asked.get('run')) ?? 'page';
  const store = stores.find((each) => each === asked.get('state')) ?? 'memory';
  return { place, store: isPossible(store) ? store : 'memory' };
}

/** A reload and a second tab begin with the same. */
export function remember({ place, store }: Choice): void {
  const query = new URLSearchParams({ run: place, state: store });
  history.replaceState(null, '', `?${query}${location.hash}`);
}
