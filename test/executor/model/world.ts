/** An app of a scenario, with everything that is done to it and seen of it. */
import {
  isQTasksError,
  QTasks,
  type Run,
  type RunEvent,
  type RunSettings,
} from '../../../src/index.js';
import { ManualClock } from '../../support/clock.js';
import { type CallerSignal, callerSignal } from './caller.js';
import {
  type AttemptLog,
  type Cancel,
  type Ended,
  type Fact,
  isOver,
  mayHang,
  type RunLog,
} from './history.js';
import { Locks } from './locks.js';
import { type Action, type Scenario, sessions, type TaskSpec } from './scenario.js';
import { type ModelTask, Users } from './users.js';

/** What one call of `close` aborts, and when. */
interface Closing {
  readonly session: string | undefined;
  readonly at: Fact;
  readonly due: number;
  readonly runs: readonly RunLog[];
  isDone: boolean;
}

export class World {
  readonly clock = new ManualClock();
  readonly scenario: Scenario;
  readonly app: QTasks;
  readonly runs: RunLog[] = [];
  readonly violations: string[] = [];
  readonly locks: Locks | undefined;
  readonly signals: readonly CallerSignal[] = [callerSignal(), callerSignal()];
  readonly closings: Closing[] = [];
  readonly #tasks: readonly ModelTask[];
  readonly #byId = new Map<string, RunLog>();
  readonly #byRun = new Map<Run<unknown, unknown>, RunLog>();
  readonly #aborts = new Map<RunLog, CallerSignal>();
  /** The newest last. */
  readonly #remembered: { readonly log: RunLog; readonly until: number }[] = [];
  #starting: RunLog | undefined;
  #seq = 0;
  #epoch = 0;
  #isClosing = false;
  #events = 0;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    const { concurrency, remember, locks } = scenario;
    const pause = (): Promise<void> => this.pause(locks?.time ?? 0);
    this.locks = locks && new Locks(pause, locks.failing + 1, locks.stuck + 1);
    const users = new Users(this);
    this.app = new QTasks({
      clock: this.clock,
      concurrency,
      remember,
      middleware: scenario.layers.map((layer) => users.layer(layer)),
      ...(this.locks && { storage: this.locks }),
    });
    this.#tasks = scenario.tasks.map((spec, number) => users.define(spec, number));
    this.#listen();
    this.#disturb();
  }

  fact(): Fact {
    return { seq: ++this.#seq, epoch: this.#epoch, time: this.clock.now() };
  }

  ended(failed: boolean, value: unknown): Ended {
    return { ...this.fact(), failed, value };
  }

  must(holds: boolean, what: string): void {
    if (!holds) this.violations.push(what);
  }

  /** Without a timer where it takes no time; `Infinity` never ends. */
  pause(time: number, signal?: AbortSignal): Promise<void> {
    return new Promise((done, fail) => {
      if (signal?.aborted) return fail(signal.reason);
      const abort = (): void => fail(signal?.reason);
      if (time > 0) signal?.addEventListener('abort', abort);
      const end = (): void => {
        signal?.removeEventListener('abort', abort);
        done();
      };
      if (time === 0) end();
      else if (Number.isFinite(time)) this.clock.setTimeout(end, time);
    });
  }

  /** The attempt that something within a run belongs to. */
  attempt(session: string, id: string, number: number): AttemptLog {
    const attempt = this.#byId.get(keyOf(session, id))?.attempts.at(number - 1);
    if (!attempt) throw new Error('it belongs to no attempt');
    return attempt;
  }

  #listen(): void {
    const { app } = this;
    app.on('run:start', (event) => {
      const run = this.#logOf(event);
      const number = event.attempt;
      const attempt: AttemptLog = {
        ...{ run, number, start: this.fact(), inner: undefined, called: undefined },
        ...{ body: undefined, layers: [], dependency: undefined, thrown: [], children: [] },
        ...{ yielded: [], ctx: undefined, view: undefined, over: undefined },
        isRetried: false,
      };
      // A lock that was not granted counts as an attempt, but none starts.
      run.attempts[number - 1] = attempt;
    });
    app.on('run:yield', (event) => {
      const { reader, attempts } = this.#logOf(event);
      const yielded = attempts.at(-1)?.yielded ?? [];
      yielded.push(event.value);
      if (!reader) return;
      const from = reader.attempt === attempts.length ? reader.from : 0;
      const ahead = yielded.length - from - reader.received.length;
      // The reader may have got one that it has not seen yet.
      this.must(ahead <= 17, 'a stream is a small window ahead of its reader');
    });
    app.on('run:retry', (event) => {
      const last = this.#attemptOver(this.#logOf(event));
      if (last) last.isRetried = true;
    });
    app.on('run:success', (event) => this.#end(event, this.ended(false, event.value)));
    app.on('run:error', (event) => this.#end(event, this.ended(true, event.error)));
    app.on('run:cancel', (event) => this.#end(event, this.ended(true, event.reason)));
    app.on('error', ({ run, error }) => {
      const log = this.runs.find((one) => one.run?.id === run && one.ends[0]?.value === error);
      if (log) log.unseen++;
      else this.violations.push('a failure is told of no run');
    });
  }

  #logOf({ type, session, run }: RunEvent<string>): RunLog {
    const starting = this.#starting;
    const isEnd = ['run:success', 'run:error', 'run:cancel'].includes(type);
    // A refused run has an id that may be another one's too.
    if (starting?.refusal && isEnd && !isOver(starting)) return starting;
    const known = this.#byId.get(keyOf(session, run));
    const log = known && !isOver(known) ? known : (starting ?? known);
    if (!log) throw new Error('an event is of no run');
    this.#byId.set(keyOf(session, run), log);
    return log;
  }

  #attemptOver({ attempts }: RunLog): AttemptLog | undefined {
    const last = attempts.at(-1);
    if (last) last.over ??= this.fact();
    return last;
  }

  #end(event: RunEvent<string>, ended: Ended): void {
    const log = this.#logOf(event);
    this.#attemptOver(log);
    log.ends.push({ ...ended, type: event.type });
    const { id, refusal } = log;
    if (id === undefined || refusal) return;
    const { remember } = this.scenario;
    const place = this.#remembered.findIndex(
      ({ log: other }) => other.id === id && other.session === log.session,
    );
    if (place >= 0) this.#remembered.splice(place, 1);
    if (ended.failed) return;
    this.#remembered.push({ log, until: ended.time + remember.ttl });
    if (this.#remembered.length > remember.limit) this.#remembered.shift();
  }

  /** Cancels from within the app's own listeners. */
  #disturb(): void {
    const { disturbs } = this.scenario;
    if (!disturbs) return;
    this.app.on(disturbs.event, ({ run, session = '' }) => {
      if (run === undefined || ++this.#events % disturbs.every > 0) return;
      const log = this.#byId.get(keyOf(session, run));
      const signal = log && this.#aborts.get(log);
      if (signal) this.#abort(signal);
      else if (log) this.cancel(log);
    });
  }

  /** Notes that a run is about to be cancelled; without effect on one that is over. */
  noteCancel(log: RunLog, isReason: Cancel['isReason']): void {
    if (!isOver(log)) log.cancels.push({ ...this.fact(), isReason });
  }

  cancel(log: RunLog, by: Pick<Run<unknown>, 'cancel'> | undefined = log.run): void {
    if (by === undefined) return;
    const reason = new Error('cancelled');
    this.noteCancel(log, (error) => error === reason);
    by.cancel(reason);
  }

  #abort(signal: CallerSignal): void {
    const reason = new Error('aborted');
    if (signal.signal.aborted) return;
    for (const log of this.runs.concat(this.#starting ?? [])) {
      if (this.#aborts.get(log) === signal) this.noteCancel(log, (error) => error === reason);
    }
    signal.abort(reason);
  }

  look(log: RunLog): void {
    log.looked ??= this.fact();
    const note = (outcome: unknown): void => void log.outcomes.push(outcome);
    log.run?.then(note, note);
  }

  /** Starts a run as a part of an attempt. */
  child(attempt: AttemptLog, number: number): RunLog | undefined {
    const { ctx, run } = attempt;
    const own = this.scenario.tasks.indexOf(run.spec);
    const place = own > 0 ? number % own : -1;
    const [task, spec] = [this.#tasks[place], this.scenario.tasks[place]];
    if (!ctx || !task || !spec) return undefined;
    const log = this.#log(spec, run.session, undefined, attempt, this.#childRefusal(attempt));
    attempt.children.push(log);
    return this.#start(log, () => ctx.run(task, log));
  }

  #childRefusal(attempt: AttemptLog): RunLog['refusal'] {
    const signal = attempt.ctx?.signal;
    const isOver = attempt.over !== undefined;
    const due = this.closings.find((one) => one.session === undefined)?.due ?? Infinity;
    const now = this.clock.now();
    if (!signal?.aborted && !isOver && due >= now) return undefined;
    // It may be over before that can be seen: what is around it may go on.
    return (status, error) =>
      isOptionInvalid(error) ||
      (!isOver &&
        status === 'cancel' &&
        (error === signal?.reason || (due <= now && isClosed(error))));
  }

  #log(
    spec: TaskSpec,
    session: string,
    id: string | undefined,
    parent: AttemptLog | undefined,
    refusal: RunLog['refusal'],
  ): RunLog {
    return {
      ...{ spec, session, id, parent, refusal, start: this.fact(), run: undefined, attempts: [] },
      ...{ cancels: [], ends: [], looked: undefined, outcomes: [], reader: undefined, unseen: 0 },
    };
  }

  /** Gives the log of the run that came of it: a call that joined a run gets that one's. */
  #start(log: RunLog, call: () => Run<unknown, unknown>): RunLog {
    const outer = this.#starting;
    this.#starting = log;
    const run = call();
    this.#starting = outer;
    const known = this.#byRun.get(run);
    if (known) return known;
    log.run = run;
    this.runs.push(log);
    this.#byRun.set(run, log);
    if (!log.refusal) this.#byId.set(keyOf(log.session, run.id), log);
    return log;
  }

  #run(action: Extract<Action, { what: 'run' }>): void {
    const place = action.task % this.#tasks.length;
    const [task, spec] = [this.#tasks[place], this.scenario.tasks[place]];
    const session = sessions[action.session] ?? '';
    const id = action.id === undefined ? undefined : `id${action.id}`;
    if (!task || !spec) throw new Error('there is no such task');
    // Listeners cancel by a signal too: there is no run yet as they are first called.
    const own = this.scenario.disturbs && callerSignal();
    const caller = action.signal === undefined ? own : this.signals[action.signal];
    const joined = this.#find(session, id, spec, caller);
    const refusal = joined ? undefined : this.#refusal(session, id, spec, caller);
    const log = this.#log(spec, session, id, undefined, refusal);
    const settings: RunSettings = {
      ...(caller && { signal: caller.signal }),
      ...(id !== undefined && { id }),
    };
    const client = session === '' ? this.app : this.app.session(session);
    if (!joined && caller) this.#aborts.set(log, caller);
    const started = this.#start(log, () => client.with(settings).run(task, log));
    this.must(started === (joined ?? log), 'a call joins the run of its id and no other one');
    if (action.looks) this.look(started);
    if (action.reader) void new Users(this).read(started, action.reader);
  }

  /** The run of this id that goes on, or has succeeded and is remembered. */
  #known(session: string, id: string | undefined): RunLog | undefined {
    if (id === undefined) return undefined;
    const isIt = (log: RunLog) => !log.refusal && log.session === session && log.id === id;
    const live = this.runs.find((log) => isIt(log) && !isOver(log));
    const past = this.#remembered.find(({ log, until }) => isIt(log) && until > this.clock.now());
    return live ?? past?.log;
  }

  #find(
    session: string,
    id: string | undefined,
    spec: TaskSpec,
    caller: CallerSignal | undefined,
  ): RunLog | undefined {
    const known = this.#known(session, id);
    return known?.spec === spec && !this.#isClosing && !caller?.signal.aborted ? known : undefined;
  }

  #refusal(
    session: string,
    id: string | undefined,
    spec: TaskSpec,
    caller: CallerSignal | undefined,
  ): RunLog['refusal'] {
    const known = this.#known(session, id);
    if (this.#isClosing) return (_status, error) => isClosed(error);
    if (caller?.signal.aborted) {
      const { reason } = caller.signal;
      const isOther = known !== undefined && known.spec !== spec;
      return (status, error) =>
        (status === 'cancel' && error === reason) || (isOther && isOptionInvalid(error));
    }
    // Of another task: one of the same would have been joined.
    return known && ((_status, error) => isOptionInvalid(error));
  }

  #close(session: string | undefined, drain: number): void {
    const runs = this.runs.filter(
      (log) => !isOver(log) && (session === undefined || log.session === session),
    );
    const closing = {
      session,
      at: this.fact(),
      due: this.clock.now() + drain,
      runs,
      isDone: false,
    };
    if (session === undefined && this.#isClosing) return;
    if (session === undefined) this.#isClosing = true;
    this.closings.push(closing);
    const client = session === undefined ? this.app : this.app.session(session);
    const done = (): void => {
      closing.isDone = true;
      this.must(runs.every(isOver), 'who closes waits for the runs');
    };
    client.close({ drain }).then(done, (error) => {
      this.violations.push(`close fails: ${error}`);
    });
  }

  #act(action: Action): void {
    if (action.what === 'run') return this.#run(action);
    if (action.what === 'close') return this.#close(undefined, action.drain);
    if (action.what === 'close session') return this.#close(sessions[action.session], action.drain);
    if (action.what === 'abort') {
      const signal = this.signals[action.signal];
      if (signal) this.#abort(signal);
      return;
    }
    const log = this.runs[action.which % Math.max(1, this.runs.length)];
    if (!log) return;
    if (action.what === 'cancel') this.cancel(log);
    else if (action.what === 'look') this.look(log);
    else if (action.what === 'read') void new Users(this).read(log, action.reader);
  }

  async #pass(amount: number): Promise<void> {
    if (amount > 5) return this.#advance(amount - 6);
    for (let count = 0; count < amount; count++) await undefined;
  }

  async #advance(time: number): Promise<void> {
    await this.clock.advance(time);
    this.#epoch++;
  }

  get live(): RunLog[] {
    return this.runs.filter((log) => !isOver(log));
  }

  /** Plays the scenario until every run is over: those that hang are cancelled. */
  async play(): Promise<void> {
    for (const action of this.scenario.actions) {
      this.#act(action);
      await this.#pass(action.then);
    }
    await this.#advance(10_000);
    for (let live = this.live; live.length > 0; live = this.live) {
      const hanging = live.filter(
        (log) => log.run?.status === 'process' && mayHang(log, this.scenario.layers),
      );
      this.must(hanging.length > 0, 'no run is forgotten');
      for (const { attempts, cancels } of hanging) {
        const { ctx, view, children = [], layers = [] } = attempts.at(-1) ?? {};
        // Who tears down waits for what it has started meanwhile, which nothing cancels.
        if (!children.every(isOver)) continue;
        // Middleware may do what it wants with a failure, as long as nobody cancels.
        const isFailure = layers.some(({ spec }) => spec.kind === 'hangs after');
        this.must(isFailure || !(ctx ?? view)?.signal.aborted, 'an attempt that was aborted ends');
        this.must(cancels.length === 0, 'a cancelled run ends');
      }
      // The end of one may be the end of another.
      for (const log of hanging) if (!isOver(log)) this.cancel(log);
      if (this.violations.length > 0) return;
      await this.#advance(10_000);
    }
  }

  /** Whether the slots are all free: as many runs as there are begin at once, and one more waits. */
  async probe(): Promise<void> {
    const { concurrency } = this.scenario;
    if (this.#isClosing || !Number.isFinite(concurrency)) return;
    const probe = this.app.task('probe', () => this.pause(Number.POSITIVE_INFINITY));
    const probes = Array.from({ length: concurrency + 1 }, () => probe());
    const begun = probes.filter(({ status }) => status === 'process');
    this.must(begun.length === concurrency, 'every slot is given back');
    this.must(probes.at(-1)?.status === 'new', 'there are no more slots than there should be');
    for (const one of probes) one.cancel();
    await this.#advance(10_000);
  }
}

const keyOf = (session: string, id: string): string => `${session} ${id}`;
export const isClosed = (error: unknown): boolean => isQTasksError(error, 'APP_CLOSED');
const isOptionInvalid = (error: unknown): boolean => isQTasksError(error, 'OPTION_INVALID');
