/** The workers of one app, as one client: it sends calls to them and sees to it that each of them settles. */
import type { ActiveRun } from '../../src/active-run.js';
import { type ClientHost, type CloseOptions, drainOf, type RunSettings } from '../../src/client.js';
import { atMost, systemClock } from '../../src/clock.js';
import { Events } from '../../src/events.js';
import { type AnyTask, type EventMap, type EventName, QTasksError } from '../../src/index.js';
import { describe } from '../../src/options.js';
import { Remembered } from '../../src/remembered.js';
import { Signals } from '../../src/signals.js';
import type { Milliseconds } from '../../src/types.js';
import { surfaceLater } from '../../src/unseen.js';
import { Call, type CallPool } from './call.js';
import { packError } from './errors.js';
import type { Link } from './link.js';
import { Place, type PlaceHost, type PlaceOptions } from './place.js';
import { type CallSettings, LISTEN } from './protocol.js';
import { PageStates, type StatesHost } from './states.js';

/** One pool. */
export class Pool implements ClientHost, PlaceHost, CallPool, StatesHost {
  readonly events: Events;
  readonly #places: readonly Place[];
  readonly #options: PlaceOptions;
  /** Those that no worker could be given yet, in order. */
  readonly #waiting = new Set<Call>();
  readonly #signals = new Signals();
  readonly #remembered = new Remembered(systemClock);
  readonly #listening = new Map<EventName, number>();
  readonly #states: PageStates;
  #calls = 0;
  #lastError: QTasksError | undefined = undefined;
  /** Called as soon as a worker can be called, or there will never be one. */
  #changed: (() => void)[] = [];
  #closing: Promise<void> | undefined = undefined;
  /** Whether all writes to states have ended that were there as it was closed. */
  #isOver = false;

  constructor(size: number, options: PlaceOptions) {
    this.#options = options;
    this.events = new Events((error) => console.error('qtasks-lite: a listener has failed', error));
    this.#places = Array.from({ length: size }, (_, index) => new Place(this, index, options));
    this.#states = new PageStates(this.events, this);
    for (const place of this.#places) place.start();
  }

  get #isClosing(): boolean {
    return this.#closing !== undefined;
  }

  // Runs

  run(
    target: unknown,
    args: readonly unknown[],
    session: string,
    settings: RunSettings,
  ): ActiveRun {
    const { signal, id: key, transfer } = settings;
    const taskName = nameOf(target);
    const id = ++this.#calls;
    // Each field by its name: to spread another object costs more than all the rest of a call.
    const call = new Call(this, {
      id,
      taskName: taskName ?? '',
      session,
      key,
      settings: settingsOf(settings),
      args,
      transfer,
    });
    const { run } = call;
    try {
      if (this.#isClosing) throw closed('run');
      if (taskName === undefined) throw unknown(target);
      const known = key === undefined ? undefined : this.#remembered.find(session, key, taskName);
      if (known && !signal?.aborted) return known;
      if (signal?.aborted) this.settle(call, 'cancel', signal.reason);
      else {
        this.#dispatch(call);
        if (signal) this.#signals.follow(signal, run);
        if (key !== undefined) this.#remembered.add(run);
      }
    } catch (error) {
      this.settle(call, 'error', error);
    }
    return run;
  }

  runId(call: number): string {
    return this.#options.prefix + call.toString(36);
  }

  /** @throws VALUE_UNSUPPORTED; what keeps all workers from starting */
  #dispatch(call: Call): void {
    const link = this.#linkFor(call);
    if (link) return link.send(call);
    const { error } = this.#places.find((place) => !place.error) ?? this.#places[0] ?? {};
    if (error) throw error;
    call.keep();
    this.#wait(call);
  }

  /** Waits for a worker, but not for ever. */
  #wait(call: Call): void {
    this.#waiting.add(call);
    call.timer = systemClock.setTimeout(
      () => this.settle(call, 'error', this.#notReady(`task "${call.run.taskName}"`)),
      this.#options.readyTimeout,
    );
  }

