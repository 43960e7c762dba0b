/** One page's connection to an app, on the side of the worker. */
import { atMost, systemClock } from '../../src/clock.js';
import { eventNames } from '../../src/event-names.js';
import { type EventName, type QTasks, QTasksError } from '../../src/index.js';
import { SERVED, type Served, type ServedRun } from '../../src/served.js';
import { holdAlive, whenGone } from './alive.js';
import type { Endpoint } from './endpoint.js';
import { type ErrorClasses, type Packed, packError, unpackError } from './errors.js';
import { Outbox } from './outbox.js';
import {
  ABORT,
  BYE,
  CALL,
  type CallSettings,
  CLOSE,
  CLOSED,
  type Closing,
  DONE,
  END,
  type Ended,
  EVENT,
  type FrameHandler,
  HELLO,
  LISTEN,
  PING,
  PONG,
  READ,
  READY,
  type Ready,
  readFrames,
  STATUS,
  STORE,
} from './protocol.js';
import { type CallHost, ServedCall } from './served-call.js';
import { offerStorage } from './storage-offer.js';
import { isPrimitive, moveValue } from './values.js';

/** What is served, and how. */
export interface Service {
  readonly app: QTasks<object>;
  readonly errors: ErrorClasses;
  /** What a page has to know of the app. */
  ready(): Omit<Ready, 'lock'>;
  /** Nobody is at the other end any more. */
  gone(endpoint: Endpoint): void;
  /** The connection is over. */
  forget(connection: Connection): void;
}

/** One connection. */
export class Connection implements CallHost {
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly outbox: Outbox;
  readonly #service: Service;
  readonly #served: Served;
  readonly #calls = new Map<number, ServedCall>();
  readonly #listeners = new Map<string, () => void>();
  readonly #stores = new Set<() => void>();
  #prefix = '';
  /** Whose status the page has to be told, unless they have ended by then. */
  #changed: ServedCall[] = [];
  #isClosing = false;
  #isGreeted = false;
  #forgetPage = (): void => {};

  constructor(service: Service, endpoint: Endpoint, id: string) {
    this.#service = service;
    this.#served = service.app[SERVED];
    this.endpoint = endpoint;
    this.id = id;
    this.outbox = new Outbox(endpoint, id);
  }

  /** Takes a message of the page. */
  receive(message: readonly unknown[]): void {
    readFrames(message, this.#handle);
  }

  readonly #handle: FrameHandler = (kind, a, b, c, d, e) => {
    if (kind === CALL)
      this.#call(a as number, b as string, c as string, d as CallSettings, e as unknown[]);
    else if (kind === ABORT) this.#abort(a as number, b as Packed);
    else if (kind === READ) this.#calls.get(a as number)?.grant(b as number);
    else if (kind === PING) this.outbox.addNow([PONG, a]);
    else if (kind === HELLO) void this.#welcome(b as string, c as string | undefined);
    else if (kind === LISTEN) this.#listen(a as EventName, b as boolean);
    else if (kind === CLOSE) void this.#close(a as number, b as Closing);
    else if (kind === STORE) this.#offer(a as MessagePort);
  };

