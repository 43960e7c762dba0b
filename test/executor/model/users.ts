/** The user's code in the model: handlers, a dependency, middleware and readers that note what they see. */
import {
  type BoundTask,
  Context,
  type Dependency,
  Depends,
  isQTasksError,
  type Middleware,
  type TaskOptions,
} from '../../../src/index.js';
import type { AttemptLog, DependencyLog, LayerLog, RunLog } from './history.js';
import { isOver } from './history.js';
import type { DependencySpec, LayerSpec, ReaderSpec, TaskSpec } from './scenario.js';
import type { World } from './world.js';

export type ModelTask = BoundTask<string, [RunLog], unknown, unknown>;

/** What a handler is given. */
interface Given {
  readonly ctx: Context;
}

/** One value of a stream. */
export interface Item {
  readonly attempt: AttemptLog;
  readonly index: number;
}

export class Users {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  define(spec: TaskSpec, number: number): ModelTask {
    const { app } = this.#world;
    const { retry, grace, priority, exclusive, timeout, layers } = spec;
    const options: TaskOptions = {
      retry: { limit: retry, delay: 5, jitter: false },
      ...{ grace, priority, exclusive },
      middleware: layers.map((layer) => this.layer(layer)),
      ...(timeout !== undefined && { timeout }),
    };
    const name = `task${number}`;
    if (spec.shape === 'bare') return app.task(name, this.#bare(spec), options as object);
    const bodies = {
      plain: (given: Given, log: RunLog): unknown => this.#plain(spec, given, log),
      stream: (given: Given, log: RunLog): unknown => this.#stream(spec, given, log),
      'sync stream': (given: Given, log: RunLog): unknown => this.#syncStream(spec, given, log),
    };
    const { dependency } = spec;
    const needs = { ctx: Context, ...(dependency && { dep: this.#depends(dependency) }) };
    return app.task(name, needs, bodies[spec.shape], options as object);
  }

  #call({ attempts }: RunLog, ctx?: Context): AttemptLog {
    const attempt = attempts.at(-1);
    if (!attempt) throw new Error('there is no attempt');
    this.#world.must(attempt.called === undefined, 'an attempt calls its handler once');
    attempt.called = this.#world.fact();
    attempt.ctx = ctx;
    return attempt;
  }

  #bare(spec: TaskSpec) {
    return (log: RunLog): unknown => {
      const attempt = this.#call(log);
      if (spec.time === 0 && spec.ends !== 'hangs') return this.#finish(attempt);
      const time = spec.ends === 'hangs' ? Number.POSITIVE_INFINITY : spec.time;
      return this.#world.pause(time).then(() => this.#finish(attempt));
    };
  }

  /** Ends as the task does. */
  #finish(attempt: AttemptLog): unknown {
    const { spec } = attempt.run;
    if (spec.ends === 'throws' || (spec.ends === 'throws at first' && attempt.number === 1)) {
      throw this.#failed(attempt, new Error('the handler fails'));
    }
    if (spec.ends === 'cancels') this.#world.cancel(attempt.run, attempt.ctx);
    const value = { attempt };
    attempt.body = this.#world.ended(false, value);
    return value;
  }

  /** The same error again, if that is what it ends with. */
  #failed(attempt: AttemptLog, error: unknown): unknown {
    attempt.body ??= this.#world.ended(true, error);
    return error;
  }

