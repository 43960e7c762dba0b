/** One run in a worker, on the side of the page that has asked for it. */
import { ActiveRun, type RunHost } from '../../src/active-run.js';
import type { Outbox } from './outbox.js';
import { type CallSettings, READ } from './protocol.js';
import { type Moved, moveValue, type Passage } from './values.js';

/** How many values of a stream may be on their way or wait for their reader. */
const window = 16;

/** The connection of a call to its worker. */
export interface CallLink {
  readonly outbox: Outbox;
  /** Takes a call back that has not gone yet; tells whether it could. */
  unsend(call: Call): boolean;
  /** Cancels a call there. */
  abort(call: Call): void;
  /** Has no more to do with a call. */
  release(call: Call): void;
}

/** What a call asks of its pool. */
export interface CallPool {
  runId(call: number): string;
  cancel(call: Call): void;
}

/** What a call is made of. */
export interface CallOrigin {
  readonly id: number;
  readonly taskName: string;
  readonly session: string;
  /** An idempotency key. */
  readonly key: string | undefined;
  readonly settings: CallSettings | undefined;
  readonly args: readonly unknown[];
  readonly transfer: readonly object[] | undefined;
}

/** One call. */
export class Call implements RunHost {
  readonly id: number;
  readonly run: ActiveRun;
  readonly key: string | undefined;
  settings: CallSettings | undefined;
  /** Where it runs; `undefined` while it waits for a worker. */
  link: CallLink | undefined = undefined;
  /** Its result, where that came before the message that it has ended. */
  value: unknown = undefined;
  /** Ends its wait for a worker; once it has one, checks that this is not stuck. */
  timer: unknown = undefined;
  /** The copy of its arguments, where they may be sent later or again. */
  #kept: Moved | undefined = undefined;
  #given: Moved | undefined;
  #isRead = false;
  #taken = 0;
  /** Its arguments in a message that may not have gone yet, and how long their frame is. */
  #unsent: unknown = undefined;
  #length = 0;
  readonly #pool: CallPool;

  constructor(pool: CallPool, origin: CallOrigin) {
    const { id, taskName, session, key, settings, args, transfer = [] } = origin;
    this.#pool = pool;
    this.id = id;
    this.key = key;
    this.settings = settings;
    this.#given = { value: args, transfer };
    this.run = new ActiveRun(this, {
      taskName,
      session,
      parent: undefined,
      id: key,
      boundary: undefined,
      remote: undefined,
    });
  }

  createId(): string {
    return this.#pool.runId(this.id);
  }

  cancel(): void {
    this.#pool.cancel(this);
  }

  reads(): void {
    this.#isRead = true;
    this.link?.outbox.add(READ, this.id, window);
  }

  /** Values are let through as others are taken, half a window at a time. */
  taken(): void {
    if (++this.#taken < window / 2 || this.run.isSettled) return;
    this.link?.outbox.add(READ, this.id, this.#taken);
    this.#taken = 0;
  }

  /** Whether its arguments can be sent once more. */
  get isKept(): boolean {
    return this.#kept !== undefined && this.#kept.transfer.length === 0;
  }

  /** Takes a copy of its arguments as they are now, to be sent later. @throws VALUE_UNSUPPORTED */
  keep(): void {
    if (this.#given) this.#kept = moveValue(this.#given.value, this.#passage(this.#given));
    this.#given = undefined;
  }

  /**
   * Sends it.
   * @param isKept whether it may have to be sent again
   * @throws VALUE_UNSUPPORTED
   */
  send(link: CallLink, frame: readonly unknown[], isKept: boolean): void {
    if (isKept) this.keep();
    // What a worker that is gone has sent.
    this.value = undefined;
    const args = this.#kept ?? this.#given ?? { value: [], transfer: [] };
    this.#length = frame.length + 1;
    this.#unsent = link.outbox.carry(frame, args.value, this.#passage(args));
    this.link = link;
    this.#given = undefined;
    if (!isKept) this.#kept = undefined;
    if (this.#isRead) link.outbox.add(READ, this.id, window);
  }

  /** Takes it back if it has not gone yet, to be sent elsewhere; tells whether it could. */
  unsend({ outbox }: CallLink): boolean {
    const args = this.#unsent;
    if (!Array.isArray(args) || !outbox.drop(args, this.#length)) return false;
    this.#kept = { value: args, transfer: [] };
    return true;
  }

  /** Is over: who remembers its run keeps nothing of what it was sent with. */
  end(): void {
    this.value = undefined;
    this.#given = undefined;
    this.#kept = undefined;
    this.#unsent = undefined;
  }

  #passage({ transfer }: Moved): Passage {
    return { task: this.run.taskName, from: 'args', transfer };
  }
}
