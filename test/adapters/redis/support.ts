/** What the tests of the adapter over HTTP share: a Redis and a REST interface that misbehaves. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type RedisUrlOptions, redis } from '../../../adapters/redis.js';
import type { BucketId, Commit, StorageAdapter } from '../../../src/storage.js';
import { RedisServer } from '../../support/redis.js';
import { RestServer } from '../../support/redis-rest.js';

/** Waits as short as possible. */
export const quick = { limit: 3, delay: 1, maxDelay: 2_000 };

/** A Redis and its REST interface, for the tests of one file. */
export class Stage {
  server!: RedisServer;
  rest!: RestServer;
  #app = '';
  #sequence = 0;

  constructor(start = (): Promise<RedisServer> => RedisServer.shared()) {
    beforeAll(async () => {
      this.server = await start();
      this.rest = await RestServer.start(this.server.ioredis());
    });
    beforeEach(() => {
      this.#app = `test-${Math.random().toString(36).slice(2)}`;
      this.rest.fault = undefined;
      this.rest.next.length = 0;
      this.rest.exchanges.length = 0;
      this.rest.canSubscribe = true;
      this.rest.isMute = false;
    });
    afterAll(async () => {
      await this.rest?.stop();
      await this.server?.stop();
    });
  }

  get app(): string {
    return this.#app;
  }

  open(options: Partial<RedisUrlOptions> = {}): StorageAdapter {
    return redis({ url: this.rest.url, token: this.rest.token, retry: quick, ...options });
  }

  bucket(parts: Partial<BucketId> = {}): BucketId {
    return Object.freeze({ app: this.#app, session: 'ann', state: 'cart', ...parts });
  }

  commit(changes: Partial<Commit> = {}): Commit {
    return {
      writer: 'w',
      sequence: ++this.#sequence,
      set: new Map([['a', '1']]),
      ...changes,
    };
  }
}

/** The code of the error that a promise rejects with; otherwise what it resolves to. */
export const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((error: { code?: unknown }) => error.code ?? error);
