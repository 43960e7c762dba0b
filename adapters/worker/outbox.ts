/** What one side of a connection sends: the frames of one tick, and those that follow at once, in one message. */
import type { Endpoint } from './endpoint.js';
import { TAG } from './protocol.js';
import { copyPlain, moveValue, notPlain, type Passage, small } from './values.js';

/**
 * After how many frames a message goes without waiting for the rest of the tick: so the other side begins
 * as this one goes on.
 */
const most = 128;

/** After how many microtasks in which nothing came nothing more is expected. */
const patience = 5;

/** For `queueMicrotask`, which in pages costs several times as much. */
const done = Promise.resolve();

/** Sends frames in order. */
export class Outbox {
  readonly #endpoint: Endpoint;
  readonly #connection: string;
  #message: unknown[];
  #count = 0;
  /** How many there were as they were looked at last. */
  #seen = 0;
  /** For how many microtasks there have been no more. */
  #idle = 0;

  constructor(endpoint: Endpoint, connection: string) {
    this.#endpoint = endpoint;
    this.#connection = connection;
    this.#message = this.#begin();
  }

  #begin(): unknown[] {
    return [TAG, this.#connection];
  }

  /** Sends a frame soon. All its fields can be cloned. */
  add(...frame: readonly unknown[]): void {
    this.#message.push(...frame);
    this.#added();
  }

  #added(): void {
    if (++this.#count === 1) void done.then(this.#look);
    else if (this.#count >= most) this.flush();
  }

  /**
   * Answers come in one round of microtasks, but not in one microtask, and so do the values of a generator:
   * waits as long as more come.
   */
  readonly #look = (): void => {
    if (this.#count === 0) return;
    if (this.#count !== this.#seen) this.#idle = 0;
    else if (++this.#idle === patience) return this.flush();
    this.#seen = this.#count;
    void done.then(this.#look);
  };

  /**
   * Sends a frame whose last field is a value of the user's, as it is now. What is not small and plain goes
   * at once and by itself, so that it is cloned once and fails alone.
   * @returns the copy that waits with the others, if it does
   * @throws VALUE_UNSUPPORTED; then nothing is sent
   */
  carry(frame: readonly unknown[], value: unknown, passage: Passage): unknown {
    const { transfer = [] } = passage;
    const copy = transfer.length > 0 ? notPlain : copyPlain(value, small);
    if (copy !== notPlain) {
      this.#message.push(...frame, copy);
      this.#added();
      return copy;
    }
    this.flush();
    try {
      this.#post(frame, value, transfer);
    } catch {
      const moved = moveValue(value, passage);
      this.#post(frame, moved.value, moved.transfer);
    }
    return undefined;
  }

  #post(frame: readonly unknown[], value: unknown, transfer: readonly object[]): void {
    this.#endpoint.post([...this.#begin(), ...frame, value], transfer);
  }

  /** Sends a frame now, behind those that wait. */
  addNow(frame: readonly unknown[], transfer: readonly object[] = []): void {
    this.flush();
    this.#endpoint.post([...this.#begin(), ...frame], transfer);
  }

  /**
   * Takes a frame back that has not been sent.
   * @param last its last field, an object that no other frame has
   * @param length of the frame, its kind included
   * @returns whether it was there
   */
  drop(last: object, length: number): boolean {
    const at = this.#message.indexOf(last);
    if (at < 0) return false;
    this.#message.splice(at + 1 - length, length);
    this.#count--;
    return true;
  }

  /** Sends what waits. */
  flush(): void {
    if (this.#count === 0) return;
    const message = this.#message;
    this.#message = this.#begin();
    this.#count = 0;
    this.#seen = 0;
    this.#idle = 0;
    this.#endpoint.post(message);
  }
}
