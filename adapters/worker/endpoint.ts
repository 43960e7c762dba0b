/** The two ends of a wire: workers, ports and the scopes of workers, of browsers and of Node, as one thing. */
import { QTasksError } from '../../src/errors.js';

/**
 * What messages can be sent to: a `Worker`, a `MessagePort`, a `SharedWorker`'s port, a `Worker` or a
 * `MessagePort` of node:worker_threads.
 */
export interface MessageEndpoint {
  postMessage(message: unknown, transfer: never[]): void;
}

/** What ended the other side, or a message of it. */
export type Trouble =
  /** A worker failed to load, or a script of it threw: it may live on. */
  | { readonly kind: 'error'; readonly error: unknown; readonly url: string | undefined }
  /** It is gone. */
  | { readonly kind: 'exit'; readonly code: number | undefined }
  /** A message came that this side cannot read. */
  | { readonly kind: 'unreadable'; readonly error: unknown };

/** Takes a message; tells whether it was meant for it, so that nobody else looks at it. */
export type Receiver = (message: unknown) => boolean;

/** What endpoints have, each its own part of it. */
interface AnyEndpoint extends MessageEndpoint {
  postMessage(message: unknown, transfer: readonly object[]): void;
  addEventListener?(type: string, listener: (event: never) => void): void;
  removeEventListener?(type: string, listener: (event: never) => void): void;
  /** Of a `Worker` of Node, which is no EventTarget. */
  on?(type: string, listener: (value: never) => void): void;
  off?(type: string, listener: (value: never) => void): void;
  /** Of ports: nothing comes before. */
  start?(): void;
  terminate?(): unknown;
}

/** One end of a wire that others may use too. */
export class Endpoint {
  readonly #source: AnyEndpoint;

  constructor(source: MessageEndpoint) {
    this.#source = source as AnyEndpoint;
  }

  /** Whether it can be ended from here. */
  get isWorker(): boolean {
    return this.#source.terminate !== undefined;
  }

  /** @throws what the runtime throws for a message that cannot be cloned */
  post(message: unknown, transfer: readonly object[] = []): void {
    this.#source.postMessage(message, transfer);
  }

  /** Ends a worker; resolves once its thread has ended, where that can be told. */
  async terminate(): Promise<void> {
    await this.#source.terminate?.();
  }

  /** Listens for messages until what it returns is called. */
  listen(receive: Receiver): () => void {
    const source = this.#source;
    if (source.addEventListener) {
      const stop = this.#add('message', (event: MessageEvent) => {
        if (receive(event.data)) event.stopImmediatePropagation();
      });
      source.start?.();
      return stop;
    }
    return this.#add('message', (message: unknown) => void receive(message));
  }

  /** Listens for what ends the other side, as far as the endpoint tells. */
  onTrouble(tell: (trouble: Trouble) => void): () => void {
    const unreadable = (problem: unknown): void =>
      tell({ kind: 'unreadable', error: problem instanceof Error ? problem : undefined });
    const stops = this.#source.addEventListener
      ? [
          this.#add('error', (event: ErrorEvent) =>
            tell({ kind: 'error', error: errorOf(event), url: event.filename || undefined }),
          ),
          // Of ports: Node tells that the other one is closed, browsers do not.
          this.#add('close', () => tell({ kind: 'exit', code: undefined })),
        ]
      : [
          this.#add('error', (error: unknown) => tell({ kind: 'error', error, url: undefined })),
          this.#add('exit', (code: number) => tell({ kind: 'exit', code })),
        ];
    stops.push(this.#add('messageerror', unreadable));
    return () => {
      for (const stop of stops) stop();
    };
  }

  #add<Event>(type: string, listener: (event: Event) => void): () => void {
    const source = this.#source;
    if (source.addEventListener) {
      source.addEventListener(type, listener);
      return () => source.removeEventListener?.(type, listener);
    }
    source.on?.(type, listener);
    return () => source.off?.(type, listener);
  }
}

/** A worker that could not be loaded tells nothing at all. */
function errorOf({ error, message }: ErrorEvent): unknown {
  return error ?? (message ? new Error(message) : undefined);
}

/** The parts of `process` that tell a thread of Node its parent. */
interface NodeProcess {
  getBuiltinModule?(name: string): { readonly parentPort: MessageEndpoint | null } | undefined;
}

/**
 * Where a worker meets who has started it; `undefined` where nobody has, and in a shared worker, which
 * meets its pages one by one.
 */
export function parentEndpoint(): MessageEndpoint | undefined {
  const { process } = globalThis as { process?: NodeProcess };
  const parentPort = process?.getBuiltinModule?.('node:worker_threads')?.parentPort;
  if (parentPort) return parentPort;
  const scope = globalThis as { DedicatedWorkerGlobalScope?: unknown };
  return scope.DedicatedWorkerGlobalScope ? (globalThis as MessageEndpoint) : undefined;
}

/** @throws OPTION_INVALID unless messages can be sent to it */
export function checkEndpoint(what: string, value: unknown): asserts value is MessageEndpoint {
  const { postMessage } = (value ?? {}) as Partial<MessageEndpoint>;
  if (typeof postMessage === 'function') return;
  const message = `${what} must be a Worker or a MessagePort`;
  throw new QTasksError('OPTION_INVALID', message);
}
