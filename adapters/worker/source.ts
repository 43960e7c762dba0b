/** Where the workers of a pool come from. */
import { QTasksError } from '../../src/index.js';
import { describe } from '../../src/options.js';
import { Endpoint, endpointKind, type MessageEndpoint } from './endpoint.js';

/** A worker as users have it: itself, its port, or a `SharedWorker`, which has one. */
export type WorkerSource = MessageEndpoint | { readonly port: MessageEndpoint };

/** A worker that was started. */
export interface Started {
  readonly endpoint: Endpoint;
  /** Of its script, where that is known. */
  readonly url: string | undefined;
}

/**
 * Starts a worker, or takes the one that is given.
 * @throws OPTION_INVALID for what is no worker, and what the factory throws
 */
export function startWorker(source: WorkerSource | (() => WorkerSource)): Started {
  if (typeof source !== 'function') return { endpoint: endpointOf(source), url: undefined };
  const { made, url } = recordUrl(source);
  return { endpoint: endpointOf(made), url };
}

/** @throws OPTION_INVALID for what is no worker */
export function endpointOf(source: unknown): Endpoint {
  const { port = source } = (source ?? {}) as { readonly port?: unknown };
  if (endpointKind[1](port)) return new Endpoint(port as MessageEndpoint, source);
  const message = `connect: expected ${endpointKind[0]}, or a function that makes one; received ${describe(source)}`;
  throw new QTasksError('OPTION_INVALID', message);
}

/**
 * Calls a factory and notes the URL of the worker that it makes: neither a worker nor the event that it
 * could not be loaded tells it.
 */
function recordUrl<Made>(factory: () => Made): {
  readonly made: Made;
  readonly url: string | undefined;
} {
  let url: string | undefined;
  const scope = globalThis as Record<string, unknown>;
  const originals = ['Worker', 'SharedWorker'].flatMap((name) => {
    const original = scope[name];
    if (typeof original !== 'function') return [];
    scope[name] = new Proxy(original, {
      construct(target, args, newTarget) {
        url = String(args[0]);
        return Reflect.construct(target, args, newTarget);
      },
    });
    return [[name, original] as const];
  });
  try {
    return { made: factory(), url };
  } finally {
    for (const [name, original] of originals) scope[name] = original;
  }
}
