/** What `redisProxy` is made with, checked once. */
import type { Redis } from 'ioredis';
import { type Clock, systemClock } from '../../src/clock.js';
import { QTasksError } from '../../src/errors.js';
import { guard, type Logger, silent } from '../../src/logger.js';
import { check, checkOptions, hasMethods, kinds } from '../../src/options.js';
import { Access } from './access.js';
import { Cors } from './cors.js';
import { type Limits, limitsOf, type RedisProxyLimits } from './limits.js';
import { keyRing, type Secret, secretKind } from './secret.js';

/** Options of `redisProxy`. */
export interface RedisProxyOptions {
  /**
   * Where Redis is: `redis://user:password@host:port/db`, `rediss://…` for TLS, or a `Redis` of ioredis,
   * of which only the settings are used: the proxy makes connections of its own.
   */
  readonly redis: string | Redis;
  /** What session tokens are signed with. Default: there are no session tokens. */
  readonly secret?: Secret | undefined;
  /**
   * The token of servers: whoever has it reads and writes everything. At least 16 characters. Default:
   * there is none.
   */
  readonly adminToken?: string | undefined;
  /**
   * The origins whose pages may read the answers, like `"https://app.example"`, or `"*"`. Default: none.
   * Tokens protect the data, not this: only browsers keep to it.
   */
  readonly cors?: string | readonly string[];
  /** How much a request and a caller may use. */
  readonly limits?: RedisProxyLimits;
  /**
   * Where a request comes from, to count by. Default: its `ip` where the server gives requests one, as
   * srvx does; else all addresses count as one. Do not take a header that clients can write.
   */
  readonly addressOf?: (request: Request) => string;
  /**
   * Where the handler stands, like `"/api/redis"`, for frameworks that leave the whole path in a request.
   * Default: at the root, as where `mount` or `use` of a framework has cut the path off.
   */
  readonly path?: string;
  /** Hears of faults of the proxy and of a Redis that is not there; of no request. Default: nothing is written. */
  readonly logger?: Logger;
  /** Default: the runtime's own. */
  readonly clock?: Clock;
}

/** The options, with all that is optional filled in. */
export interface Settings {
  readonly access: Access;
  readonly cors: Cors;
  readonly limits: Limits;
  readonly addressOf: (request: Request) => string;
  /** `""`: at the root. */
  readonly path: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

const anyKind = ['given', (value: unknown) => value !== undefined] as const;
const adminKind = [
  'a string of at least 16 characters without spaces',
  (value: unknown) => typeof value === 'string' && /^\S{16,}$/.test(value),
] as const;

const pathKind = [
  'a path that begins with "/", and does not end with one',
  (value: unknown) => typeof value === 'string' && /^(\/[^/?#]+)+$/.test(value),
] as const;

/** @throws OPTION_INVALID */
export function settingsOf(options: RedisProxyOptions): Settings {
  const where = 'redisProxy';
  checkOptions(where, options, {
    redis: anyKind,
    secret: secretKind,
    adminToken: adminKind,
    cors: anyKind,
    limits: kinds.object,
    addressOf: kinds.function,
    path: pathKind,
    logger: ['a logger', hasMethods('info', 'warn', 'error')],
    clock: kinds.clock,
  });
  const { secret, adminToken, cors, limits, addressOf = ipOf, clock = systemClock } = options;
  const { logger = silent, path = '' } = options;
  if (secret === undefined && adminToken === undefined) {
    const message = `${where}: neither "secret" nor "adminToken" is given, so nobody could use it`;
    throw new QTasksError('OPTION_INVALID', message);
  }
  check(`${where}: option "redis"`, options.redis, anyKind);
  const ring = secret === undefined ? undefined : keyRing(where, secret);
  return {
    access: new Access({ ring, adminToken, clock }),
    cors: new Cors(cors),
    limits: limitsOf(limits),
    addressOf,
    path,
    logger: guard(logger),
    clock,
  };
}

function ipOf(request: Request): string {
  const ip: unknown = Reflect.get(request, 'ip');
  return typeof ip === 'string' ? ip : '';
}
