/** A Redis of a test file's own: a real redis-server that forgets everything when it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Redis } from 'ioredis';
import { findRedis } from '../../scripts/find-tools.mjs';

/** A server that runs. */
export interface RedisServer {
  readonly url: string;
  /** Looks at what is in it, past whatever is tested. */
  readonly redis: Redis;
  stop(): Promise<void>;
}

/** Starts one; without a redis-server it fails with the way to install it. */
export async function startRedis(): Promise<RedisServer> {
  const program = findRedis();
  if (!program) throw new Error('redis-server was not found: run `node scripts/setup.mjs redis`');
  const port = await freePort();
  const settings = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const server = spawn(program, [...settings, '--dir', '/'], { stdio: 'ignore' });
  const url = `redis://127.0.0.1:${port}`;
  const redis = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  redis.on('error', () => {});
  await redis.ping();
  return {
    url,
    redis,
    stop: async () => {
      redis.disconnect();
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
