/** How much of the proxy one request or caller may use. */
import { checkOptions, kinds } from '../../src/options.js';
import type { Milliseconds } from '../../src/types.js';

/** Limits of `redisProxy`, each with its default. `Infinity` lifts one. */
export interface RedisProxyLimits {
  /** Bytes of a request's body; more is answered with 413. Default 10 MiB. */
  readonly bodyBytes?: number;
  /** How long a body may take to arrive; longer is answered with 408. Default 30 s. */
  readonly bodyTimeout?: Milliseconds;
  /** How long Redis may take to answer; then 503 is, and nobody knows what was done. Default 10 s. */
  readonly commandTimeout?: Milliseconds;
  /** Commands of one `/pipeline` or `/multi-exec`; more is answered with 413. Default 1,000. */
  readonly commands?: number;
  /** Words of one command; more is answered with 413, in a pipeline at its place. Default 20,000. */
  readonly arguments?: number;
  /** Bytes of one argument; more is answered with 413, in a pipeline at its place. Default 4 MiB. */
  readonly valueBytes?: number;
  /**
   * Bytes that a session's request is answered with: when there are as many, the commands that are left are
   * not run, and each is answered with an error in its place. Default 32 MiB.
   */
  readonly answerBytes?: number;
  /** Streams of one session at once; more is answered with 429. Default 16. */
  readonly streamsPerSession?: number;
  /** Streams of all callers at once; more is answered with 429. Default 1,000. */
  readonly streams?: number;
  /** Channels of one stream; more is answered with 413. Default 256. */
  readonly channels?: number;
  /** Bytes that wait for a slow reader of a stream; with more its stream ends. Default 1 MiB. */
  readonly streamBytes?: number;
  /**
   * Commands a second of one session from one address, for long; ten seconds' worth may come at once.
   * More is answered with 429. Default 1,000.
   */
  readonly commandsPerSecond?: number;
  /** The same for the admin token. Default: no limit. */
  readonly adminCommandsPerSecond?: number;
  /** Requests without a valid token a second from one address: more get 429, not 401. Default 10. */
  readonly failuresPerSecond?: number;
}

/** All limits. */
export type Limits = Required<RedisProxyLimits>;

const defaults: Limits = {
  bodyBytes: 10 * 2 ** 20,
  bodyTimeout: 30_000,
  commandTimeout: 10_000,
  commands: 1000,
  arguments: 20_000,
  valueBytes: 4 * 2 ** 20,
  answerBytes: 32 * 2 ** 20,
  streamsPerSession: 16,
  streams: 1000,
  channels: 256,
  streamBytes: 2 ** 20,
  commandsPerSecond: 1000,
  adminCommandsPerSecond: Number.POSITIVE_INFINITY,
  failuresPerSecond: 10,
};

const limitKinds = Object.fromEntries(
  Object.keys(defaults).map((name) => [
    name,
    name.endsWith('Timeout') || name.endsWith('PerSecond') ? kinds.limit : kinds.atLeastOne,
  ]),
);

/**
 * The limits that were given, and the defaults for the others.
 * @throws OPTION_INVALID
 */
export function limitsOf(given: RedisProxyLimits = {}): Limits {
  checkOptions('redisProxy: option "limits"', given, limitKinds);
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(known) };
}
