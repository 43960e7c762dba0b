/** A REST interface in front of a Redis, as small as tests need it, with faults as a test says. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Redis } from 'ioredis';

/** One request on its way. */
export interface Exchange {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly response: ServerResponse;
  /** What Redis answers to a pipeline, as JSON. */
  pass(): Promise<string>;
}

/** What befalls a request instead of its answer. */
export type Fault = (exchange: Exchange) => unknown;

/** A server in front of one Redis. */
export class RestServer {
  readonly token = 'a-token-of-the-tests';
  readonly exchanges: Exchange[] = [];
  /** Befalls every pipeline; `undefined`: none. */
  fault: Fault | undefined = undefined;
  /** Befall the next pipelines, one each. */
  readonly next: Fault[] = [];
  canSubscribe = true;
  /** Whether streams open and then nothing of them arrives, as behind a proxy that collects answers. */
  isMute = false;
  /** How many streams there are, and how many there were. */
  streams = 0;
  opened = 0;
  readonly #redis: Redis;
  readonly #subscriber: Redis;
  readonly #server: Server;

  private constructor(redis: Redis, server: Server) {
    this.#redis = redis;
    this.#subscriber = redis.duplicate();
    this.#subscriber.on('error', () => {});
    this.#subscriber.setMaxListeners(0);
    this.#server = server;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  static async start(redis: Redis): Promise<RestServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RestServer(redis, server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The bodies of the pipelines that came, parsed. */
  get pipelines(): string[][][] {
    return this.exchanges
      .filter(({ path }) => path === '/pipeline')
      .map(({ body }) => JSON.parse(body));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { headers, url: path = '' } = request;
    // For a page of another origin.
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Headers', 'authorization, content-type');
    if (request.method === 'OPTIONS') return void response.end();
    const pass = async (): Promise<string> => JSON.stringify(await this.#run(JSON.parse(body)));
    const exchange = { path, headers, body, response, pass };
    this.exchanges.push(exchange);
    if (path.startsWith('/subscribe/') && this.canSubscribe) return this.#stream(path, response);
    if (path !== '/pipeline')
      return void response.writeHead(404).end('{"error":"ERR no such path"}');
    const fault = this.next.shift() ?? this.fault;
    if (fault) await fault(exchange);
    if (response.headersSent || response.destroyed) return;
    if (headers.authorization === `Bearer ${this.token}`) response.end(await pass());
    else response.writeHead(401).end('{"error":"WRONGPASS invalid or missing auth token"}');
  }

  async #run(commands: string[][]): Promise<{ result?: unknown; error?: string }[]> {
    const pipeline = this.#redis.pipeline();
    for (const [name = '', ...args] of commands) pipeline.call(name, ...args);
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, result]) => (error ? { error: error.message } : { result }));
  }

  async #stream(path: string, response: ServerResponse): Promise<void> {
    const channels = path.slice('/subscribe/'.length).split('/').map(decodeURIComponent);
    const hear = (channel: string, message: string): void => {
      if (channels.includes(channel)) response.write(`data: message,${channel},${message}\n\n`);
    };
    this.streams++;
    this.opened++;
    response.on('close', () => {
      this.streams--;
      this.#subscriber.off('message', hear);
    });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    if (this.isMute) return;
    this.#subscriber.on('message', hear);
    await this.#subscriber.subscribe(...channels);
    for (const [index, channel] of channels.entries()) {
      response.write(`data: subscribe,${channel},${index + 1}\n\n`);
    }
  }

  /** Ends every connection, streams too. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#subscriber.disconnect();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
