/** A worker's place in a pool: who dies there is followed by another one. */
import { systemClock } from '../../src/clock.js';
import { isQTasksError, QTasksError } from '../../src/index.js';
import type { Milliseconds } from '../../src/types.js';
import type { Call } from './call.js';
import { Link, type LinkHost, type LinkOptions } from './link.js';
import { startWorker, type WorkerSource } from './source.js';

/** After how many failed starts in a row a place stays empty. */
const mostFailures = 5;

/** The first wait before another start, and the longest. */
const shortest: Milliseconds = 100;
const longest: Milliseconds = 10_000;

/** How the workers of a pool are made. */
export interface PlaceOptions extends LinkOptions {
  readonly source: WorkerSource | (() => WorkerSource);
  readonly readyTimeout: Milliseconds;
}

/** Who owns the places. */
export interface PlaceHost {
  /** A worker can be called from now on. */
  opened(place: Place): void;
  /** The worker is gone; `orphans` are the calls that it had. */
  ended(place: Place, error: QTasksError, orphans: readonly Call[]): void;
  settle: LinkHost['settle'];
  event: LinkHost['event'];
}

/** One place. */
export class Place implements LinkHost {
  readonly index: number;
  link: Link | undefined = undefined;
  /** Why nobody will come here any more. */
  error: QTasksError | undefined = undefined;
  readonly #host: PlaceHost;
  readonly #options: PlaceOptions;
  /** How many workers in a row did not start, and how many did but have settled no run. */
  #failures = 0;
  #useless = 0;
  #restart: unknown = undefined;
  #deadline: unknown = undefined;
  readonly #ending = new Set<Promise<void>>();
  #isClosed = false;

  constructor(host: PlaceHost, index: number, options: PlaceOptions) {
    this.#host = host;
    this.index = index;
    this.#options = options;
  }

  get isReady(): boolean {
    return this.link?.ready !== undefined;
  }

  start(): void {
    const { readyTimeout } = this.#options;
    this.#deadline ??= systemClock.setTimeout(() => this.#late(readyTimeout), readyTimeout);
    try {
      this.link = new Link(this, startWorker(this.#options.source), this.#options);
    } catch (error) {
      this.#failed(toLoadError(error), []);
    }
  }

  #late(readyTimeout: Milliseconds): void {
    const why = `there was no answer within ${readyTimeout} ms; does its script call serve(app)?`;
    this.#failures = mostFailures;
    if (this.link) return this.link.end(why);
    this.#failed(new QTasksError('WORKER_LOAD_FAILED', `the worker did not start: ${why}`), []);
  }

  opened(): void {
    this.#failures = 0;
    this.#stopTimers();
    this.#host.opened(this);
  }

  ended(link: Link, error: QTasksError): void {
    if (this.#isMade) {
      const ending = link.endpoint.terminate();
      this.#ending.add(ending);
      void ending.finally(() => this.#ending.delete(ending));
    }
    this.link = undefined;
    this.#failed(error, [...link.calls.values()], link.ready !== undefined);
  }

  get #isMade(): boolean {
    return typeof this.#options.source === 'function';
  }

  #failed(error: QTasksError, orphans: readonly Call[], wasReady = false): void {
    const failures = wasReady ? this.#useless++ : ++this.#failures;
    this.#stopRestart();
    if (!this.#isMade || this.#failures >= mostFailures) this.#giveUp(error);
    else if (!this.#isClosed) {
      const delay = failures === 0 ? 0 : Math.min(longest, shortest * 2 ** (failures - 1));
      this.#restart = systemClock.setTimeout(() => this.start(), delay);
    }
    this.#host.ended(this, error, orphans);
  }

  #giveUp(error: QTasksError): void {
    this.error = error;
    this.#stopTimers();
  }

  #stopRestart(): void {
    systemClock.clearTimeout(this.#restart ?? {});
    this.#restart = undefined;
  }

  #stopTimers(): void {
    this.#stopRestart();
    systemClock.clearTimeout(this.#deadline ?? {});
    this.#deadline = undefined;
  }

  settle(...settled: Parameters<LinkHost['settle']>): void {
    this.#useless = 0;
    this.#host.settle(...settled);
  }

  event(event: object): void {
    this.#host.event(event);
  }

  /** Closes the worker's app, or only this connection to it; rejects with what that fails with. */
  async close(drain: Milliseconds): Promise<void> {
    this.#isClosed = true;
    this.#stopTimers();
    const { link } = this;
    const what = this.#isMade && link?.endpoint.isWorker ? 'app' : 'connection';
    try {
      if (link?.ready) await link.close({ what, session: '', drain });
    } finally {
      link?.end('its pool was closed');
      await Promise.all(this.#ending);
    }
  }
}

function toLoadError(error: unknown): QTasksError {
  if (isQTasksError(error, 'OPTION_INVALID')) return error;
  const message = 'the worker did not start: the function that makes it has thrown';
  return new QTasksError('WORKER_LOAD_FAILED', message, { cause: error });
}
