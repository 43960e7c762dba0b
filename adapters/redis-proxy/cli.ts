#!/usr/bin/env node
/** The command `qtasks-lite redis-proxy`. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Logger } from '../../src/logger.js';
import type { RedisProxyOptions } from './options.js';
import type { Secret } from './secret.js';

const usage = `Usage: qtasks-lite redis-proxy [options]

Serves Redis over HTTP, by the Upstash Redis REST protocol.

  --redis URL      where Redis is (default: REDIS_URL, or redis://127.0.0.1:6379)
  --port PORT      where to listen (default: 8079)
  --host HOST      on which address (default: 127.0.0.1)
  --cors ORIGIN    an origin whose pages may read the answers, or "*"; may be given again
  --dev            makes the secrets that the environment lacks, and prints them
  --help           prints this

In the environment, at least one of
  QTASKS_LITE_SECRET       signs session tokens: 32 characters or more, or JSON { "current", "keys" }
  QTASKS_LITE_ADMIN_TOKEN  the token of servers, which opens everything: 16 characters or more
For a new one: openssl rand -hex 32
`;

/** What a user can mend: printed without a stack. */
class UsageError extends Error {}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const write = (entry: object): void =>
  print(JSON.stringify({ time: new Date().toISOString(), ...entry }));

const logger: Logger = {
  info: (message) => write({ event: 'info', message }),
  warn: (message) => write({ event: 'warning', message }),
  error: (message, error) =>
    write({ event: 'error', message, stack: error instanceof Error ? error.stack : undefined }),
};

try {
  await main();
} catch (error) {
  process.stderr.write(`qtasks-lite: ${explain(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help) return print(usage);
  if (positionals.length !== 1 || positionals[0] !== 'redis-proxy') throw new UsageError(usage);
  const { redis, host, cors, dev } = values;
  const secrets = dev ? madeSecrets() : givenSecrets();
  // Only now: without ioredis these cannot be loaded, and that has to be explained.
  const [{ redisProxy }, { serveProxy }] = await Promise.all([
    import('./proxy.js'),
    import('./serve.js'),
  ]);
  const proxy = redisProxy({ redis, cors, ...secrets, logger });
  const server = await serveProxy(proxy, { host, port: portOf(values.port), log: write });
  write({ event: 'listening', url: server.url });
  endOnSignal(() => server.close());
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        redis: { type: 'string', default: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' },
        port: { type: 'string', default: '8079' },
        host: { type: 'string', default: '127.0.0.1' },
        cors: { type: 'string', multiple: true, default: [] },
        dev: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : ''}\n\n${usage}`);
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65_536) return port;
  throw new UsageError('--port must be a number from 0 to 65535');
}

type Secrets = Pick<RedisProxyOptions, 'secret' | 'adminToken'>;

function givenSecrets(): Secrets {
  const { QTASKS_LITE_SECRET: secret, QTASKS_LITE_ADMIN_TOKEN: adminToken } = process.env;
  if (!secret && !adminToken) {
    throw new UsageError(
      'there is no QTASKS_LITE_SECRET and no QTASKS_LITE_ADMIN_TOKEN; set one or both, or try it with --dev',
    );
  }
  return {
    ...(secret ? { secret: parseSecret(secret) } : {}),
    ...(adminToken ? { adminToken } : {}),
  };
}

/** With new ones for those that are missing, which are printed: they are gone with this process. */
function madeSecrets(): Secrets {
  const make = (name: string): string => {
    const known = process.env[name];
    const made = known || randomBytes(32).toString('hex');
    if (!known) print(`${name}=${made}`);
    return made;
  };
  return {
    secret: parseSecret(make('QTASKS_LITE_SECRET')),
    adminToken: make('QTASKS_LITE_ADMIN_TOKEN'),
  };
}

function parseSecret(text: string): Secret {
  if (!text.startsWith('{')) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError('QTASKS_LITE_SECRET begins like JSON, but is none');
  }
}

function endOnSignal(close: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Once: a second signal ends the process as it would without this.
    process.once(signal, () => void close());
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ERR_MODULE_NOT_FOUND' && /'ioredis'/.test(error.message)) {
    return 'the proxy needs ioredis: npm install ioredis, or npx -p qtasks-lite -p ioredis qtasks-lite redis-proxy';
  }
  const isKnown = error instanceof UsageError || 'code' in error;
  return isKnown ? error.message : (error.stack ?? error.message);
}
