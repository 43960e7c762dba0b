/** What answers `hostStorage()` of a worker, on the page that has started it. */
import type { StorageAdapter } from '../../src/storage.js';
import { holdAlive } from './alive.js';
import type { Endpoint } from './endpoint.js';
import { isMessage, NO_STORAGE, NOBODY, STORAGE, TAG, WANT_STORAGE } from './protocol.js';
import { StorageOffer } from './storage-offer.js';

/**
 * Gives a worker the page's storage whenever it asks for it, or says that there is none, until what this
 * returns is called: then all that it was given ends.
 */
export function answerStorage(endpoint: Endpoint, storage: StorageAdapter | undefined): () => void {
  const offers = new Set<StorageOffer>();
  let isOver = false;
  const answer = async (): Promise<void> => {
    if (!storage) return endpoint.post([TAG, NOBODY, NO_STORAGE]);
    const lock = await holdAlive();
    if (isOver) return;
    const { port1, port2 } = new MessageChannel();
    const offer = new StorageOffer(port1, storage);
    offers.add(offer);
    offer.onEnd = () => offers.delete(offer);
    endpoint.post([TAG, NOBODY, STORAGE, port2, lock], [port2]);
  };
  const stop = endpoint.listen((message) => {
    const isMeant = isMessage(message, NOBODY) && message[2] === WANT_STORAGE;
    if (isMeant) void answer();
    // Another connection of this page may have one.
    return isMeant && storage !== undefined;
  });
  return () => {
    isOver = true;
    stop();
    for (const offer of offers) offer.gone();
  };
}
