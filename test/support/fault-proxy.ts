/** A server between clients and a REST interface that hands on what comes, with faults as a test says. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Fault } from './redis-rest.js';

/** What belongs to one connection and not to the answer. */
const ofConnection = /^(connection|keep-alive|transfer-encoding|content-(length|encoding)|date)$/;

/** One that stands before one server. */
export class FaultProxy {
  /** Befalls every pipeline; `undefined`: none. */
  fault: Fault | undefined = undefined;
  readonly #target: string;
  readonly #server: Server;

  private constructor(target: string, server: Server) {
    this.#target = target;
    this.#server = server;
    server.on('request', (request, response) => {
      // Nobody is there behind it, or no longer.
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(target: string): Promise<FaultProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(target.replace(/\/$/, ''), server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { headers, url: path = '' } = request;
    const isPipeline = request.method === 'POST' && path === '/pipeline';
    if (!isPipeline) return stream(await this.#ask(request, response, body), response);
    const pass = async () => (await this.#ask(request, response, body)).text();
    await this.fault?.({ path, headers, body, response, pass });
    if (!response.headersSent && !response.destroyed) response.end(await pass());
  }

  /** Asks the server, and takes over all of its answer but the body. */
  async #ask(request: IncomingMessage, response: ServerResponse, body: string): Promise<Response> {
    const over = new AbortController();
    response.on('close', () => over.abort());
    const { method = 'GET', url = '' } = request;
    const headers = Object.entries(request.headers).flatMap(([name, value]) =>
      typeof value === 'string' && !ofConnection.test(name) ? [[name, value] as const] : [],
    );
    const answer = await fetch(this.#target + url, {
      method,
      headers: headers.map(([name, value]) => [name, value]),
      ...(method === 'POST' ? { body } : {}),
      signal: over.signal,
    });
    if (response.headersSent || response.destroyed) return answer;
    response.statusCode = answer.status;
    for (const [name, value] of answer.headers) {
      if (!ofConnection.test(name)) response.setHeader(name, value);
    }
    return answer;
  }

  /** Ends every connection, streams too. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function stream({ body }: Response, response: ServerResponse): Promise<void> {
  response.flushHeaders();
  for await (const chunk of body ?? []) response.write(chunk);
  response.end();
}
