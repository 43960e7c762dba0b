/** The runs of one app that were given an id: who asks for one of them again gets the same run. */
import type { ActiveRun } from './active-run.js';
import type { Clock } from './clock.js';
import { QTasksError } from './errors.js';
import type { EpochMs, Milliseconds } from './types.js';

/** For how long runs that were given an id are remembered after their success. */
export interface RememberOptions {
  /** How many; the oldest is forgotten first. Default 1,000. */
  readonly limit?: number;
  /** How long after the success. Default 600,000: ten minutes. */
  readonly ttl?: Milliseconds;
}

/** A run that has succeeded, and until when it counts. */
interface Success {
  readonly run: ActiveRun;
  readonly until: EpochMs;
}

/** Runs by session and id, while they go on and for a while after their success. */
export class Remembered {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #ttl: Milliseconds;
  readonly #active = new Map<string, ActiveRun>();
  /** The oldest first. */
  readonly #successes = new Map<string, Success>();

  constructor(clock: Clock, { limit = 1_000, ttl = 600_000 }: RememberOptions = {}) {
    this.#clock = clock;
    this.#limit = limit;
    this.#ttl = ttl;
  }

  /** @throws OPTION_INVALID where another task has the id */
  find(session: string, id: string, taskName: string): ActiveRun | undefined {
    const key = keyOf(session, id);
    const success = this.#successes.get(key);
    const isValid = success && success.until > this.#clock.now();
    const run = this.#active.get(key) ?? (isValid ? success.run : undefined);
    if (!run || run.taskName === taskName) return run;
    const message = `run: the id "${id}" is that of a run of task "${run.taskName}"; take another id`;
    throw new QTasksError('OPTION_INVALID', message);
  }

  /** Remembers a run that was given an id; one that fails or is cancelled is forgotten. */
  add(run: ActiveRun): void {
    const key = keyOf(run.session, run.id);
    this.#active.set(key, run);
    run.whenSettled(() => {
      this.#active.delete(key);
      this.#successes.delete(key);
      if (run.status !== 'success') return;
      const now = this.#clock.now();
      this.#successes.set(key, { run, until: now + this.#ttl });
      for (const [oldest, { until }] of this.#successes) {
        if (this.#successes.size <= this.#limit && until > now) break;
        this.#successes.delete(oldest);
      }
    });
  }
}

/** Injective: a session's id may have any characters. */
const keyOf = (session: string, id: string): string => `${session.length}:${session}${id}`;
