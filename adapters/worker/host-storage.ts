/** `hostStorage` for workers, and what answers it on a page: the worker uses the storage of its page. */
import { QTasksError } from '../../src/errors.js';
import { check } from '../../src/options.js';
import type { StorageAdapter } from '../../src/storage.js';
import { whenGone } from './alive.js';
import { Endpoint, endpointKind, type MessageEndpoint, parentEndpoint } from './endpoint.js';
import { isMessage, NO_STORAGE, NOBODY, STORAGE, TAG, WANT_STORAGE } from './protocol.js';
import { RemoteStorage } from './remote-storage.js';
import type { StorageLink } from './storage-wire.js';

/** How long a page may take until it answers. */
const patience = 10_000;

/** How long a page that says that it has none may take until another connection of it gives one. */
const secondThought = 100;

const remedy = 'have the page give it one: connect(…, { storage: memory() })';

/**
 * Makes a storage for a worker of whoever has started it: the page's own adapter, which the page gives by
 * `connect(…, { storage })`. So a worker can use what only a page has, like `localstorage()`, and all
 * workers of a page share one `memory()`.
 *
 * It asks for the storage at its first use, and again once that is gone. Locks that a worker holds are
 * freed as it ends. `watch` says on the console where the page's storage cannot do that, `lock` rejects.
 *
 * @param port who has the storage. Default: who has started this worker; in a shared worker give the port
 * of the `connect` event
 * @throws OPTION_INVALID where the port is none. Its calls reject with STORAGE_MISSING where the page has no
 * storage for it, and STORAGE_UNAVAILABLE where there is no page, or none that answers within 10 seconds
 */
export function hostStorage(port?: MessageEndpoint): StorageAdapter {
  if (port !== undefined) check('hostStorage: the port', port, endpointKind);
  return new RemoteStorage('hostStorage', async (signal) => {
    const source = port ?? parentEndpoint();
    if (source) return receptionOf(source).ask(signal);
    const message =
      'hostStorage: nobody has started this realm as a worker; in a shared worker give it the port of the "connect" event, elsewhere use memory() or indexeddb()';
    throw new QTasksError('STORAGE_UNAVAILABLE', message);
  });
}

/** Where each page hands out its storage: there is one listener, whoever asks. */
const receptions = new WeakMap<MessageEndpoint, Reception>();

function receptionOf(source: MessageEndpoint): Reception {
  const reception = receptions.get(source) ?? new Reception(new Endpoint(source));
  receptions.set(source, reception);
  return reception;
}

/** Who waits for a storage. */
interface Waiting {
  resolve(offer: Offer): void;
  reject(error: unknown): void;
}

/** One answer of a page. */
interface Offer {
  readonly port: MessagePort;
  /** That the page holds as long as it lives. */
  readonly lock: string | undefined;
}

class Reception {
  readonly #endpoint: Endpoint;
  readonly #waiting = new Set<Waiting>();
  /** Who waits or uses what was given: as long as there are any, more answers may come. */
  #users = 0;
  #stop = (): void => {};

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  async ask(signal: AbortSignal): Promise<StorageLink> {
    if (this.#users++ === 0) this.#stop = this.#endpoint.listen((message) => this.#hear(message));
    try {
      const { port, lock } = await this.#wait(signal);
      return { port, onGone: (tell) => this.#whenGone(lock, tell) };
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  #wait(signal: AbortSignal): Promise<Offer> {
    return new Promise((resolve, reject) => {
      let next: ReturnType<typeof setTimeout>;
      // What comes before the page listens is lost.
      const ask = (pause: number): void => {
        this.#endpoint.post([TAG, NOBODY, WANT_STORAGE]);
        next = setTimeout(ask, pause, pause * 2);
      };
      const end = (): void => {
        this.#waiting.delete(waiting);
        clearTimeout(next);
        clearTimeout(last);
      };
      const waiting: Waiting = {
        resolve(offer) {
          end();
          resolve(offer);
        },
        reject(error) {
          end();
          reject(error);
        },
      };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', () => waiting.reject(signal.reason));
      const last = setTimeout(() => waiting.reject(silence()), patience);
      ask(50);
    });
  }

  #hear(message: unknown): boolean {
    if (!isMessage(message, NOBODY)) return false;
    const [, , kind, port, lock] = message;
    if (kind === STORAGE) this.#give({ port, lock } as Offer);
    else if (kind === NO_STORAGE) this.#refuseSoon();
    return kind === STORAGE || kind === NO_STORAGE;
  }

  /** Who has asked several times is answered as often. */
  #give(offer: Offer): void {
    const [waiting] = this.#waiting;
    if (waiting) waiting.resolve(offer);
    else offer.port.close();
  }

  #refuseSoon(): void {
    for (const { reject } of this.#waiting) setTimeout(() => reject(refusal()), secondThought);
  }

  #whenGone(lock: string | undefined, tell: (error: unknown) => void): () => void {
    const stop = whenGone(lock, () => tell(undefined));
    return () => {
      stop();
      this.#leave();
    };
  }

  #leave(): void {
    if (--this.#users === 0) this.#stop();
  }
}

const silence = (): QTasksError =>
  new QTasksError(
    'STORAGE_UNAVAILABLE',
    `hostStorage: nobody has answered within ${patience / 1_000} seconds; ${remedy}`,
  );

const refusal = (): QTasksError =>
  new QTasksError('STORAGE_MISSING', `hostStorage: the page has no storage for workers; ${remedy}`);