  /** What a handler does before it ends. */
  async #work(spec: TaskSpec, attempt: AttemptLog, signal: AbortSignal | undefined): Promise<void> {
    for (const { task, isAwaited } of spec.children) {
      const child = this.#world.child(attempt, task);
      if (!child?.run || !isAwaited) continue;
      this.#world.look(child);
      await child.run;
    }
    const hangs = spec.ends === 'hangs';
    await this.#world.pause(hangs ? Number.POSITIVE_INFINITY : spec.time, signal);
  }

  async #plain(spec: TaskSpec, { ctx }: Given, log: RunLog): Promise<unknown> {
    const attempt = this.#call(log, ctx);
    try {
      await this.#work(spec, attempt, spec.obeys ? ctx.signal : undefined);
      return this.#finish(attempt);
    } catch (error) {
      throw this.#failed(attempt, error);
    }
  }

  async *#stream(spec: TaskSpec, { ctx }: Given, log: RunLog): AsyncGenerator<Item, unknown> {
    const attempt = this.#call(log, ctx);
    const signal = spec.obeys ? ctx.signal : undefined;
    try {
      for (let index = 0; index < spec.yields; index++) {
        await this.#world.pause(spec.pause, signal);
        yield* this.#yield(spec, { attempt, index });
      }
      await this.#work(spec, attempt, signal);
      return this.#finish(attempt);
    } catch (error) {
      throw this.#failed(attempt, error);
    } finally {
      this.#failed(attempt, undefined);
    }
  }

  /** Where it does not obey it goes on after what is thrown at its `yield`. */
  *#yield<T>(spec: TaskSpec, item: T): Generator<T, void> {
    try {
      yield item;
    } catch (error) {
      if (spec.obeys) throw error;
    }
  }

  *#syncStream(spec: TaskSpec, { ctx }: Given, log: RunLog): Generator<unknown, unknown> {
    const attempt = this.#call(log, ctx);
    const signal = spec.obeys ? ctx.signal : undefined;
    try {
      for (const { task } of spec.children) this.#world.child(attempt, task);
      for (let index = 0; index < spec.yields; index++) {
        const item = { attempt, index };
        const later = spec.pause > 0 && this.#world.pause(spec.pause, signal).then(() => item);
        yield* this.#yield(spec, later || item);
      }
      if (spec.ends === 'hangs') yield this.#world.pause(Number.POSITIVE_INFINITY, signal);
      return this.#finish(attempt);
    } catch (error) {
      throw this.#failed(attempt, error);
    } finally {
      this.#failed(attempt, undefined);
    }
  }

  #depends(spec: DependencySpec): Dependency<unknown, 'task'> {
    return Depends({ ctx: Context }, ({ ctx }) => this.#dependency(spec, ctx));
  }

  async *#dependency(spec: DependencySpec, ctx: Context): AsyncGenerator<DependencyLog, void> {
    const world = this.#world;
    const attempt = world.attempt(ctx.session, ctx.runId, ctx.attempt);
    attempt.ctx = ctx;
    const log: DependencyLog = { spec, opened: undefined, told: undefined, closed: undefined };
    world.must(attempt.dependency === undefined, 'a dependency is opened once');
    attempt.dependency = log;
    try {
      await this.#open(spec, ctx);
    } catch (error) {
      log.opened = world.ended(true, error);
      throw error;
    }
    log.opened = world.ended(false, undefined);
    try {
      yield log;
      log.told = world.ended(false, undefined);
    } catch (error) {
      log.told = world.ended(true, error);
      if (!spec.swallows) throw error;
    } finally {
      await this.#close(attempt, log);
    }
  }

  async #open({ fails, opening, obeys }: DependencySpec, ctx: Context): Promise<void> {
    const hangs = fails === 'opening never ends';
    await this.#world.pause(
      hangs ? Number.POSITIVE_INFINITY : opening,
      obeys ? ctx.signal : undefined,
    );
    if (fails === 'opening' || (fails === 'opening at first' && ctx.attempt === 1)) {
      throw new Error('the dependency does not open');
    }
  }

  async #close(attempt: AttemptLog, log: DependencyLog): Promise<void> {
    const { spec } = log;
    if (spec.starts) this.#world.child(attempt, 0);
    await this.#world.pause(spec.closing);
    this.#world.must(log.closed === undefined, 'a dependency is closed once');
    log.closed = this.#world.fact();
    if (spec.fails !== 'closing') return;
    const error = new Error('the dependency does not close');
    attempt.thrown.push(error);
    throw error;
  }

  layer(spec: LayerSpec): Middleware {
    const world = this.#world;
    return async (view, next) => {
      // Not by the id: one that was given up may go on as the next run of its id does.
      const [run] = view.args as readonly (RunLog | undefined)[];
      const attempt = run?.attempts[view.attempt - 1];
      if (!attempt) throw new Error('it surrounds no attempt');
      const log: LayerLog = { spec, next: undefined, end: undefined };
      attempt.view = view;
      attempt.layers.push(log);
      const isInnermost = attempt.layers.length === this.#layersOf(attempt);
      const goOn = async (): Promise<unknown> => {
        if (isInnermost) attempt.inner ??= world.fact();
        try {
          const value = await next();
          log.next ??= world.ended(false, value);
          return value;
        } catch (error) {
          log.next ??= world.ended(true, error);
          throw error;
        }
      };
      try {
        const value = await this.#behave(spec, goOn);
        log.end = world.ended(false, value);
        return value;
      } catch (error) {
        log.end = world.ended(true, error);
        throw error;
      }
    };
  }

  #layersOf({ run }: AttemptLog): number {
    return this.#world.scenario.layers.length + run.spec.layers.length;
  }

  async #behave({ kind, time }: LayerSpec, next: () => Promise<unknown>): Promise<unknown> {
    const { pause } = { pause: (much: number) => this.#world.pause(much) };
    const forever = Number.POSITIVE_INFINITY;
    if (kind === 'comes late') await pause(time);
    if (kind === 'throws before') throw new Error('the layer fails first');
    if (kind === 'answers') return pause(time).then(() => 'an answer');
    if (kind === 'hangs before') await pause(forever);
    const inner = next();
    if (kind === 'does not wait') {
      inner.catch(() => {});
      return 'an early answer';
    }
    if (kind === 'swallows') return inner.catch(() => 'a swallowed failure');
    if (kind === 'hangs after') return inner.catch(() => {}).then(() => pause(forever));
    const value = await inner;
    if (kind === 'throws after') throw new Error('the layer fails last');
    if (kind === 'calls twice') await next();
    return value;
  }

  async read(log: RunLog, spec: ReaderSpec): Promise<void> {
    const world = this.#world;
    const { run, attempts } = log;
    if (!run) return;
    if (log.reader) return this.#readTwice(log);
    const iterator = run[Symbol.asyncIterator]();
    world.look(log);
    const from = Math.max(0, (attempts.at(-1)?.yielded.length ?? 0) - 16);
    const received: { value: unknown; at: ReturnType<World['fact']> }[] = [];
    const reader: NonNullable<RunLog['reader']> = {
      ...{ spec, attempt: attempts.length, from, received, end: undefined },
    };
    log.reader = reader;
    try {
      for (;;) {
        if (spec.kind !== 'reads' && received.length === spec.count) break;
        const { done, value } = await iterator.next();
        if (done) {
          reader.end = world.ended(false, undefined);
          return;
        }
        received.push({ value, at: world.fact() });
        await world.pause(spec.pause);
      }
    } catch (error) {
      reader.end = world.ended(true, error);
      const { done } = await iterator.next();
      return world.must(done === true, 'a stream tells of a failure once');
    }
    if (spec.kind === 'stalls') return;
    world.noteCancel(log, (error) => isQTasksError(error, 'TASK_CANCELLED'));
    try {
      await iterator.return?.();
      world.must(!log.ends.at(-1)?.type.endsWith('error'), 'who leaves is told of a failure');
    } catch (error) {
      world.must(
        log.ends[0]?.type === 'run:error' && error === log.ends[0].value,
        'who leaves is told of nothing but a failure',
      );
    }
    world.must(isOver(log), 'who leaves waits for the end');
  }

  #readTwice({ run }: RunLog): void {
    try {
      run?.[Symbol.asyncIterator]();
      this.#world.must(false, 'a run has one reader');
    } catch (error) {
      this.#world.must(isQTasksError(error, 'OPTION_INVALID'), 'a second reader is told of that');
    }
  }
}
