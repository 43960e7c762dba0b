/** A worker's place in a pool: who dies there is followed by another one. */
import { systemClock } from '../../src/clock.js';
import { isQTasksError, QTasksError } from '../../src/index.js';
import type { Milliseconds } from '../../src/types.js';
import type { Call } from './call.js';
import { type End, Link, type LinkHost, type LinkOptions } from './link.js';
import { startWorker, type WorkerSource } from './source.js';

/** After how many failed starts in a row a place stays empty. */
const mostFailures = 5;

/** The first wait before another start, and the longest. */
const shortest: Milliseconds = 100;
const longest: Milliseconds = 2_000;

/** How the workers of a pool are made. */
export interface PlaceOptions extends LinkOptions {
  readonly source: WorkerSource | (() => WorkerSource);
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
  /** How many workers in a row have failed to start, and how many have ended without having been of use. */
  #failures = 0;
  #useless = 0;
  #wasReady = false;
  #restart: unknown = undefined;
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
    this.#restart = undefined;
    try {
      this.link = new Link(this, startWorker(this.#options.source), this.#options);
    } catch (error) {
      this.#failures++;
      this.#follow(toLoadError(error), []);
    }
  }

  opened(): void {
    this.#failures = 0;
    this.#wasReady = true;
    this.#host.opened(this);
  }

  ended(link: Link, error: QTasksError, how: End): void {
    if (this.#isMade) {
      const ending = link.endpoint.terminate();
      this.#ending.add(ending);
      void ending.finally(() => this.#ending.delete(ending));
    }
    this.link = undefined;
    if (how === 'failed') this.#failures++;
    // A script that has never answered will not do so the next time.
    if (how === 'silent') this.#failures = this.#wasReady ? this.#failures + 1 : mostFailures;
    this.#follow(error, [...link.calls.values()]);
  }

  get #isMade(): boolean {
    return typeof this.#options.source === 'function';
  }

  /** Starts the next one, unless that is of no use. */
  #follow(error: QTasksError, orphans: readonly Call[]): void {
    const ended = this.#useless++;
    if (!this.#isMade || this.#failures >= mostFailures) this.error = error;
    else if (!this.#isClosed) {
      const delay = ended === 0 ? 0 : Math.min(longest, shortest * 2 ** (ended - 1));
      this.#restart = systemClock.setTimeout(() => this.start(), delay);
    }
    this.#host.ended(this, error, orphans);
  }

  settle(call: Call, status: 'success' | 'error' | 'cancel', outcome: unknown): void {
    this.#useless = 0;
    this.#host.settle(call, status, outcome);
  }

  event(event: object): void {
    this.#host.event(event);
  }

  /** Closes the worker's app, or only this connection to it; rejects with what that fails with. */
  async close(drain: Milliseconds): Promise<void> {
    this.#isClosed = true;
    systemClock.clearTimeout(this.#restart ?? {});
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
