/** One run that a page has asked for, on the side of the worker: where its values go, and when they may. */

import { QTasksError } from '../../src/index.js';
import { nextTurn } from '../../src/promises.js';
import type { LostAttempt, Remote, ServedRun } from '../../src/served.js';
import type { Outbox } from './outbox.js';
import { VALUE, YIELD } from './protocol.js';
import { transferOf } from './transfer.js';
import { copyPlain, type Moved, moveValue, notPlain, small } from './values.js';

/** How many values are kept until somebody reads. */
const capacity = 16;

/** After how many values that nobody reads the event loop gets its turn. */
const burst = 256;

/** What a call needs of its connection. */
export interface CallHost {
  readonly outbox: Outbox;
  statusChanged(call: ServedCall): void;
}

/** One call. */
export class ServedCall implements Remote {
  readonly id: number;
  readonly runId: string;
  readonly lost: LostAttempt | undefined;
  isDelivered = false;
  /** Whether its result has gone before the message that it has ended. */
  isValueSent = false;
  run: ServedRun | undefined = undefined;
  readonly #task: string;
  readonly #host: CallHost;
  /** How many more values the page wants; `undefined` as long as nobody reads there. */
  #credits: number | undefined = undefined;
  #kept: Moved[] = [];
  #count = 0;
  #resume: (() => void) | undefined = undefined;

  constructor(
    host: CallHost,
    {
      id,
      runId,
      task,
      lost,
    }: { id: number; runId: string; task: string; lost: LostAttempt | undefined },
  ) {
    this.#host = host;
    this.id = id;
    this.runId = runId;
    this.lost = lost;
    this.#task = task;
  }

  changed(): void {
    this.#host.statusChanged(this);
  }

  push(value: unknown): Promise<void> | undefined {
    if (this.#credits && this.#kept.length === 0) this.#send(value, transferOf(value));
    else this.#keep(value);
    if (this.#credits === undefined) return ++this.#count % burst === 0 ? nextTurn() : undefined;
    if (this.#credits > 0) return undefined;
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  #keep(value: unknown): void {
    const passage = { task: this.#task, from: 'yield', transfer: transferOf(value) } as const;
    this.#kept.push(moveValue(value, passage));
    if (this.#credits === undefined && this.#kept.length > capacity) this.#kept.shift();
  }

  #send(value: unknown, transfer: readonly object[]): void {
    const passage = { task: this.#task, from: 'yield', transfer } as const;
    this.#host.outbox.carry([YIELD, this.id], value, passage);
    this.#credits = (this.#credits ?? 0) - 1;
    this.isDelivered = true;
  }

  /** The page can take some more values. */
  grant(credits: number): void {
    this.#credits = (this.#credits ?? 0) + credits;
    while (this.#credits > 0) {
      const moved = this.#kept.shift();
      if (!moved) return this.release();
      this.#send(moved.value, moved.transfer);
    }
  }

  release(): void {
    this.#resume?.();
    this.#resume = undefined;
  }

  /** The page reads no more, but somebody else may wait for the end. */
  leave(): void {
    this.#credits = undefined;
    this.release();
  }

  clear(): void {
    this.#kept = [];
  }

  read(): never {
    const message = `task "${this.#task}": the run is read by the page that has started it`;
    throw new QTasksError('OPTION_INVALID', message);
  }

  value(task: string, from: 'result' | 'yield', value: unknown): unknown {
    // Yields are looked at by push.
    if (from === 'yield') return value;
    const transfer = transferOf(value);
    const copy = transfer.length > 0 ? notPlain : copyPlain(value, small);
    if (copy !== notPlain) return copy;
    this.#host.outbox.carry([VALUE, this.id], value, { task, from, transfer });
    this.isValueSent = true;
    return value;
  }

  error(error: unknown): unknown {
    return error;
  }
}
