/** Redis by a connection in Node: a client of ioredis or node-redis. */
import {
  type Audience,
  type Command,
  pause,
  type Reply,
  type Transport,
  unlessAborted,
} from './transport.js';

/** What is used of a connection of ioredis, 5 or later, that subscribes. */
export interface IoRedisSubscriber {
  on(event: string, listener: (channel: string, message: string) => void): unknown;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  disconnect(): void;
}

/** What is used of a client of ioredis, 5 or later: a `Redis`, or a `Cluster`, which has nodes. */
export interface IoRedisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  nodes?(role: 'master'): IoRedisClient[];
  duplicate(override?: object): IoRedisSubscriber;
}

/** What is used of a connection of node-redis, 5 or later, that subscribes. */
export interface NodeRedisSubscriber {
  readonly isOpen: boolean;
  on(event: string, listener: () => void): unknown;
  connect(): Promise<unknown>;
  subscribe(
    channels: string[],
    listener: (message: string, channel: string) => unknown,
  ): Promise<unknown>;
  unsubscribe(channels: string[]): Promise<unknown>;
  destroy(): void;
}

/** What is used of a client of node-redis, 5 or later, for one server, as `createClient` makes it. */
export interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>;
  duplicate(): NodeRedisSubscriber;
}

/** A client of ioredis or node-redis that is connected, or connects by itself. Its owner closes it. */
export type RedisClient = IoRedisClient | NodeRedisClient;

/** A second connection, of either kind. */
interface Subscriber {
  /** Aborts once it will not connect again. */
  readonly ended: AbortSignal;
  subscribe(channels: string[]): Promise<unknown>;
  unsubscribe(channels: string[]): Promise<unknown>;
  close(): unknown;
}

/** One client. */
export class Connection implements Transport {
  readonly maxLength = Infinity;
  readonly #client: RedisClient;
  #subscriber: Subscriber | undefined = undefined;
  /** Who listens; a newer one comes before the former one goes. */
  readonly #audiences = new Set<Audience>();
  #channels: readonly string[] = [];

  constructor(client: RedisClient) {
    this.#client = client;
  }

  send(commands: readonly Command[]): Promise<readonly Reply[]> {
    return Promise.all(commands.map((command) => this.#send(command)));
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

  async nodes(): Promise<readonly Transport[]> {
    const client = this.#client;
    if (!('call' in client && client.nodes)) return [this];
    // A cluster that is not connected yet knows none.
    await this.#send(['PING']);
    const nodes = client.nodes('master').map((node) => new Connection(node));
    return nodes.length > 0 ? nodes : [this];
  }

  async listen(channels: readonly string[], audience: Audience): Promise<boolean> {
    this.#audiences.add(audience);
    const former = this.#channels;
    this.#channels = channels;
    try {
      this.#subscriber ??= open(this.#client, audience.heard, () => void this.#again());
      const subscriber = this.#subscriber;
      const [fresh, gone] = [minus(channels, former), minus(former, channels)];
      // Where Redis is down this waits for it, maybe for ever.
      if (fresh.length > 0) await unlessAborted(subscriber.subscribe(fresh), audience.signal);
      audience.ready();
      if (gone.length > 0) await subscriber.unsubscribe(gone);
      await pause(2_147_483_647, AbortSignal.any([audience.signal, subscriber.ended]));
      // Another one may come: the client itself may have been connected again by its owner.
      if (!audience.signal.aborted) throw new Error('the connection has ended');
      return true;
    } catch (error) {
      // A newer audience goes on with the connection.
      if (!audience.signal.aborted) this.#close();
      throw error;
    } finally {
      this.#audiences.delete(audience);
      if (this.#audiences.size === 0) this.#close();
    }
  }

  /** After a gap. The clients subscribe again too, at a time of their own. */
  async #again(): Promise<void> {
    try {
      await this.#subscriber?.subscribe([...this.#channels]);
      for (const { ready } of this.#audiences) ready();
    } catch {
      // The next connection is another chance.
    }
  }

  #close(): void {
    this.#subscriber?.close();
    this.#subscriber = undefined;
    this.#channels = [];
  }
}

const minus = (some: readonly string[], others: readonly string[]): string[] => {
  const known = new Set(others);
  return some.filter((one) => !known.has(one));
};

function open(client: RedisClient, heard: Audience['heard'], ready: () => void): Subscriber {
  // A connection mostly tries again by itself; if nobody listened to its errors they would end the process.
  const end = new AbortController();
  const ended = end.signal;
  if ('call' in client) {
    // It is asked before it is connected.
    const connection = client.duplicate({ enableOfflineQueue: true });
    connection.on('error', () => {});
    connection.on('message', heard);
    connection.on('ready', ready);
    connection.on('end', () => end.abort());
    return {
      ended,
      subscribe: (channels) => connection.subscribe(...channels),
      unsubscribe: (channels) => connection.unsubscribe(...channels),
      close: () => connection.disconnect(),
    };
  }
  const connection = client.duplicate();
  connection.on('error', () => connection.isOpen || end.abort());
  const connected = connection.connect();
  // Whoever subscribes is told of a failure.
  connected.then(() => connection.on('ready', ready)).catch(() => {});
  // The same one each time: it adds one that it does not know to those that it has.
  const hear = (message: string, channel: string): void => heard(channel, message);
  return {
    ended,
    subscribe: async (channels) => {
      await connected;
      return connection.subscribe(channels, hear);
    },
    unsubscribe: (channels) => connection.unsubscribe(channels),
    // It throws where there is nothing to destroy any more.
    close: () => connection.isOpen && connection.destroy(),
  };
}
