/** Four that share one session: a server at Redis, a client over HTTP, a page in each of two browsers. */
import { afterAll, beforeAll, expect } from 'vitest';
import { bucketKey, channelOf } from '../../../adapters/redis/keys.js';
import { redis } from '../../../adapters/redis.js';
import { isBuilt } from '../../../scripts/prepare.mjs';
import { FaultProxy } from '../../support/fault-proxy.js';
import { ProxyProcess } from '../../support/proxy-process.js';
import { RedisServer } from '../../support/redis.js';
import { secret, tokenOf } from '../../support/redis-proxy.js';
import { Tabs } from '../../support/tabs.js';
import { Member } from './fleet-member.js';

declare const member: Member;

/** What the test asks of a member, wherever it is. */
export interface Remote {
  readonly name: string;
  watch(): Promise<void>;
  count(times: number): Promise<void>;
  made(): Promise<number>;
  seen(): Promise<number>;
  close(): Promise<void>;
}

/** Patient enough for what befalls it, and not slow. */
const retry = { limit: 30, delay: 10, maxDelay: 300 };

/** The fleet, and all that is between it and Redis, for the tests of one file. */
export class Fleet {
  redis!: RedisServer;
  faults!: FaultProxy;
  #proxy!: ProxyProcess;
  #browsers: Tabs[] = [];

  constructor() {
    beforeAll(async () => {
      if (!isBuilt()) throw new Error('dist is older than its sources: run `npm run build`');
      this.redis = await RedisServer.start({ aof: true });
      const launch = () => Tabs.launch({ modules: { page: 'test/adapters/redis/fleet-page.ts' } });
      this.#browsers = await Promise.all([launch(), launch()]);
      await this.startProxy();
      this.faults = await FaultProxy.start(this.#proxy.url.href);
    });
    afterAll(async () => {
      await Promise.all(this.#browsers.map((browser) => browser.close()));
      await this.faults?.stop();
      await this.killProxy();
      await this.redis?.stop();
    });
  }

  /** Starts the proxy, the second time where it was before. */
  async startProxy(): Promise<void> {
    const port = this.#proxy?.url.port ?? '0';
    const args = ['--port', port, ...this.#browsers.flatMap(({ url }) => ['--cors', url])];
    const env = { QTASKS_LITE_SECRET: secret };
    this.#proxy = await ProxyProcess.start(this.redis.url, { args, env });
  }

  async killProxy(): Promise<void> {
    await this.#proxy?.kill();
  }

  /** Opens all four. */
  async open(app: string): Promise<Remote[]> {
    const { url } = this.faults;
    const token = await tokenOf('ann', { app, expiresIn: 600_000 });
    const pages = this.#browsers.map(async (browser, index): Promise<Remote> => {
      const name = `page-${index + 1}`;
      const parameters = { url, token, app, name, retry: JSON.stringify(retry) };
      const query = new URLSearchParams(parameters);
      const { page } = await browser.open(`${browser.url}/page?${query}`);
      return {
        name,
        watch: () => page.evaluate(() => member.watch()),
        count: (times) => page.evaluate((times) => member.count(times), times),
        made: () => page.evaluate(() => member.made),
        seen: () => page.evaluate(() => member.seen),
        close: () => page.close(),
      };
    });
    const server = new Member('server', app, redis({ client: this.redis.ioredis(), retry }));
    const client = new Member('client', app, redis({ url, token, retry }));
    return [inNode('server', server), inNode('client', client), ...(await Promise.all(pages))];
  }
}

const inNode = (name: string, member: Member): Remote => ({
  name,
  watch: async () => member.watch(),
  count: (times) => member.count(times),
  made: async () => member.made,
  seen: async () => member.seen,
  close: () => member.close(),
});

/** What Redis has published of the bucket's commits. */
export class Ledger {
  readonly #notes: string[][] = [];

  static async open(redis: RedisServer, app: string): Promise<Ledger> {
    const ledger = new Ledger();
    const connection = redis.ioredis();
    connection.on('message', (_channel, note) => ledger.#notes.push(JSON.parse(note)));
    await connection.subscribe(channelOf(bucketKey({ app, session: 'ann', state: 'counter' })));
    return ledger;
  }

  get length(): number {
    return this.#notes.length;
  }

  /** Each commit stands on the one before it, and none was made twice. */
  check(): void {
    const commits = this.#notes.map(([, , , writer, sequence]) => `${writer} ${sequence}`);
    expect(new Set(commits).size).toBe(commits.length);
    const before = this.#notes.slice(1).map(([, , before]) => before);
    expect(before).toEqual(this.#notes.slice(0, -1).map(([newest]) => newest));
  }
}
