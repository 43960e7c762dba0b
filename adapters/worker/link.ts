/** One connection to one worker, on the side of the page: from its start to its end, whatever that is. */
import { atMost, systemClock } from '../../src/clock.js';
import { QTasksError, type StorageAdapter } from '../../src/index.js';
import type { RunStatus } from '../../src/run.js';
import type { Milliseconds } from '../../src/types.js';
import { holdAlive, whenGone } from './alive.js';
import { answerStorage } from './answer-storage.js';
import type { Call, CallLink } from './call.js';
import type { Endpoint, Trouble } from './endpoint.js';
import { type ErrorClasses, type Packed, packError, unpackError } from './errors.js';
import { Outbox } from './outbox.js';
import {
  ABORT,
  BYE,
  CALL,
  CLOSE,
  CLOSED,
  type Closing,
  DONE,
  END,
  type Ended,
  EVENT,
  type FrameHandler,
  HELLO,
  isMessage,
  NOBODY,
  PING,
  PONG,
  READY,
  type Ready,
  readFrames,
  SERVING,
  STATUS,
  STORE,
  type TaskFacts,
  VALUE,
  YIELD,
} from './protocol.js';
import type { StorageLink } from './storage-wire.js';

/** How long a busy page takes to read what has come. */
const secondLook: Milliseconds = 100;

/** How all workers of a pool are talked to. */
export interface LinkOptions {
  /** The name of the app that is wanted; `undefined`: whichever is served. */
  readonly app: string | undefined;
  readonly readyTimeout: Milliseconds;
  readonly grace: Milliseconds;
  readonly errors: ErrorClasses;
  /** What a worker gets that asks for its page's storage. */
  readonly storage: StorageAdapter | undefined;
  /** Begins the ids of runs. */
  readonly prefix: string;
}

/**
 * How a worker has ended: after it was ready, its script has failed, it has never answered, or somebody has
 * ended it as it started.
 */
export type End = 'lost' | 'failed' | 'silent' | 'killed';

/** Who owns a link. */
export interface LinkHost {
  /** The worker can be called from now on. */
  opened(link: Link): void;
  /** It is gone, with the calls that it still has. */
  ended(link: Link, error: QTasksError, how: End): void;
  settle(call: Call, status: 'success' | 'error' | 'cancel', outcome: unknown): void;
  /** Something has happened to the worker's app. */
  event(event: object): void;
}

/** What is known of an end. */
interface EndDetails {
  readonly cause?: unknown;
  readonly url?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly how?: End;
}

/** One link. */
export class Link implements CallLink {
  readonly calls = new Map<number, Call>();
  readonly outbox: Outbox;
  readonly endpoint: Endpoint;
  /** What the worker has told of itself; `undefined` until it can be called. */
  ready: Ready | undefined = undefined;
  readonly #id = Math.random().toString(36).slice(2);
  readonly #url: string | undefined;
  readonly #host: LinkHost;
  readonly #options: LinkOptions;
  readonly #stops: (() => void)[];
  /** Who uses what it has opened. */
  readonly #users = new Set<(error: unknown) => void>();
  #facts: ReadonlyMap<string, TaskFacts> = new Map();
  /** Those that wait for an answer with a number. */
  readonly #answers = new Map<number, (failure: Packed | undefined) => void>();
  #number = 0;
  readonly #deadline: unknown;
  /** Why it has ended. */
  #loss: QTasksError | undefined = undefined;
  #uncaught: unknown = undefined;

