/** Tells the other pages and workers of an origin of commits, and hears of theirs. */
import type { BucketId, Change } from '../../src/storage.js';

/** One commit as it travels. */
export interface Notice {
  readonly id: BucketId;
  readonly change: Change;
}

/** A channel of one storage. */
export class Notices {
  readonly #name: string;
  readonly #heard: (notice: Notice) => void;
  #channel: BroadcastChannel | undefined = undefined;

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

  tell(notices: readonly Notice[]): void {
    if (notices.length > 0) this.open().postMessage(notices);
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }
}
