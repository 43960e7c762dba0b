/** Tells the other pages and workers of an origin of commits, and hears of theirs. */
import type { BucketId, Change } from '../../src/storage.js';
import type { Milliseconds } from '../../src/types.js';

/** One commit as it travels. */
export interface Notice {
  readonly id: BucketId;
  readonly change: Change;
}

/** How long it collects after a message until the next one. */
const pause: Milliseconds = 10;

/** Browsers let the timers of hidden pages wait for a second or a minute. */
const isThrottled = (): boolean => globalThis.document?.hidden === true;

/** A channel of one storage. */
export class Notices {
  readonly #name: string;
  readonly #heard: (notice: Notice) => void;
  #channel: BroadcastChannel | undefined = undefined;
  /** What is told with the next message. */
  #waiting: Notice[] = [];
  /** Set for a while after each message. */
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  /** @param heard called with each commit of somebody else */
  constructor(name: string, heard: (notice: Notice) => void) {
    this.#name = name;
    this.#heard = heard;
  }

  /** Opens the channel, to hear of what happens from now on. */
  open(): BroadcastChannel {
    if (this.#channel) return this.#channel;
    const channel = new BroadcastChannel(this.#name);
    channel.onmessage = ({ data }: MessageEvent<readonly Notice[]>) => {
      for (const notice of data) this.#heard(notice);
    };
    // Node has it too, and would wait for it.
    (channel as { unref?(): void }).unref?.();
    this.#channel = channel;
    return channel;
  }

  /** Tells at once, or together with what follows: a message costs a third of a transaction. */
  tell(notices: readonly Notice[]): void {
    this.#waiting.push(...notices);
    if (this.#timer === undefined || isThrottled()) this.#send();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    this.open().postMessage(this.#waiting);
    this.#waiting = [];
    this.#timer = setTimeout(() => this.#send(), pause);
  }

  close(): void {
    this.#send();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#channel?.close();
    this.#channel = undefined;
  }
}