  constructor(
    host: LinkHost,
    { endpoint, url }: { readonly endpoint: Endpoint; readonly url: string | undefined },
    options: LinkOptions,
  ) {
    this.endpoint = endpoint;
    this.#url = url;
    this.#host = host;
    this.#options = options;
    this.outbox = new Outbox(endpoint, this.#id);
    this.#stops = [
      endpoint.listen((message) => this.#receive(message)),
      endpoint.onTrouble((trouble) => this.#troubled(trouble)),
      answerStorage(endpoint, options.storage),
    ];
    this.#deadline = systemClock.setTimeout(() => this.#late(), options.readyTimeout);
    void this.#sayHello();
  }

  #late(): void {
    const { readyTimeout } = this.#options;
    const why = `there was no answer within ${readyTimeout} ms; does its script call serve(app)?`;
    this.end(why, { how: 'silent' });
  }

  /** A worker ends with its page; who serves through a port has to be able to tell. */
  async #sayHello(): Promise<void> {
    const { app, prefix } = this.#options;
    const lock = this.endpoint.isWorker ? undefined : await holdAlive();
    if (!this.#loss) this.outbox.addNow([HELLO, app, prefix, lock]);
  }

  #receive(message: unknown): boolean {
    if (isMessage(message, NOBODY) && message[2] === SERVING && !this.ready) void this.#sayHello();
    if (!isMessage(message, this.#id)) return false;
    try {
      readFrames(message, this.#handle);
    } catch (cause) {
      this.end('it sends what nobody understands', { cause });
    }
    return true;
  }

  readonly #handle: FrameHandler = (kind, a, b, c) => {
    if (kind === READY) return this.#open(a as Ready);
    if (kind === EVENT) return this.#tell(a as Record<string, unknown>, b as string | undefined);
    if (kind === PONG || kind === CLOSED) return this.#answer(a as number, b as Packed | undefined);
    if (kind === BYE) return this.end(`it serves the app no more: ${a}`);
    const call = this.calls.get(a as number);
    if (!call) return;
    if (kind === DONE) this.#done(call, b);
    else if (kind === YIELD) void call.run.push(b);
    else if (kind === STATUS) this.#note(call, b as RunStatus, c as number);
    else if (kind === VALUE) call.value = b;
    else if (kind === END) this.#settle(call, b as Ended);
  };

  #open(ready: Ready): void {
    if (this.ready) return;
    this.#facts = new Map(ready.tasks.map((task) => [task.name, task]));
    this.ready = ready;
    systemClock.clearTimeout(this.#deadline);
    const gone = (): void => this.end('it was terminated or has closed itself');
    this.#stops.push(whenGone(ready.lock, gone));
    this.#host.opened(this);
  }

  #tell(event: Record<string, unknown>, failure: string | undefined): void {
    if (failure) event[failure] = this.#unpack(event[failure] as Packed);
    this.#host.event(event);
  }

  #unpack(packed: Packed): unknown {
    return unpackError(packed, this.#options.errors);
  }

  // Calls

  factsOf(task: string): TaskFacts | undefined {
    return this.#facts.get(task);
  }

  /** @throws VALUE_UNSUPPORTED; then nothing is sent */
  send(call: Call): void {
    const { id, run, key, settings } = call;
    const { taskName, session } = run;
    const facts = this.#facts.get(taskName);
    call.send(
      this,
      [CALL, id, taskName, session, settings],
      key !== undefined && facts?.retries === true,
    );
    this.calls.set(id, call);
    const timeout = settings?.timeout ?? facts?.timeout;
    if (typeof timeout === 'number') this.#watch(call, timeout, timeout);
  }

  unsend(call: Call): boolean {
    const isBack = call.unsend(this);
    if (isBack) this.release(call);
    return isBack;
  }

  release(call: Call): void {
    this.calls.delete(call.id);
    call.link = undefined;
    if (call.timer !== undefined) systemClock.clearTimeout(call.timer);
  }

  #note(call: Call, status: RunStatus, attempts: number): void {
    call.run.attempts = attempts;
    if (status === 'process' || status === 'retry') call.run.enter(status);
  }

