/** `connect`: runs the tasks of an app that is served in a worker, without having their code. */
import { Client, type TaskClient } from '../../src/client.js';
import {
  type EventMap,
  type EventName,
  QTasksError,
  type StorageAdapter,
} from '../../src/index.js';
import { checkOptions, hasMethods, kinds } from '../../src/options.js';
import type { Milliseconds } from '../../src/types.js';
import { type ErrorClasses, errorClassesKind } from './errors.js';
import { Pool } from './pool.js';
import { endpointOf, type WorkerSource } from './source.js';

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** How many workers; more than one need a function that makes them. Default 1. */
  readonly size?: number;
  /** The name of the app, where a worker serves several. Default: whichever is served first. */
  readonly app?: string;
  /** How long calls wait for a worker to be ready, further starts included. Default 10,000. */
  readonly readyTimeout?: Milliseconds;
  /**
   * How long a worker may leave a cancel or a passed timeout unanswered until it counts as stuck and is
   * ended. Default 1,000.
   */
  readonly grace?: Milliseconds;
  /**
   * Classes of errors that stay themselves on their way, like `{ MyError }`: under the same names as in
   * `serve`. Of others an `Error` with their name, message, stack and fields arrives.
   */
  readonly errors?: ErrorClasses;
  /** What `hostStorage()` in the workers uses, all of them together. */
  readonly storage?: StorageAdapter;
}

const optionKinds = {
  size: [
    'a whole number, 1 or more',
    (value: unknown) => Number.isInteger(value) && (value as number) >= 1,
  ],
  app: kinds.name,
  readyTimeout: kinds.limit,
  grace: kinds.duration,
  errors: errorClassesKind,
  storage: ['a storage adapter, like memory()', hasMethods('read', 'commit', 'list', 'close')],
} as const;

/**
 * Connects to an app that a worker serves; `serve` is the other side. The page's bundle gets no code of its
 * tasks, as only their types are named here.
 *
 * Each run goes to the least busy worker; those of `exclusive` tasks go, within one session, to one and the
 * same, and so do those that use a state that each worker has for itself. A worker that dies is followed by
 * another one. Runs that it had reject with `WORKER_LOST`, but for those that were given an `id` and whose
 * task has `retry`: to them it was an attempt. After five starts in a row that failed, or `readyTimeout`,
 * they all reject with `WORKER_LOAD_FAILED`, and so does whatever is called later.
 *
 * @param source a function that makes a worker, so that another one can be made when it dies; or a
 * `Worker`, a `SharedWorker` or a port, which is only let go of by `close`
 * @throws OPTION_INVALID
 * @example
 * const app = connect<typeof import('./tasks')>(
 *   () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }),
 * );
 * await app.session('ann').run('step2', '+351 900 000 000');
 */
export function connect<Tasks extends object>(
  source: WorkerSource | (() => WorkerSource),
  options: ConnectOptions = {},
): WorkerClient<Tasks> {
  checkOptions('connect', options, optionKinds);
  if (typeof source !== 'function') endpointOf(source);
  const { size = 1, app, readyTimeout = 10_000, grace = 1_000, errors = {}, storage } = options;
  if (size > 1 && typeof source !== 'function') {
    const message = 'connect: a pool needs a function that makes its workers, not one of them';
    throw new QTasksError('OPTION_INVALID', message);
  }
  const prefix = `${Math.random().toString(36).slice(2)}-`;
  const pool = new Pool(size, { source, app, readyTimeout, grace, errors, storage, prefix });
  return new Connected(pool, '', {});
}

/** An app in workers. */
export interface WorkerClient<out Tasks extends object> extends TaskClient<Tasks> {
  /**
   * Calls back on an event of the workers' app, on `worker:start` and on `worker:lost`. Of the app's the
   * workers tell as long as somebody listens; values in them that cannot travel are left out.
   * @returns what stops it
   * @throws OPTION_INVALID
   */
  on<Name extends EventName>(name: Name, listener: (event: EventMap[Name]) => unknown): () => void;
}

class Connected<out Tasks extends object> extends Client<Tasks> implements WorkerClient<Tasks> {
  readonly #pool: Pool;

  constructor(pool: Pool, ...client: [session: string, settings: object]) {
    super(pool, ...client);
    this.#pool = pool;
  }

  on<Name extends EventName>(name: Name, listener: (event: EventMap[Name]) => unknown): () => void {
    return this.#pool.on(name, listener);
  }
}
