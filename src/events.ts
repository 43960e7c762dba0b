/** The app's events: one emitter whose listeners cannot disturb a run or each other. */
import { EventEmitter } from 'eventemitter3';
import { QTasksError } from './errors.js';
import { eventNames } from './event-names.js';
import { callGuarded } from './promises.js';
import type { EpochMs, Milliseconds } from './types.js';

/** What every event brings. */
export interface BaseEvent<Type extends string> {
  /** The event's name. */
  readonly type: Type;
  /** When it happened. */
  readonly at: EpochMs;
}

/** An event of one run. */
export interface RunEvent<Type extends string> extends BaseEvent<Type> {
  /** The run's id, the same for all its attempts. */
  readonly run: string;
  /** The task's name. */
  readonly task: string;
  /** `""` is the default session. */
  readonly session: string;
  /** 1 for the first attempt; 0 where none had started. */
  readonly attempt: number;
}

/** An attempt begins: nothing is open yet. */
export type RunStartEvent = RunEvent<'run:start'>;

/** The handler returned; its dependencies are still open and may still fail the run. */
export interface RunReturnEvent extends RunEvent<'run:return'> {
  /** What it returned; `output` has not looked at it yet. */
  readonly value: unknown;
}

/** An attempt failed, is torn down and will be followed by another one. */
export interface RunRetryEvent extends RunEvent<'run:retry'> {
  /** What the attempt failed with. */
  readonly error: unknown;
  /** How long it waits before the next attempt. */
  readonly delay: Milliseconds;
}

/** The handler yielded. */
export interface RunYieldEvent extends RunEvent<'run:yield'> {
  /** What it yielded. */
  readonly value: unknown;
}

/** The run ended well, after teardown. */
export interface RunSuccessEvent extends RunEvent<'run:success'> {
  /** What the run resolves to. */
  readonly value: unknown;
}

/** The run failed for good, after teardown. */
export interface RunErrorEvent extends RunEvent<'run:error'> {
  /** What the run rejects with. */
  readonly error: unknown;
}

/** The run was cancelled, after teardown. */
export interface RunCancelEvent extends RunEvent<'run:cancel'> {
  /** What the run rejects with. */
  readonly reason: unknown;
}

/** An event of one dependency; `run`, `task` and `attempt` only where it belongs to a run. */
export interface DependencyEvent<Type extends string> extends BaseEvent<Type> {
  /** Its keys in `needs`, from the task on: `"page > db"`. */
  readonly dependency: string;
  /** The run's id. */
  readonly run?: string;
  /** The task's name. */
  readonly task?: string;
  /** Where it belongs to a session; `""` is the default session. */
  readonly session?: string;
  /** 1 for the first attempt. */
  readonly attempt?: number;
}

/** A dependency is open. */
export type DependencyOpenEvent = DependencyEvent<'dependency:open'>;

/** A dependency was closed without trouble. */
export type DependencyCloseEvent = DependencyEvent<'dependency:close'>;

/**
 * A dependency failed to close, failed to open after another one had failed already, or opened only
 * after its run had settled without it.
 */
export interface DependencyErrorEvent extends DependencyEvent<'dependency:error'> {
  /** What it threw. */
  readonly error: unknown;
}

/** Fields of a state were written, by this app or, where somebody subscribed, by anybody. */
export interface StateChangeEvent extends BaseEvent<'state:change'> {
  /** The state's id. */
  readonly state: string;
  /** `""` is the default session. */
  readonly session: string;
  /** Fields that were set. */
  readonly changed: readonly string[];
  /** Fields that were deleted. */
  readonly deleted: readonly string[];
  /** Whether this app wrote it, or another tab, worker, process or device. */
  readonly origin: 'local' | 'remote';
}

/** Of a pool of workers: one of them can be called from now on. */
export interface WorkerStartEvent extends BaseEvent<'worker:start'> {
  /** Its place in the pool, from 0 on; whoever follows it there has the same. */
  readonly worker: number;
}

/** Of a pool of workers: one of them is gone, or did not start. */
export interface WorkerLostEvent extends BaseEvent<'worker:lost'> {
  /** Its place in the pool, from 0 on. */
  readonly worker: number;
  /** `WORKER_LOST` or `WORKER_LOAD_FAILED`. */
  readonly error: unknown;
}

/** A run failed and nobody awaited it, iterated it or asked for `settled`. */
export interface UnhandledErrorEvent extends RunEvent<'error'> {
  /** What the run rejects with. */
  readonly error: unknown;
}

/** Every event by its name. */
export interface EventMap {
  'run:start': RunStartEvent;
  'run:return': RunReturnEvent;
  'run:retry': RunRetryEvent;
  'run:yield': RunYieldEvent;
  'run:success': RunSuccessEvent;
  'run:error': RunErrorEvent;
  'run:cancel': RunCancelEvent;
  'dependency:open': DependencyOpenEvent;
  'dependency:close': DependencyCloseEvent;
  'dependency:error': DependencyErrorEvent;
  'state:change': StateChangeEvent;
  'worker:start': WorkerStartEvent;
  'worker:lost': WorkerLostEvent;
  error: UnhandledErrorEvent;
}

/** The name of an event. */
export type EventName = keyof EventMap;

/** None is missing, as the compiler sees to. */
const names: Readonly<Record<EventName, true>> = eventNames;

/** One app's emitter. */
export class Events {
  readonly #emitter = new EventEmitter();
  readonly #report: (error: unknown) => void;

  /** @param report told of what a listener throws or rejects with */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Whether anybody listens to anything. */
  any = false;

  /** Whether anybody listens, so that an event nobody wants is never built. */
  has(name: EventName): boolean {
    return this.any && this.#emitter.listenerCount(name) > 0;
  }

  emit(event: EventMap[EventName]): void {
    this.#emitter.emit(event.type, event);
  }

  /** Each listener is guarded by itself: eventemitter3 stops at the first one that throws. */
  on<Name extends EventName>(name: Name, listener: (event: EventMap[Name]) => unknown): () => void {
    if (typeof name !== 'string' || !Object.hasOwn(names, name)) {
      const known = Object.keys(names).join(', ');
      throw new QTasksError(
        'OPTION_INVALID',
        `on: there is no such event; expected one of ${known}`,
      );
    }
    if (typeof listener !== 'function') {
      throw new QTasksError('OPTION_INVALID', `on("${name}"): the listener must be a function`);
    }
    const guarded = (event: EventMap[Name]): void => callGuarded(listener, event, this.#report);
    this.#emitter.on(name, guarded);
    this.any = true;
    return () => {
      this.#emitter.off(name, guarded);
      this.any = this.#emitter.eventNames().length > 0;
    };
  }
}
