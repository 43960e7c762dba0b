/** How commands travel, over HTTP or a connection: what the queue, the locks and the feed ask of it. */
import { QTasksError } from '../../src/errors.js';
import type { Milliseconds } from '../../src/types.js';

/** The name of a command and its arguments. */
export type Command = readonly string[];

/** What became of one command: Redis has answered, has refused it, or nobody knows. */
export interface Reply {
  readonly result?: unknown;
  readonly error?: unknown;
  readonly lost?: unknown;
}

/** Who is told what comes through a subscription. */
export interface Audience {
  /** Ends the subscription. */
  readonly signal: AbortSignal;
  /** Nothing that is published from now on is missed; again where there may have been a gap. */
  ready(): void;
  heard(channel: string, message: string): void;
}

/** One way to a Redis. */
export interface Transport {
  /** How many characters the names of all channels of one subscription may have. */
  readonly maxLength: number;
  /**
   * Sends commands, which are carried out in their order if at all; one reply for each.
   * @param signal gives one that aborts once the answer is too late; nobody waits for it after that. To
   * make one costs more than all else, so it is asked for at once or not at all
   * @throws a `QTasksError` where it was refused for good, {@link Busy} where it was refused for now; else
   * it may have been carried out or not
   */
  send(commands: readonly Command[], signal: () => AbortSignal): Promise<readonly Reply[]>;
  /** The servers that keys are on: those of a cluster, otherwise this one. */
  nodes(): Promise<readonly Transport[]>;
  /** Subscribes; resolves once that has ended: to `false` where it is not possible at all. */
  listen(channels: readonly string[], audience: Audience): Promise<boolean>;
}

/** The server has done nothing and wants to be asked later. */
export class Busy extends Error {
  readonly wait: Milliseconds;

  constructor(wait: Milliseconds) {
    super('the server is busy');
    this.wait = wait;
  }
}

/** What passes by itself: the command was not carried out and can be sent again. */
export const isPassing = (text: string): boolean =>
  /LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|MISCONF/.test(text);

/** What the proxy says of commands that it has not run, because those before them were answered with much. */
export const tooMuchToAnswer = 'ERR max response size exceeded';

/** What a user of Redis may not do; within a script each version of Redis says that in words of its own. */
export const isUnauthorized = (text: string): boolean =>
  /NOPERM|WRONGPASS|NOAUTH|ACL failure in script|The user executing the script can't/.test(text);

/**
 * What Redis has refused, as one of the library's errors. Only the first word of its text is told: the
 * rest may quote the command.
 */
export function refusal(text: string): QTasksError {
  const code = isUnauthorized(text)
    ? 'STORAGE_UNAUTHORIZED'
    : /OOM|max .*exceeded/.test(text)
      ? 'STORAGE_QUOTA'
      : /WRONGTYPE|CORRUPT|^ERR .*user_script/.test(text)
        ? 'STORAGE_CORRUPT'
        : 'STORAGE_UNAVAILABLE';
  const kind = /^[A-Z]+\b/.exec(text)?.[0] ?? 'with an error';
  return new QTasksError(code, `redis: the server answered ${kind}`);
}

/** Settles as a promise does, or rejects once the signal aborts: what is waited for may not heed that. */
export const unlessAborted = <T>(awaited: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    awaited.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });

/** Waits, but no longer than until the signal aborts. */
export const pause = (duration: Milliseconds, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, signal.aborted ? 0 : duration);
    signal.addEventListener('abort', end);
  });
