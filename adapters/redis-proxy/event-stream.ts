/** One stream of server-sent events, written so that Upstash clients and EventSource parsers read it. */

/** What may happen to a stream from outside. */
export interface EventStreamOptions {
  /** How many bytes may wait for the reader; with more, the stream fails. */
  readonly bytes: number;
  /** The stream has ended, in whatever way; called once. */
  readonly onEnd: () => void;
}

/** Writes events as long as the reader keeps up. */
export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #bytes: number;
  readonly #onEnd: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined = undefined;

  constructor({ bytes, onEnd }: EventStreamOptions) {
    this.#bytes = bytes;
    this.#onEnd = onEnd;
    const source: UnderlyingDefaultSource<Uint8Array> = {
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => this.#end(),
    };
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: bytes });
    this.body = new ReadableStream(source, strategy);
  }

  get isOpen(): boolean {
    return this.#controller !== undefined;
  }

  /** Writes one event: words with commas between. */
  send(words: readonly string[]): void {
    const [first = '', ...rest] = words.join(',').split(/\r\n|\r|\n/);
    // Further lines without the usual space, or with two. Both are right to a parser, and an Upstash
    // client takes none of them for an event: otherwise a payload could pretend to be other messages.
    const more = rest.map((line) => `\ndata:${line.startsWith(' ') ? ' ' : ''}${line}`);
    this.#write(`data: ${first}${more.join('')}\n\n`);
  }

  /** Shows clients and what stands between that the stream lives. */
  ping(): void {
    this.#write(': ping\n\n');
  }

  /** Ends it after what was written. */
  close(): void {
    this.#controller?.close();
    this.#end();
  }

  #write(text: string): void {
    const controller = this.#controller;
    if (!controller) return;
    const chunk = bytes.encode(text);
    const room = controller.desiredSize ?? 0;
    if (room < this.#bytes && room < chunk.byteLength) {
      // Not closed: that would keep what is queued, for a reader that may never come back.
      controller.error(new Error('the reader is too slow'));
      this.#end();
      return;
    }
    controller.enqueue(chunk);
  }

  #end(): void {
    if (!this.#controller) return;
    this.#controller = undefined;
    this.#onEnd();
  }
}

const bytes = new TextEncoder();
