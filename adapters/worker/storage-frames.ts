/**
 * What passes between a storage and who uses it from elsewhere, on a port of their own. A message is the
 * frames of one tick, one after the other: each is a kind, a number, two more fields, and whether it may be
 * aborted.
 */

// From who uses it

/** Fields: a bucket, the names of fields or `undefined`. */
export const READ = 0;
/** Fields: a bucket, a commit. */
export const COMMIT = 1;
/** Wants the next ids of a list. Fields: a prefix, the list's own number. */
export const LIST = 2;
/** Fields: a bucket, whether an earlier connection has watched it. Answered by {@link TOLD}, or {@link FAILED}. */
export const WATCH = 3;
/** Field: a place. Once it is answered the lock is held. */
export const LOCK = 4;
/** Aborts a call, ends a watch or a list, frees a lock. Field: its number. */
export const STOP = 5;
/** Field: a lock that is held as long as the sender lives. */
export const ALIVE = 6;

// From the storage

/** Comes first. Fields: the storage's scope, its name if it cannot watch. */
export const HELLO = 7;
/** Field: what a call results in. */
export const DONE = 8;
/** Field: what a call or a watch has failed with, packed. */
export const FAILED = 9;
/** A call has ended as it was told to, and has changed nothing. */
export const ABORTED = 10;
/** Field: a change in a bucket that is watched. */
export const TOLD = 11;

// From both

/** Nothing more will come. */
const BYE = 12;

/** How many places of a message a frame takes. */
const size = 5;

/** Takes a frame. */
type Receive = (kind: number, number: number, a: unknown, b: unknown, isAbortable: unknown) => void;

/** Who is at one end of the port. */
export interface Peer {
  receive: Receive;
  /** No message can carry the frame of this number. */
  refused(number: number, error: unknown): void;
  /** The other end is closed, or has said goodbye. */
  gone(): void;
}

/** One end of the port. */
export class Frames {
  readonly #port: MessagePort;
  readonly #peer: Peer;
  readonly #waiting: unknown[] = [];

  constructor(port: MessagePort, peer: Peer) {
    this.#port = port;
    this.#peer = peer;
    port.onmessage = ({ data }: MessageEvent<readonly unknown[]>) => {
      for (let at = 0; at < data.length; at += size) {
        const kind = data[at] as number;
        if (kind === BYE) peer.gone();
        else peer.receive(kind, data[at + 1] as number, data[at + 2], data[at + 3], data[at + 4]);
      }
    };
    // Not every browser tells it.
    port.addEventListener('close', () => peer.gone());
  }

  send(kind: number, number: number, a?: unknown, b?: unknown, isAbortable?: boolean): void {
    if (this.#waiting.length === 0) queueMicrotask(() => this.#flush());
    this.#waiting.push(kind, number, a, b, isAbortable);
  }

  /** One frame that cannot be cloned must not hold back the others. */
  #flush(frames = this.#waiting.splice(0)): void {
    try {
      this.#port.postMessage(frames);
    } catch (error) {
      if (frames.length === size) return this.#peer.refused(frames[1] as number, error);
      for (let at = 0; at < frames.length; at += size) this.#flush(frames.slice(at, at + size));
    }
  }

  /** Says goodbye and closes the port. */
  end(): void {
    this.send(BYE, 0);
    this.#flush();
    this.#port.close();
  }
}