  #notReady(what: string): QTasksError {
    const { readyTimeout } = this.#options;
    const message = `${what}: no worker was ready within ${readyTimeout} ms`;
    const cause = this.#lastError;
    if (!cause) return new QTasksError('WORKER_LOAD_FAILED', message);
    const details = { cause, data: cause.data };
    return new QTasksError('WORKER_LOAD_FAILED', `${message}; before, ${cause.message}`, details);
  }

  #waitNoMore(call: Call): void {
    if (!this.#waiting.delete(call)) return;
    systemClock.clearTimeout(call.timer);
    this.#tellChanged();
  }

  #tellChanged(): void {
    for (const tell of this.#changed.splice(0)) tell();
  }

  /** The worker for a call, if it is there and the call may go. */
  #linkFor({ run: { taskName, session } }: Call): Link | undefined {
    if (this.#states.isBeginning(session)) return undefined;
    let least: Link | undefined;
    for (const { link } of this.#places) {
      if (!link?.ready) continue;
      if (!least || link.calls.size < least.calls.size) least = link;
    }
    if (!least?.factsOf(taskName)?.isPinned) return least;
    const place = this.#placeOf(session);
    return place.isReady ? place.link : undefined;
  }

  /**
   * Where the runs of a session go that have to go to one worker: as long as nobody has given up there, that
   * is the same place whatever becomes of others.
   */
  #placeOf(session: string): Place {
    let hash = 0;
    for (let at = 0; at < session.length; at++) hash = (hash * 31 + session.charCodeAt(at)) | 0;
    const count = this.#places.length;
    const first = (hash >>> 0) % count;
    const ranked = this.#places.map((_, step) => this.#places[(first + step) % count] as Place);
    return ranked.find(({ error }) => !error) ?? (ranked[0] as Place);
  }

  cancel(call: Call): void {
    const { link, run } = call;
    if (link && !link.unsend(call)) link.abort(call);
    else this.settle(call, 'cancel', run.reason);
  }

  settle(call: Call, status: 'success' | 'error' | 'cancel', outcome: unknown): void {
    const { run } = call;
    call.link?.release(call);
    this.#waitNoMore(call);
    call.end();
    run.settle(status, outcome);
    if (status !== 'error' || run.observed) return;
    surfaceLater(run, outcome, systemClock, () => {
      if (!this.events.has('error')) return false;
      const { id, taskName: task, session, attempts: attempt } = run;
      this.#emit({ type: 'error', run: id, task, session, attempt, error: outcome });
      return true;
    });
  }

  // Workers

  opened(place: Place): void {
    for (const name of this.#listening.keys()) place.link?.outbox.add(LISTEN, name, true);
    this.#emit({ type: 'worker:start', worker: place.index });
    this.#flush();
  }

  ended(place: Place, error: QTasksError, orphans: readonly Call[]): void {
    this.#lastError = error;
    for (const call of orphans) this.#adopt(call, error);
    if (!this.#isClosing) this.#tellLost(place, error, orphans);
    if (this.#places.every((each) => each.error)) {
      for (const call of [...this.#waiting]) this.settle(call, 'error', error);
    }
    this.#flush();
  }

  /** Nobody who cares may miss it. */
  #tellLost({ index }: Place, error: QTasksError, orphans: readonly Call[]): void {
    this.#emit({ type: 'worker:lost', worker: index, error });
    const isTold = this.events.has('worker:lost') || orphans.length > 0 || this.#waiting.size > 0;
    if (!isTold) console.error('qtasks-lite: a worker is lost', error);
  }

  #flush(): void {
    for (const call of [...this.#waiting]) this.#retryDispatch(call);
    this.#tellChanged();
  }

  #retryDispatch(call: Call): void {
    const link = this.#linkFor(call);
    if (!link) return;
    this.#waitNoMore(call);
    try {
      link.send(call);
    } catch (error) {
      this.settle(call, 'error', error);
    }
  }

  /** What becomes of a call whose worker is gone. */
  #adopt(call: Call, error: QTasksError): void {
    const { run, link, key } = call;
    const isUnsent = link?.unsend(call);
    if (run.cancelled) return this.settle(call, 'cancel', run.reason);
    if (this.#isClosing) return this.settle(call, 'cancel', closed('run', error));
    if (isUnsent) return this.#wait(call);
    if (key === undefined || !call.isKept || run.stream?.isDelivered)
      return this.settle(call, 'error', error);
    link?.release(call);
    // It may have ended its worker before that could tell of another attempt.
    const attempts = Math.max(run.attempts, (call.settings?.lost?.attempts ?? 0) + 1);
    call.settings = {
      ...call.settings,
      lost: { attempts, error: packError(error, this.#options.errors) },
    };
    run.attempts = attempts;
    run.stream?.clear();
    run.enter('retry');
    this.#wait(call);
  }

  async linkAt(place: Place): Promise<Link> {
    let isLate = false;
    const timer = systemClock.setTimeout(() => {
      isLate = true;
      this.#tellChanged();
    }, this.#options.readyTimeout);
    try {
      for (;;) {
        const { link, error } = place;
        if (this.#isOver) throw closed('state');
        if (error) throw error;
        if (link?.ready) return link;
        if (isLate) throw this.#notReady('state');
        await new Promise<void>((resolve) => this.#changed.push(resolve));
      }
    } finally {
      systemClock.clearTimeout(timer);
    }
  }

  // Events

  on<Name extends EventName>(name: Name, listener: (event: EventMap[Name]) => unknown): () => void {
    const stop = this.events.on(name, listener);
    this.#listen(name, 1);
    let isOn = true;
    return () => {
      if (isOn) this.#listen(name, -1);
      isOn = false;
      stop();
    };
  }

  /** Workers tell only of what somebody listens to. */
  #listen(name: EventName, change: 1 | -1): void {
    const count = (this.#listening.get(name) ?? 0) + change;
    if (count === 0) this.#listening.delete(name);
    else this.#listening.set(name, count);
    if (count - change > 0 && count > 0) return;
    for (const { link } of this.#places) if (link?.ready) link.outbox.add(LISTEN, name, count > 0);
  }

  event(event: object): void {
    this.events.emit(event as EventMap[EventName]);
  }

  #emit(event: Untimed): void {
    if (this.events.has(event.type)) this.event({ at: systemClock.now(), ...event });
  }

  // States

  state(stateClass: unknown, session: string): unknown {
    if (this.#isClosing) throw closed('state');
    return this.#states.open(stateClass, session, this.#placeOf(session));
  }

  watching(): void {
    this.#flush();
  }

  // The end

  close(options: CloseOptions): Promise<void> {
    const drain = drainOf(options);
    this.#closing ??= Promise.resolve().then(() => this.#closeAll(drain));
    return this.#closing;
  }

  async #closeAll(drain: Milliseconds): Promise<void> {
    const left = await this.#drainWaiting([...this.#waiting], drain, closed('run'));
    await this.#states.close();
    this.#isOver = true;
    const closings = await Promise.allSettled(this.#places.map((place) => place.close(left)));
    this.#tellChanged();
    throwFirst(closings);
  }

  async closeSession(session: string, options: CloseOptions): Promise<void> {
    const waiting = [...this.#waiting].filter(({ run }) => run.session === session);
    const message = `session "${session}" was closed before the run started`;
    const reason = new QTasksError('APP_CLOSED', message);
    const drain = await this.#drainWaiting(waiting, drainOf(options), reason);
    const links = this.#places.flatMap(({ link }) => (link?.ready ? [link] : []));
    throwFirst(
      await Promise.allSettled(
        links.map((link) => link.close({ what: 'session', session, drain })),
      ),
    );
  }

  /** Waits until calls have a worker, and cancels those left over; resolves to what is left of the time. */
  async #drainWaiting(
    calls: readonly Call[],
    drain: Milliseconds,
    reason: QTasksError,
  ): Promise<Milliseconds> {
    const begun = systemClock.now();
    await atMost(drain, this.#allSent(calls), systemClock);
    for (const call of calls) if (this.#waiting.has(call)) this.settle(call, 'cancel', reason);
    return Math.max(0, drain - (systemClock.now() - begun));
  }

  async #allSent(calls: readonly Call[]): Promise<void> {
    while (calls.some((call) => this.#waiting.has(call))) {
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }
}

/** An event that happens now. */
type Untimed = { [Name in EventName]: Omit<EventMap[Name], 'at'> }[EventName];

function closed(operation: string, ...cause: [cause?: unknown]): QTasksError {
  const details = cause.length > 0 ? { cause: cause[0] } : {};
  return new QTasksError('APP_CLOSED', `${operation}: the connection is closed`, details);
}

/** The name that a task is called by; the worker knows it by its name alone. */
function nameOf(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  const name: unknown = isTask(target) ? target.name : undefined;
  return typeof name === 'string' ? name : undefined;
}

const TASK = Symbol.for('qtasks-lite.task');

function isTask(value: unknown): value is AnyTask {
  return Object(value) === value && TASK in (value as object);
}

function unknown(target: unknown): QTasksError {
  const message = `run: expected a task or its name; received ${describe(target)}`;
  return new QTasksError('TASK_UNKNOWN', message);
}

function settingsOf({ timeout, priority, id }: RunSettings): CallSettings | undefined {
  if (timeout === undefined && priority === undefined && id === undefined) return undefined;
  const given = Object.entries({ timeout, priority, id }).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(given);
}

function throwFirst(results: readonly PromiseSettledResult<void>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