  async #welcome(prefix: string, pageLock: string | undefined): Promise<void> {
    // A page asks again where it hears that the app is served; one answer is on its way then.
    if (this.#isGreeted) return;
    this.#isGreeted = true;
    this.#prefix = prefix;
    this.#forgetPage = whenGone(pageLock, () => this.#service.gone(this.endpoint));
    const lock = await holdAlive();
    const ready: Ready = { ...this.#service.ready(), lock };
    this.outbox.addNow([READY, ready]);
  }

  // Runs

  #call(
    id: number,
    task: string,
    session: string,
    settings: CallSettings | undefined,
    args: readonly unknown[],
  ): void {
    if (this.#isClosing) return this.#refuse(id);
    const given = settings ?? none;
    const { lost } = given;
    const error = lost && unpackError(lost.error, this.#service.errors);
    const call = new ServedCall(this, {
      id,
      runId: this.#prefix + id.toString(36),
      task,
      lost: lost && { ...lost, error },
    });
    this.#calls.set(id, call);
    const run = this.#served.run(task, args, session, given, call);
    run.observed = true;
    call.run = run;
    if (given.id !== undefined) waiting.set(run, (waiting.get(run) ?? 0) + 1);
    run.whenSettled(() => this.#settled(call, task));
  }

  #refuse(id: number): void {
    const error = packError(closed(this.#served), {});
    this.#end(id, { status: 'cancel', error, attempts: 0, cleanupErrors: [] });
  }

  #abort(id: number, reason: Packed): void {
    this.#calls.get(id)?.run?.cancel(unpackError(reason, this.#service.errors));
  }

  statusChanged(call: ServedCall): void {
    if (this.#changed.push(call) === 1) void this.#tellSoon();
  }

  /** Most runs are over before somebody could look at their status, and a timer costs more than they do. */
  async #tellSoon(): Promise<void> {
    for (let left = atOnce; left > 0; left--) await undefined;
    if (this.#changed.some(({ id }) => this.#calls.has(id))) {
      setTimeout(() => this.#tellStatus(), 0);
    } else this.#changed = [];
  }

  #tellStatus(): void {
    for (const { id, run } of this.#changed) {
      if (run && this.#calls.has(id)) this.outbox.add(STATUS, id, run.status, run.attempts);
    }
    this.#changed = [];
  }

  #settled(call: ServedCall, task: string): void {
    const { id, run } = call;
    if (!run || !this.#calls.delete(id)) return;
    // What nobody has read by now may still be read there.
    call.grant(Number.POSITIVE_INFINITY);
    const { status, attempts, cleanupErrors, outcome } = run;
    const isSimple = status === 'success' && attempts === 1 && cleanupErrors.length === 0;
    if (isSimple && isPrimitive(outcome)) return this.outbox.add(DONE, id, outcome);
    const pack = (error: unknown): Packed => packError(error, this.#service.errors);
    const end = { attempts, cleanupErrors: cleanupErrors.map(pack) };
    if (status !== 'success')
      return this.#end(id, { ...end, status, error: pack(outcome) } as Ended);
    let value = outcome;
    try {
      // The run of an earlier call has passed its result to that one only.
      if (run.stream !== call) value = call.value(task, 'result', outcome);
    } catch (error) {
      return this.#end(id, { ...end, status: 'error', error: pack(error) });
    }
    if (call.isValueSent) value = undefined;
    if (isSimple) this.outbox.add(DONE, id, value);
    else this.#end(id, { ...end, status, value });
  }

  #end(id: number, ended: Ended): void {
    this.outbox.add(END, id, ended);
  }

  // Events

  #listen(name: EventName, isWanted: boolean): void {
    this.#listeners.get(name)?.();
    this.#listeners.delete(name);
    if (!isWanted || !Object.hasOwn(eventNames, name)) return;
    const stop = this.#service.app.on(name, (event) => this.#tell({ ...event }));
    this.#listeners.set(name, stop);
  }

  /** Sends an event; a value in it that cannot travel is left out. */
  #tell(event: Record<string, unknown> & { value?: unknown }): void {
    const failure = ['error', 'reason'].find((key) => key in event);
    if (failure) event[failure] = packError(event[failure], this.#service.errors);
    if ('value' in event) {
      try {
        event.value = moveValue(event.value, { from: 'result' }).value;
      } catch {
        delete event.value;
      }
    }
    this.outbox.add(EVENT, event, failure);
  }

  // Storage

  #offer(port: MessagePort): void {
    const { storage, name } = this.#served;
    if (storage) this.#stores.add(offerStorage(port, storage, name));
  }

  // The end

  async #close(number: number, closing: Closing): Promise<void> {
    let failure: Packed | undefined;
    try {
      await this.#closed(closing);
    } catch (error) {
      failure = packError(error, this.#service.errors);
    }
    this.outbox.addNow([CLOSED, number, failure]);
    if (closing.what === 'connection') this.end('the page has closed its connection');
  }

  #closed({ what, session, drain }: Closing): Promise<void> {
    const { app } = this.#service;
    if (what === 'app') return app.close({ drain });
    if (what === 'session') return app.session(session).close({ drain });
    return this.drain(drain);
  }

  /** Waits for its runs, cancels those that do not end in time, and refuses new ones. */
  async drain(drain: number): Promise<void> {
    this.#isClosing = true;
    await atMost(drain, this.#idle(), systemClock);
    for (const call of this.#calls.values()) {
      if (leave(call, closed(this.#served))) continue;
      this.#calls.delete(call.id);
      this.#refuse(call.id);
    }
    await this.#idle();
  }

  /** Waits for the runs that there are. */
  async #idle(): Promise<void> {
    for (const { run } of [...this.#calls.values()]) {
      if (run) await new Promise<void>((resolve) => run.whenSettled(resolve));
    }
  }

  /** Tells the page that nobody serves the app any more. */
  sayBye(why: string): void {
    this.outbox.addNow([BYE, why]);
    this.end(why);
  }

  /** Ends without another word. */
  end(why: string): void {
    this.#forgetPage();
    for (const stop of [...this.#listeners.values(), ...this.#stores]) stop();
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) leave(call, new QTasksError('TASK_CANCELLED', `run: ${why}`));
    this.#service.forget(this);
  }
}

/** How many calls wait for a run that has an id, by which several pages may share it. */
const waiting = new WeakMap<ServedRun, number>();

/** Waits for a run no more, and cancels it where nobody else does; tells whether it was. */
function leave(call: ServedCall, reason: QTasksError): boolean {
  const { run } = call;
  if (!run) return false;
  const others = (waiting.get(run) ?? 1) - 1;
  waiting.set(run, others);
  call.leave();
  if (others === 0) run.cancel(reason);
  return others === 0;
}

/** How many microtasks a run may take that waits for nothing. */
const atOnce = 12;

const none: CallSettings = {};

const closed = ({ name }: Served): QTasksError =>
  new QTasksError('APP_CLOSED', `run: the connection to app "${name}" is closed`);