  #done(call: Call, value: unknown): void {
    call.run.attempts = 1;
    this.#host.settle(call, 'success', value === undefined ? call.value : value);
  }

  #settle(call: Call, { status, value, error, attempts, cleanupErrors }: Ended): void {
    const { run } = call;
    run.attempts = attempts;
    run.cleanupErrors = cleanupErrors.map((packed) => this.#unpack(packed));
    if (status === 'success') {
      return this.#host.settle(call, status, value === undefined ? call.value : value);
    }
    // The very reason that it was given, not a copy of it.
    const isOurs = status === 'cancel' && run.cancelled;
    this.#host.settle(call, status, isOurs || !error ? run.reason : this.#unpack(error));
  }

  /** Cancels a call; a worker that does not even take note of it is stuck. */
  abort(call: Call): void {
    this.outbox.add(ABORT, call.id, packError(call.run.reason, this.#options.errors));
    void this.#isStuck().then((isStuck) => {
      if (isStuck) this.#giveUp(call, 'cancel', call.run.reason);
    });
  }

  /** A worker keeps its timeouts itself, unless it is stuck. */
  #watch(call: Call, timeout: Milliseconds, delay: Milliseconds): void {
    call.timer = systemClock.setTimeout(() => void this.#checkLate(call, timeout), delay);
  }

  async #checkLate(call: Call, timeout: Milliseconds): Promise<void> {
    if (!(await this.#isStuck())) {
      if (this.calls.has(call.id)) this.#watch(call, timeout, this.#options.grace);
      return;
    }
    const message = `task "${call.run.taskName}" did not end within ${timeout} ms, and its worker is stuck`;
    this.#giveUp(call, 'error', new QTasksError('TASK_TIMEOUT', message));
  }

  #giveUp(call: Call, status: 'error' | 'cancel', outcome: unknown): void {
    if (!this.calls.has(call.id)) return;
    this.#host.settle(call, status, outcome);
    this.end('it is stuck: it did not answer in time');
  }

  // Answers

  /** Sends something that is answered; the answer also comes as the link ends. */
  #ask(kind: number, ...fields: readonly unknown[]): Promise<Packed | undefined> {
    const number = ++this.#number;
    return new Promise((resolve) => {
      this.#answers.set(number, resolve);
      this.outbox.addNow([kind, number, ...fields]);
    });
  }

  #answer(number: number, failure: Packed | undefined): void {
    this.#answers.get(number)?.(failure);
    this.#answers.delete(number);
  }

  async #isStuck(): Promise<boolean> {
    const { grace } = this.#options;
    const answer = this.#ask(PING);
    if (await atMost(grace, answer, systemClock)) return false;
    // The page may have been busy itself: what has come meanwhile is read first.
    return !(await atMost(secondLook, answer, systemClock));
  }

  /** Closes what is at the other end, and fails as that does; done as soon as the link has ended. */
  async close(closing: Closing): Promise<void> {
    const answer = this.#ask(CLOSE, closing);
    const { grace } = this.#options;
    // A stuck worker would never close.
    let isClosed = await atMost(closing.drain + grace, answer, systemClock);
    while (!isClosed) {
      if (await this.#isStuck()) this.end('it is stuck: it did not close');
      isClosed = await atMost(grace, answer, systemClock);
    }
    const failure = await answer;
    if (failure) throw this.#unpack(failure);
  }

  /** Asks for the app's storage. */
  openStorage(): StorageLink {
    const { port1, port2 } = new MessageChannel();
    this.outbox.addNow([STORE, port2], [port2]);
    const onGone = (tell: (error: unknown) => void): (() => void) => {
      // It may have ended since it was asked.
      if (this.#loss) tell(this.#loss);
      this.#users.add(tell);
      return () => this.#users.delete(tell);
    };
    return { port: port1, onGone };
  }

  // The end

  #troubled(trouble: Trouble): void {
    if (trouble.kind === 'unreadable') {
      return this.end('a message of it cannot be read', { cause: trouble.error });
    }
    if (trouble.kind === 'error') {
      this.#uncaught = trouble.error;
      // What a script throws later does not end its worker, or in Node `exit` comes next.
      if (!this.ready) this.end('its script failed', { cause: trouble.error, url: trouble.url });
      return;
    }
    const { code } = trouble;
    const how = code === undefined ? 'it has gone away' : `it has exited with code ${code}`;
    // A thread that is terminated exits with 1; any other code is its script's doing.
    const isKilled = code === undefined || code === 1;
    const end = {
      cause: this.#uncaught,
      exitCode: code,
      how: isKilled ? 'killed' : 'failed',
    } as const;
    this.end(how, end);
  }

  /** Is over: nothing more comes from the worker, and it is ended if it still lives. */
  end(why: string, details: EndDetails = {}): void {
    if (this.#loss) return;
    const error = this.#error(why, details);
    this.#loss = error;
    systemClock.clearTimeout(this.#deadline);
    for (const stop of this.#stops) stop();
    for (const number of [...this.#answers.keys()]) this.#answer(number, undefined);
    for (const tell of this.#users) tell(error);
    this.#host.ended(this, error, this.ready ? 'lost' : (details.how ?? 'failed'));
    // A worker that others use goes on, and so would what was begun there. Last, as it sends what waits.
    const closing: Closing = { what: 'connection', session: '', drain: 0 };
    this.outbox.addNow([CLOSE, 0, closing]);
  }

  #error(why: string, { cause, exitCode, url = this.#url }: EndDetails): QTasksError {
    const app = this.ready ? ` of app "${this.ready.app}"` : '';
    const where = `the worker${app}${url === undefined ? '' : ` (${url})`}`;
    const code = this.ready ? 'WORKER_LOST' : 'WORKER_LOAD_FAILED';
    const what = this.ready ? 'is lost' : 'did not start';
    const known = Object.entries({ url, exitCode }).filter(([, value]) => value !== undefined);
    const reason = cause instanceof Error ? `${why}: ${cause.message}` : why;
    return new QTasksError(code, `${where} ${what}: ${reason}`, {
      ...(cause === undefined ? {} : { cause }),
      data: Object.fromEntries(known),
    });
  }
}
