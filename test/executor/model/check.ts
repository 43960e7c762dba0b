/** What has to hold of every run once all is over, whatever has happened to it. */
import { isQTasksError, type Settled } from '../../../src/index.js';
import {
  type AttemptLog,
  type Ended,
  type Fact,
  type RunLog,
  rootOf,
  takesHold,
} from './history.js';
import type { Item } from './users.js';
import { isClosed, type World } from './world.js';

/** An outcome of an attempt or a run, for comparison. */
interface Outcome {
  readonly failed: boolean;
  readonly value: unknown;
}

/** An outcome that it may have. */
interface Legal {
  readonly failed: boolean;
  readonly value?: unknown;
  isIt(error: unknown): boolean;
}

const isTimeout = (error: unknown): boolean => isQTasksError(error, 'TASK_TIMEOUT');

/** Whether one thing came so long before another that the library must have noticed between them. */
const isLongBefore = (one: Fact, other: Fact): boolean =>
  one.epoch < other.epoch || one.time < other.time;

/** Checks one world; `fail` is told of each thing that does not hold. */
export class Check {
  readonly #world: World;
  readonly problems: string[] = [];

  constructor(world: World, settled: ReadonlyMap<RunLog, Settled<unknown>>) {
    this.#world = world;
    this.problems.push(...world.violations, ...(world.locks?.violations ?? []));
    this.#must(world.clock.pending === 0, 'no timer is left');
    this.#must(!world.locks?.held, 'every lock is given back');
    for (const { listeners } of world.signals) this.#must(listeners === 0, 'no listener is left');
    for (const { isDone } of world.closings) this.#must(isDone, 'every close ends');
    for (const [log, end] of settled) this.#checkRun(log, end);
    this.#checkHolds();
    this.#checkSlots();
  }

