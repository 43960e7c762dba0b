/** The proxy as a server of its own, on node:http: for the command line. */
import type { ServerRequest } from 'srvx';
import { serve } from 'srvx/node';
import { atMost, systemClock } from '../../src/clock.js';
import type { Milliseconds } from '../../src/types.js';
import type { RedisProxy } from './proxy.js';

/** Where a server listens, and where its log goes. */
export interface ServeOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Takes an entry of the log for each request. */
  readonly log: (entry: object) => void;
}

/** A server that listens. */
export interface Serving {
  readonly url: string;
  /** Ends streams, lets requests come to their end for a while, then closes every connection. */
  close(): Promise<void>;
}

/** How long requests may take to end when the server does. */
const grace: Milliseconds = 5000;

/** Listens; rejects where it cannot. */
export async function serveProxy(proxy: RedisProxy, options: ServeOptions): Promise<Serving> {
  const { host, port, log } = options;
  const server = serve({
    hostname: host,
    port,
    fetch: (request) => logged(request, proxy, log),
    // The signals are the command line's: streams have to end first.
    gracefulShutdown: false,
    silent: true,
    manual: true,
    node: {
      // With Node's 511 a burst of connections is reset; the system has a limit of its own too.
      backlog: 65_535,
      // The names of many channels stand in one address.
      maxHeaderSize: 65_536,
      headersTimeout: 10_000,
      requestTimeout: 60_000,
    },
  });
  await server.serve();
  return {
    url: server.url ?? '',
    close: async () => {
      const ended = Promise.all([proxy.close(), server.close()]);
      if (!(await atMost(grace, ended, systemClock))) await server.close(true);
    },
  };
}

/** The log has no keys, values, tokens or names of channels: of a path only what endpoint it is. */
async function logged(
  request: ServerRequest,
  proxy: RedisProxy,
  log: ServeOptions['log'],
): Promise<Response> {
  const start = performance.now();
  const response = await proxy(request);
  // Kept alive, its connection would be in the way when the server closes: that looks for idle ones once.
  if (response.headers.get('content-type') === 'text/event-stream') {
    response.headers.set('connection', 'close');
  }
  log({
    event: 'request',
    method: request.method,
    endpoint: endpointOf(new URL(request.url).pathname),
    status: response.status,
    ms: Math.round((performance.now() - start) * 10) / 10,
    address: request.ip,
  });
  return response;
}

const endpoints = ['', 'healthz', 'pipeline', 'multi-exec', 'subscribe', 'psubscribe'];

function endpointOf(path: string): string {
  const [, first = ''] = path.split('/');
  return endpoints.includes(first) ? `/${first}` : 'command';
}
