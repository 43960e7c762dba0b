/** The two ends of a wire: workers, ports and the scopes of workers, of browsers and of Node, as one thing. */

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
  postMessage(message: unknown, transfer?: readonly object[]): void;
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
  readonly #worker: AnyEndpoint;

  /** @param worker who tells of its errors in place of the port, as a `SharedWorker` does */
  constructor(source: MessageEndpoint, worker: unknown = source) {
    this.#source = source as AnyEndpoint;
    this.#worker = worker as AnyEndpoint;
  }

  /** Whether it is a worker of one page, which can be ended from here. */
  get isWorker(): boolean {
    return this.#source.terminate !== undefined;
  }

  /** @throws what the runtime throws for a message that cannot be cloned */
  post(message: unknown, transfer: readonly object[] = []): void {
    // Node takes long to read an empty list.
    if (transfer.length === 0) this.#source.postMessage(message);
    else this.#source.postMessage(message, transfer);
  }

  /** Ends a worker; resolves once its thread has ended, where that can be told. */
  async terminate(): Promise<void> {
    // What a thread of Node has thrown by now is still told, and ends this process where nobody hears it.
    this.#source.on?.('error', () => {});
    await this.#source.terminate?.();
  }

  /** Listens for messages until what it returns is called. */
  listen(receive: Receiver): () => void {
    const source = this.#source;
    if (source.addEventListener) {
      const stop = add(source, 'message', (event: MessageEvent) => {
        if (receive(event.data)) event.stopImmediatePropagation();
      });
      source.start?.();
      return stop;
    }
    return add(source, 'message', (message: unknown) => void receive(message));
  }

  /** Listens for what ends the other side, as far as the endpoint tells. */
  onTrouble(tell: (trouble: Trouble) => void): () => void {
    const unreadable = (problem: unknown): void =>
      tell({ kind: 'unreadable', error: problem instanceof Error ? problem : undefined });
    const isOfNode = !this.#worker.addEventListener;
    const failed = (problem: unknown): void =>
      tell(isOfNode ? { kind: 'error', error: problem, url: undefined } : failure(problem));
    const stops = [
      this.#onTerminate(() => tell({ kind: 'exit', code: undefined })),
      add(this.#worker, 'error', failed),
      add(this.#worker, 'exit', (code: number) => tell({ kind: 'exit', code })),
      // Of ports: Node tells that the other one is closed, browsers do not.
      add(this.#source, 'close', () => tell({ kind: 'exit', code: undefined })),
      add(this.#source, 'messageerror', unreadable),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** A browser tells nothing of a worker that its page ends, least of all as it starts. */
  #onTerminate(tell: () => void): () => void {
    const worker = this.#worker;
    const { terminate } = worker;
    if (!terminate || worker.on) return () => {};
    let isOver = false;
    const told = (): void => {
      terminate.call(worker);
      if (!isOver) tell();
    };
    worker.terminate = told;
    return () => {
      isOver = true;
      // Somebody else's may be around it by now.
      if (worker.terminate === told) worker.terminate = terminate;
    };
  }
}

/** Listens to one kind of event; returns what stops that. */
function add<Event>(
  source: AnyEndpoint,
  type: string,
  listener: (event: Event) => void,
): () => void {
  if (source.addEventListener) {
    source.addEventListener(type, listener);
    return () => source.removeEventListener?.(type, listener);
  }
  source.on?.(type, listener);
  return () => source.off?.(type, listener);
}

/** Of a worker that could not be loaded the event tells nothing at all. */
function failure(event: unknown): Trouble {
  const { error, message, filename } = event as Partial<ErrorEvent>;
  const cause: unknown = error ?? (message ? new Error(message) : undefined);
  return { kind: 'error', error: cause, url: filename || undefined };
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

/** How checks of options tell a {@link MessageEndpoint}. */
export const endpointKind = [
  'a Worker or a MessagePort',
  (value: unknown) => typeof (value as Partial<MessageEndpoint> | null)?.postMessage === 'function',
] as const;
