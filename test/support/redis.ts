/** A redis-server for tests: one of its own on a free port, or the one that REDIS_URL names. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { findRedis } from '../../scripts/find-tools.mjs';

/** How a server of one's own is started. */
export interface RedisSettings {
  /** Whether what is written survives a kill. Default `false`. */
  readonly aof?: boolean;
  /** More arguments of redis-server. */
  readonly args?: readonly string[];
}

/** A running Redis. */
export class RedisServer {
  readonly url: string;
  readonly #port: number;
  readonly #dir: string | undefined;
  readonly #args: readonly string[];
  readonly #closing: (() => unknown)[] = [];
  #process: ChildProcess | undefined = undefined;

  private constructor(url: string, dir: string | undefined, args: readonly string[]) {
    this.url = url;
    this.#port = Number(new URL(url).port);
    this.#dir = dir;
    this.#args = args;
  }

  /** Takes the server that REDIS_URL names, or starts one. */
  static async shared(): Promise<RedisServer> {
    const url = process.env.REDIS_URL;
    return url ? new RedisServer(url, undefined, []) : RedisServer.start();
  }

  /** Starts one that can be killed and started again. */
  static async start({ aof = false, args = [] }: RedisSettings = {}): Promise<RedisServer> {
    const dir = await mkdtemp(join(tmpdir(), 'qtasks-redis-'));
    const durable = aof ? ['--appendonly', 'yes', '--appendfsync', 'always'] : [];
    const server = new RedisServer(`redis://127.0.0.1:${await freePort()}`, dir, [
      ...durable,
      ...args,
    ]);
    await server.restart();
    return server;
  }

  /** Starts it, once it is down. */
  async restart(): Promise<void> {
    const program = findRedis();
    if (!program) throw new Error('redis-server was not found; run node scripts/setup.mjs redis');
    const place = ['--port', String(this.#port), '--bind', '127.0.0.1', '--dir', `${this.#dir}`];
    const args = [...place, '--save', '', '--loglevel', 'notice', ...this.#args];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      let log = '';
      child.on('error', reject);
      child.on('exit', () => reject(new Error(`redis-server ended:\n${log}`)));
      child.stdout.on('data', (chunk) => {
        log += chunk;
        if (log.includes('Ready to accept connections')) resolve();
      });
    });
  }

  /** Kills it, as a crash or a power cut would. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** A connected client of ioredis, closed with the server. */
  ioredis(): Redis {
    const client = new Redis(this.url);
    client.on('error', () => {});
    this.#closing.push(() => client.disconnect());
    return client;
  }

  /** A connected client of node-redis, closed with the server. */
  async nodeRedis() {
    const client = createClient({ url: this.url });
    client.on('error', () => {});
    await client.connect();
    this.#closing.push(() => client.destroy());
    return client;
  }

  /** Closes the clients and ends the server, unless it is somebody else's. */
  async stop(): Promise<void> {
    for (const close of this.#closing) close();
    await this.kill();
    if (this.#dir) await rm(this.#dir, { recursive: true, force: true });
  }
}

/** A port that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
