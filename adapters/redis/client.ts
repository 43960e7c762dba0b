/** Redis by a connection in Node: a client of ioredis or node-redis. */
import { type Audience, type Command, pause, type Reply, type Transport } from './transport.js';

/** What is used of a connection of ioredis, 5 or later, that subscribes. */
export interface IoRedisSubscriber {
  on(event: string, listener: (channel: string, message: string) => void): unknown;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  disconnect(): void;
}

/** What is used of a client of ioredis, 5 or later. */
export interface IoRedisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  duplicate(): IoRedisSubscriber;
}

/** What is used of a connection of node-redis, 5 or later, that subscribes. */
export interface NodeRedisSubscriber {
  on(event: string, listener: () => void): unknown;
  connect(): Promise<unknown>;
  subscribe(
    channels: string[],
    listener: (message: string, channel: string) => unknown,
  ): Promise<unknown>;
  unsubscribe(channels: string[]): Promise<unknown>;
  destroy(): void;
}

/** What is used of a client of node-redis, 5 or later. */
export interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>;
  duplicate(): NodeRedisSubscriber;
}

/** A client of ioredis or node-redis that is connected, or connects by itself. Its owner closes it. */
export type RedisClient = IoRedisClient | NodeRedisClient;

/** A second connection, of either kind. */
interface Subscriber {
  subscribe(channels: string[]): Promise<unknown>;
  unsubscribe(channels: string[]): Promise<unknown>;
  close(): void;
}

/** One client. */
export class Connection implements Transport {
  readonly maxLength = Infinity;
  readonly #client: RedisClient;
  #subscriber: Promise<Subscriber> | undefined = undefined;
  /** Who listens; a newer one comes before the former one goes. */
  readonly #audiences = new Set<Audience>();
  #channels: readonly string[] = [];

  constructor(client: RedisClient) {
    this.#client = client;
  }

  async send(commands: readonly Command[], signal: AbortSignal): Promise<readonly Reply[]> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      Promise.all(commands.map((command) => this.#send(command))).then(resolve, reject);
    });
  }

  async #send([name = '', ...args]: Command): Promise<Reply> {
    const client = this.#client;
    try {
      const result =
        'call' in client ? client.call(name, ...args) : client.sendCommand([name, ...args]);
      return { result: await result };
    } catch (error) {
      // Not the error itself: those of ioredis have the whole command with them.
      const text = error instanceof Error ? error.message : 'the client has failed';
      // Redis begins with a word in capitals; whatever else was said, the answer is lost.
      return /^[A-Z]{2,} /.test(text) ? { error: text } : { lost: new Error(text) };
    }
  }

  async listen(channels: readonly string[], audience: Audience): Promise<boolean> {
    this.#audiences.add(audience);
    const former = this.#channels;
    this.#channels = channels;
    try {
      this.#subscriber ??= open(this.#client, audience.heard, () => void this.#again());
      const subscriber = await this.#subscriber;
      const [fresh, gone] = [minus(channels, former), minus(former, channels)];
      if (fresh.length > 0) await subscriber.subscribe(fresh);
      audience.ready();
      if (gone.length > 0) await subscriber.unsubscribe(gone);
      await pause(2_147_483_647, audience.signal);
      return true;
    } catch (error) {
      this.#close();
      throw error;
    } finally {
      this.#audiences.delete(audience);
      if (this.#audiences.size === 0) this.#close();
    }
  }

  /** After a gap. The clients subscribe again too, at a time of their own. */
  async #again(): Promise<void> {
    try {
      await (await this.#subscriber)?.subscribe([...this.#channels]);
      for (const { ready } of this.#audiences) ready();
    } catch {
      // The next connection is another chance.
    }
  }

  #close(): void {
    // One that has never been open has told whoever watched; there is nothing to close then.
    this.#subscriber?.then(({ close }) => close()).catch(() => {});
    this.#subscriber = undefined;
    this.#channels = [];
  }
}

const minus = (some: readonly string[], others: readonly string[]): string[] => {
  const known = new Set(others);
  return some.filter((one) => !known.has(one));
};

async function open(
  client: RedisClient,
  heard: Audience['heard'],
  ready: () => void,
): Promise<Subscriber> {
  // A connection tries again by itself; if nobody listened to its errors they would end the process.
  if ('call' in client) {
    const connection = client.duplicate();
    connection.on('error', () => {});
    connection.on('message', heard);
    connection.on('ready', ready);
    return {
      subscribe: (channels) => connection.subscribe(...channels),
      unsubscribe: (channels) => connection.unsubscribe(...channels),
      close: () => connection.disconnect(),
    };
  }
  const connection = client.duplicate();
  connection.on('error', () => {});
  await connection.connect();
  connection.on('ready', ready);
  // The same one each time: it adds one that it does not know to those that it has.
  const hear = (message: string, channel: string): void => heard(channel, message);
  return {
    subscribe: (channels) => connection.subscribe(channels, hear),
    unsubscribe: (channels) => connection.unsubscribe(channels),
    close: () => connection.destroy(),
  };
}
