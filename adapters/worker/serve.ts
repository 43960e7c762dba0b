/** `serve`: lets pages and other threads run the tasks of an app. */
import { asyncDispose } from '../../src/disposal.js';
import { type QTasks, QTasksError } from '../../src/index.js';
import { checkOptions, describe, kinds } from '../../src/options.js';
import { SERVED } from '../../src/served.js';
import type { Milliseconds } from '../../src/types.js';
import { Connection, type Service } from './connection.js';
import { Endpoint, endpointKind, type MessageEndpoint, parentEndpoint } from './endpoint.js';
import { type ErrorClasses, errorClassesKind } from './errors.js';
import { HELLO, NOBODY, type Ready, SERVING, TAG, type TaskFacts } from './protocol.js';
import { RemoteStorage } from './remote-storage.js';

/** Options of {@link serve}. */
export interface ServeOptions {
  /**
   * Classes of errors that stay themselves on their way, like `{ MyError }`: under the same names as in
   * `connect`. Of others an `Error` with their name, message, stack and fields arrives.
   */
  readonly errors?: ErrorClasses;
  /** Who is served. Default: who has started the worker, and in a shared worker all its pages. */
  readonly port?: MessageEndpoint;
}

/** What {@link serve} gives. */
export interface Serving extends AsyncDisposable {
  /**
   * Refuses new runs, waits up to `drain` (default 10,000) for those that pages have started, cancels the
   * rest, and then serves nobody any more. The app stays open.
   * @throws OPTION_INVALID
   */
  close(options?: { readonly drain?: Milliseconds }): Promise<void>;
}

/**
 * Serves an app to the page that has started this worker, to all pages of a shared worker, or to the main
 * thread of Node: `connect` is the other side.
 *
 * Call it before the first `await` of a shared worker's script: pages that come earlier are missed. Others
 * may use the worker's messages too.
 *
 * @throws OPTION_INVALID, also where there is nobody to serve
 * @example
 * serve(new QTasks({ name: 'signup', tasks, storage: indexeddb() }));
 */
export function serve(app: QTasks<object>, options: ServeOptions = {}): Serving {
  // Not its class: the app may be of another copy of the library.
  if (!(SERVED in Object(app))) {
    const message = `serve: the app must be a QTasks; received ${describe(app)}`;
    throw new QTasksError('OPTION_INVALID', message);
  }
  checkOptions('serve', options, { errors: errorClassesKind, port: endpointKind });
  return new Server(app, options);
}

/** One app that is served. */
class Server implements Service, Serving {
  readonly app: QTasks<object>;
  readonly errors: ErrorClasses;
  readonly #connections = new Map<string, Connection>();
  /** What stops listening to each of those that are served. */
  readonly #endpoints = new Map<Endpoint, () => void>();
  #stop = (): void => {};
  #isClosing = false;

  constructor(app: QTasks<object>, { errors = {}, port = parentEndpoint() }: ServeOptions) {
    this.app = app;
    this.errors = errors;
    if (port) this.#attach(port);
    else this.#attachPages();
  }

  #attach(source: MessageEndpoint): void {
    const endpoint = new Endpoint(source);
    const stops = [
      endpoint.listen((message) => this.#receive(endpoint, message)),
      endpoint.onTrouble(({ kind }) => {
        if (kind === 'exit') this.gone(endpoint);
        // Of which connection and which call it was nobody can tell.
        else if (kind === 'unreadable') {
          this.#endThose(endpoint, 'a message of its page cannot be read');
        }
      }),
    ];
    this.#endpoints.set(endpoint, () => {
      for (const stop of stops) stop();
    });
    endpoint.post([TAG, NOBODY, SERVING]);
  }

  /** A shared worker meets its pages one by one. */
  #attachPages(): void {
    const scope = globalThis as Partial<
      Pick<EventTarget, 'addEventListener' | 'removeEventListener'>
    > & {
      SharedWorkerGlobalScope?: unknown;
    };
    if (!scope.SharedWorkerGlobalScope) {
      const message =
        'serve: nobody has started this thread as a worker; pass { port } to serve one';
      throw new QTasksError('OPTION_INVALID', message);
    }
    const listener = (event: Event): void => {
      const [port] = (event as MessageEvent).ports;
      if (port) this.#attach(port);
    };
    scope.addEventListener?.('connect', listener);
    this.#stop = () => scope.removeEventListener?.('connect', listener);
  }

  #receive(endpoint: Endpoint, message: unknown): boolean {
    if (!Array.isArray(message) || message[0] !== TAG) return false;
    const [, id, kind, appName] = message as unknown[];
    let connection = this.#connections.get(id as string);
    if (!connection) {
      const isMeant = appName === undefined || appName === this.app[SERVED].name;
      if (kind !== HELLO || !isMeant || this.#isClosing) return false;
      connection = new Connection(this, endpoint, id as string);
      this.#connections.set(connection.id, connection);
    }
    try {
      connection.receive(message);
    } catch (error) {
      connection.sayBye(`its page sends what nobody understands: ${error}`);
    }
    return true;
  }

  ready(): Omit<Ready, 'lock'> {
    const { storage, name } = this.app[SERVED];
    const isOwn = storage?.scope === 'runtime' && !(storage instanceof RemoteStorage);
    const tasks = this.app.inspect().tasks.map((task): TaskFacts => {
      const usesState = task.dependencies.some(({ kind }) => kind === 'state');
      return {
        name: task.name,
        timeout: task.timeout,
        isPinned: task.exclusive || (isOwn && usesState),
        retries: task.retry !== null,
      };
    });
    return { app: name, hasStorage: storage !== undefined, tasks };
  }

  forget({ id }: Connection): void {
    this.#connections.delete(id);
  }

  gone(endpoint: Endpoint): void {
    this.#endThose(endpoint, 'the page that has asked for it is gone');
    // A shared worker outlives its pages.
    this.#endpoints.get(endpoint)?.();
    this.#endpoints.delete(endpoint);
  }

  #endThose(endpoint: Endpoint, why: string): void {
    for (const connection of [...this.#connections.values()]) {
      if (connection.endpoint === endpoint) connection.sayBye(why);
    }
  }

  async close({ drain = 10_000 }: { readonly drain?: Milliseconds } = {}): Promise<void> {
    checkOptions('close', { drain }, { drain: kinds.duration });
    this.#isClosing = true;
    const connections = [...this.#connections.values()];
    await Promise.all(connections.map((connection) => connection.drain(drain)));
    for (const connection of connections) connection.sayBye('serve was closed');
    this.#stop();
    for (const stop of this.#endpoints.values()) stop();
    this.#endpoints.clear();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }
}