  #must(holds: boolean, what: string, log?: RunLog): void {
    const place = log ? ` (run ${this.#world.runs.indexOf(log)})` : '';
    if (!holds) this.problems.push(what + place);
  }

  #checkRun(log: RunLog, settled: Settled<unknown>): void {
    const { status, error, value, attempts, cleanupErrors } = settled;
    const must = (holds: boolean, what: string): void => this.#must(holds, what, log);
    const [end, ...more] = log.ends;
    must(end?.type === `run:${status}` && more.length === 0, 'it settles once');
    const outcome = status === 'success' ? value : error;
    must(end?.value === outcome, 'all are told the same of its end');
    must(
      log.outcomes.every((one) => one === outcome),
      'who awaits it is told the same',
    );
    must(log.run?.status === status, 'its status is how it ended');
    this.#checkUnseen(log, status);
    if (log.refusal) {
      must(log.refusal(status, error), 'it is refused for the right reason');
      must(log.attempts.length === 0 && attempts === 0, 'what is refused does not start');
      return;
    }
    const started = log.attempts.filter(() => true);
    const missing = attempts - started.length;
    must(missing === 0 || (missing > 0 && takesHold(log)), 'attempts are counted');
    must(attempts <= log.spec.retry + 1, 'there are no more attempts than there may be');
    for (const attempt of started) this.#checkAttempt(attempt, attempt === started.at(-1));
    this.#checkCleanup(started, cleanupErrors, must);
    this.#checkStream(log);
    if (status === 'cancel') this.#checkCancel(log, error);
    this.#checkEnd(log, settled, must);
  }

  /** Nobody has to look at a failure for it to be told, once. */
  #checkUnseen({ looked, ends, unseen }: RunLog, status: string): void {
    const [end] = ends;
    const isSeen = looked && end && looked.seq < end.seq;
    if (isSeen || status !== 'error') this.#must(unseen === 0, 'what is seen is not told again');
    else if (!looked) this.#must(unseen === 1, 'a failure that nobody sees is told once');
    else this.#must(unseen <= 1, 'a failure is told once at most');
  }

  /** How the attempt inside its layers ended; `undefined` where it cannot be told from here. */
  #inner(attempt: AttemptLog): Outcome | undefined {
    const { body, thrown } = attempt;
    const signal = (attempt.ctx ?? attempt.view)?.signal;
    if (signal?.aborted) return { failed: true, value: signal.reason };
    if (!body || !signal) return undefined;
    if (body.failed) return body;
    return thrown.length === 0 ? body : undefined;
  }

  /** What settles how an attempt ends, so that a cancel after it changes nothing. */
  #decided(attempt: AttemptLog): Fact | undefined {
    const { body, dependency, children, called, layers, inner } = attempt;
    const total = this.#layers(attempt);
    if (dependency?.opened?.failed) return dependency.opened;
    if (total > 0 && !inner) return layers[0]?.end;
    if (!body || !called || body.failed) return body;
    const ends = children.flatMap(({ ends, start }) => (start.seq < body.seq ? ends : []));
    return [body, ...ends].reduce((last, one) => (one.seq > last.seq ? one : last));
  }

  #layers({ run }: AttemptLog): number {
    return this.#world.scenario.layers.length + run.spec.layers.length;
  }

  /** When its timeout comes, if it has one. */
  #due(attempt: AttemptLog): number {
    const { timeout = Number.POSITIVE_INFINITY } = attempt.run.spec;
    const begun = this.#layers(attempt) === 0 ? attempt.start : attempt.inner;
    return begun ? begun.time + timeout : Number.POSITIVE_INFINITY;
  }

  #checkAttempt(attempt: AttemptLog, isLast: boolean): void {
    const { run, over, children, layers, dependency } = attempt;
    const must = (holds: boolean, what: string): void => this.#must(holds, what, run);
    if (!over) return must(false, 'an attempt is over as its run is');
    for (const { ends, refusal } of children) {
      must(!!refusal || (!!ends[0] && ends[0].seq < over.seq), 'a part of a run ends before it');
    }
    layers.forEach(({ next }, place) => {
      const inside = layers[place + 1]?.end;
      if (!next || !inside) return;
      must(next.failed === inside.failed && next.value === inside.value, 'layers hand on what is');
    });
    const inner = this.#inner(attempt);
    const next = layers.length === this.#layers(attempt) ? layers.at(-1)?.next : undefined;
    if (inner && next && attempt.inner && (attempt.called || attempt.dependency)) {
      must(next.failed === inner.failed && next.value === inner.value, 'next() tells how it was');
    }
    const { obeys, ends, shape } = run.spec;
    const isEnding = ends !== 'hangs' || (obeys && shape !== 'bare');
    must(!attempt.called || !!attempt.body || !isEnding, 'a handler that could end has ended');
    this.#checkAbort(attempt, must);
    if (dependency) this.#checkDependency(attempt, inner, must);
    if (isLast) return;
    const delivered = run.reader?.received.some(({ value }) => (value as Item).attempt === attempt);
    must(!delivered, 'nothing is delivered twice');
    must(
      run.cancels.every(({ seq }) => seq > over.seq),
      'what is cancelled is not retried',
    );
  }

  /** The signal aborts if there was a reason in time, and for no other one. */
  #checkAbort(attempt: AttemptLog, must: (holds: boolean, what: string) => void): void {
    const { run, start, dependency } = attempt;
    const signal = (attempt.ctx ?? attempt.view)?.signal;
    const decided = this.#decided(attempt);
    const due = this.#due(attempt);
    const cancel = run.cancels.find(({ seq }) => seq > start.seq);
    const isInTime = cancel && cancel.time < due && (!decided || cancel.seq < decided.seq);
    if (!signal) return;
    if (isInTime && (!attempt.over || cancel.seq < attempt.over.seq)) {
      must(signal.aborted, 'a cancel aborts the signal');
      const isFirst = cancel.isReason(signal.reason) || this.#isForeign(run, signal.reason);
      must(isFirst, 'the first reason counts');
    }
    const foreign = this.#foreignCancel(attempt);
    const isLongBeforeEnd = foreign && (!decided || isLongBefore(foreign, decided));
    if (isLongBeforeEnd && isBefore(start, foreign) && foreign.time < due)
      must(signal.aborted, 'what ends a run early ends its parts');
    if (decided && decided.time > due && !dependency?.opened?.failed)
      must(signal.aborted, 'a timeout aborts the signal');
    if (!signal.aborted || hasAnswered(attempt)) return;
    const { reason } = signal;
    if (dependency?.opened?.failed && dependency.opened.value === reason) return;
    if (isTimeout(reason) && (!decided || decided.time >= due)) return;
    const isLate = (one: Fact) => decided !== undefined && isLongBefore(decided, one);
    if (run.cancels.some((one) => one.isReason(reason) && !isLate(one))) return;
    must(this.#isForeign(run, reason), 'the signal aborts for a reason');
  }

  /** When a parent was cancelled, or failed by itself. */
  #foreignCancel({ run: { parent } }: AttemptLog): Fact | undefined {
    const signal = parent?.ctx?.signal;
    if (!parent || !signal) return undefined;
    if (!signal.aborted) return parent.body?.failed ? parent.body : undefined;
    return parent.run.cancels.find((one) => one.isReason(signal.reason));
  }

  #isCancelled({ run, ctx, view, dependency, inner, layers }: AttemptLog): boolean {
    const { aborted, reason } = (ctx ?? view)?.signal ?? { aborted: false, reason: undefined };
    const name = `"task${this.#world.scenario.tasks.indexOf(run.spec)}"`;
    // A parent may pass on what its own part has failed with.
    const isOwn = isTimeout(reason) && String(reason).includes(name);
    if (hasAnswered({ inner, layers }) || !aborted || isOwn || dependency?.opened?.value === reason)
      return false;
    return run.cancels.some((one) => one.isReason(reason)) || this.#isForeign(run, reason);
  }

  /** Whether it is a reason that came from a parent, or from who closed the app or the session. */
  #isForeign(run: RunLog, reason: unknown): boolean {
    // A session is closed again after it was closed: runs may have started meanwhile.
    const isClosing = this.#world.closings.some(
      ({ session, runs }) => session === run.session || runs.includes(rootOf(run)),
    );
    if (isClosed(reason) && isClosing) return true;
    const { parent } = run;
    if (!parent) return false;
    const signal = parent.ctx?.signal;
    return (signal?.aborted && signal.reason === reason) || parent.body?.value === reason;
  }

  #checkDependency(
    attempt: AttemptLog,
    inner: Outcome | undefined,
    must: (holds: boolean, what: string) => void,
  ): void {
    const { dependency, over, run, children } = attempt;
    if (!dependency?.opened || dependency.opened.failed || !over) return;
    const { opened, told, closed } = dependency;
    must(told !== undefined && closed !== undefined, 'what is open is closed');
    if (!told || !closed) return;
    const isLate = this.#mayBeLate(attempt);
    must(isLate || closed.seq < over.seq, 'what is open is closed before the run settles');
    must(!attempt.called || opened.seq < attempt.called.seq, 'the handler runs on what is open');
    if (inner)
      must(
        told.failed === inner.failed && (!inner.failed || told.value === inner.value),
        'teardown is told the truth',
      );
    const late = children.filter(
      ({ start, ends }) => start.seq < told.seq && !isBefore(ends[0], told),
    );
    must(
      isLate || late.length === 0,
      `the parts of a run end before its teardown (${run.spec.shape})`,
    );
  }

  /** Whether its dependency may have come when nobody waited for it any more. */
  #mayBeLate({ called, dependency, run }: AttemptLog): boolean {
    const { opened, spec } = dependency ?? {};
    return !called && !!spec && !spec.obeys && !!opened && spec.opening >= run.spec.grace;
  }

  #checkCleanup(
    attempts: readonly AttemptLog[],
    told: readonly unknown[],
    must: (holds: boolean, what: string) => void,
  ): void {
    const needed = attempts.flatMap((one) => (this.#mayBeLate(one) ? [] : one.thrown));
    const possible = attempts.flatMap(({ thrown }) => thrown);
    const isRight =
      needed.every((error) => told.includes(error)) &&
      told.every((error) => possible.includes(error)) &&
      new Set(told).size === told.length;
    must(isRight, 'what teardown throws is told, once');
  }

  #checkStream(log: RunLog): void {
    const { reader, attempts } = log;
    const must = (holds: boolean, what: string): void => this.#must(holds, what, log);
    for (const { yielded } of attempts.filter(() => true)) {
      yielded.forEach((value, place) => {
        must((value as Item).index === place, 'nothing that was yielded is missing');
      });
    }
    if (!reader) return;
    const last = attempts.at(-1);
    const from = reader.attempt === attempts.length ? reader.from : 0;
    // What an attempt that is retried has left is forgotten.
    const expected = last && !last.isRetried ? last.yielded.slice(from) : [];
    const got = reader.received.map(({ value }) => value);
    must(
      got.every((value, place) => value === expected[place]),
      'values come in order, and none is missing',
    );
    if (!reader.end) return must(reader.spec.kind !== 'reads', 'a stream ends');
    must(got.length === expected.length, 'every value comes');
    const [end] = log.ends;
    must(!!end && reader.end.failed === end.failed, 'a stream ends as its run does');
    if (reader.end.failed) must(reader.end.value === end?.value, 'a stream ends with the reason');
  }

  #checkCancel(log: RunLog, error: unknown): void {
    const must = (holds: boolean, what: string): void => this.#must(holds, what, log);
    const [first] = log.cancels;
    must(!!first?.isReason(error) || this.#isForeign(log, error), 'the first reason counts');
    const last = log.attempts.at(-1);
    if (!last?.over) return;
    // It waited for its next attempt.
    if (log.ends[0] && last.over.seq < log.ends[0].seq) return;
    const signal = (last.ctx ?? last.view)?.signal;
    if (!signal || (signal.aborted && signal.reason === error)) return;
    must(this.#isRetried(log, last), 'a cancel after the end changes nothing');
  }

  /** Whether an attempt that failed would be followed by another one. */
  #isRetried(log: RunLog, { number }: AttemptLog): boolean {
    const { reader, ends } = log;
    const isDelivered = reader?.received.some(({ at }) => isBefore(at, ends[0]));
    return number <= log.spec.retry && !isDelivered;
  }

  /** Whether a value may have been given to its reader before the end. */
  #mayBeDelivered({ reader, ends: [end] }: RunLog): boolean {
    return !!end && !!reader?.received.some(({ at }) => !isLongBefore(end, at));
  }

  #checkEnd(
    log: RunLog,
    { status, error, value, attempts }: Settled<unknown>,
    must: (holds: boolean, what: string) => void,
  ): void {
    const last = log.attempts.at(-1);
    const isNotGranted =
      isQTasksError(error, 'STORAGE_UNAVAILABLE') &&
      !!this.#world.locks?.failures.includes(error.cause as Error);
    if (status === 'error' && attempts > (last?.number ?? 0)) {
      return must(isNotGranted && attempts > log.spec.retry, 'a lock that fails is told of');
    }
    if (!last?.over) return must(status === 'cancel', 'it starts, or is cancelled first');
    if (status === 'cancel') return;
    const cancel = log.cancels.find(({ seq }) => seq > last.start.seq);
    if (cancel && !(last.ctx ?? last.view)) {
      const decided = this.#decided(last);
      const isInTime = cancel.time < this.#due(last) && (!decided || cancel.seq < decided.seq);
      must(!isInTime, 'a cancel counts');
    }
    must(!this.#isCancelled(last), 'once cancelled it ends so, whatever its handler does');
    const legal = this.#legal(last);
    const isLegal = legal.some((one) =>
      status === 'success' ? !one.failed && one.value === value : one.failed && one.isIt(error),
    );
    must(isLegal, 'it ends as its last attempt does');
    if (status !== 'error' || isTimeout(error)) return;
    const isGivenUp = attempts > log.spec.retry || this.#mayBeDelivered(log);
    must(isGivenUp, 'a failure is retried');
  }

  /** How an attempt that was not cancelled may have ended. */
  #legal(attempt: AttemptLog): Legal[] {
    const { layers, over, body, thrown } = attempt;
    const exactly = ({ failed, value }: Outcome) => ({
      failed,
      value,
      isIt: (error: unknown) => error === value,
    });
    const outer: Ended | undefined = layers[0]?.end;
    if (outer && over && outer.seq < over.seq) return [exactly(outer)];
    const inner = this.#inner(attempt);
    if (inner) return [exactly(inner)];
    const legal: Legal[] = [];
    if (body && thrown.length === 0) legal.push(exactly(body));
    if (body && !body.failed && thrown.length > 0) {
      const isIt = (error: unknown): boolean =>
        isQTasksError(error, 'CLEANUP_FAILED') &&
        error.cause === thrown[0] &&
        error.data.value === body.value &&
        String(error.data.errors) === String(thrown);
      legal.push({ failed: true, isIt });
    }
    const isDue = !body || body.time >= this.#due(attempt);
    if (isDue && Number.isFinite(this.#due(attempt))) legal.push({ failed: true, isIt: isTimeout });
    return legal;
  }

  /** When an attempt surely used its hold and its slot: these may be free a bit before it is over. */
  #spans(logs: readonly RunLog[]): { attempt: AttemptLog; from: number; to: number }[] {
    const attempts = logs.flatMap((log) => log.attempts.filter(() => true));
    return attempts.map((attempt) => {
      const { start, over, body, dependency, layers, run } = attempt;
      const last = over?.seq ?? start.seq;
      const closed = this.#mayBeLate(attempt) ? undefined : dependency?.closed;
      const ends = [this.#mayBeLeft(attempt) ? undefined : body, closed, layers[0]?.end];
      const before = ends.map((one) => one?.seq ?? 0).filter((seq) => seq < last);
      const to = takesHold(run) ? Math.max(start.seq, ...before) : last;
      return { attempt, from: start.seq, to };
    });
  }

  /** Whether its handler may have gone on when nobody waited for it any more. */
  #mayBeLeft({ ctx, view, run, isRetried }: AttemptLog): boolean {
    return (ctx ?? view)?.signal.aborted ?? (isRetried || run.ends[0]?.failed === true);
  }

  #checkHolds(): void {
    const spans = this.#spans(this.#world.runs.filter(takesHold));
    for (const one of spans) {
      const others = spans.filter(
        ({ attempt, from, to }) =>
          attempt !== one.attempt &&
          attempt.run.session === one.attempt.run.session &&
          from <= one.from &&
          to > one.from,
      );
      this.#must(others.length === 0, 'exclusive runs of a session do not overlap');
    }
  }

  #checkSlots(): void {
    // While its children wait for a hold, the slot of a run is lent.
    if (this.#world.runs.some((log) => log.parent && takesHold(log))) return;
    const spans = this.#spans(this.#world.runs.filter(({ parent }) => !parent));
    for (const { from } of spans) {
      const busy = spans.filter((one) => one.from <= from && one.to > from).length;
      this.#must(busy <= this.#world.scenario.concurrency, 'no more go on than there are slots');
    }
  }
}

const isBefore = (one: Fact | undefined, other: Fact | undefined): boolean =>
  !!one && !!other && one.seq < other.seq;

/** Whether its layers ended without it. Then its signal may abort as the hold is given back. */
const hasAnswered = ({ inner, layers }: Pick<AttemptLog, 'inner' | 'layers'>): boolean =>
  !inner && layers[0]?.end !== undefined;
