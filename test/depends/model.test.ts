/** Random graphs of dependencies under random cancels, timeouts, retries and shutdowns. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type BoundTask,
  Context,
  type Dependency,
  Depends,
  isQTasksError,
  QTasks,
  type Run,
  type Scope,
} from '../../src/index.js';
import { ManualClock, settle } from '../support/clock.js';

const scopes = ['task', 'session', 'worker', 'storage'] as const satisfies readonly Scope[];
const sessions = ['', 'ann', 'bob'];

/** One dependency of a random graph. */
interface Spec {
  readonly kind: 'plain' | 'promise' | 'sync' | 'async' | 'using';
  readonly scope: Scope;
  /** Numbers of dependencies before it. */
  readonly needs: readonly number[];
  readonly cache: boolean;
  readonly opening: number;
  readonly closing: number;
  /** Whether its opening ends early as the signal aborts. */
  readonly obeys: boolean;
  readonly fails: 'never' | 'opening' | 'opening once' | 'closing' | 'again' | 'swallows';
  readonly timeout: number | undefined;
  readonly closeTimeout: number | undefined;
}

interface TaskSpec {
  readonly needs: readonly number[];
  readonly body: number;
  readonly obeys: boolean;
  readonly fails: boolean;
  readonly retry: number;
  readonly timeout: number | undefined;
}

interface Action {
  readonly after: number;
  readonly what: 'run' | 'cancel' | 'abort' | 'close session';
  readonly which: number;
  readonly session: number;
}

interface Scenario {
  readonly specs: readonly Spec[];
  readonly tasks: readonly TaskSpec[];
  readonly actions: readonly Action[];
  readonly concurrency: number;
  readonly grace: number;
  readonly drain: number;
  readonly wait: number;
}

const duration = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(30));
const limit = fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined, freq: 3 });
const spec: fc.Arbitrary<Spec> = fc.record({
  kind: fc.constantFrom<Spec['kind'][]>('plain', 'promise', 'sync', 'async', 'async', 'using'),
  scope: fc.constantFrom<Scope[]>('task', 'task', 'task', ...scopes),
  needs: fc.array(fc.nat(9), { maxLength: 3 }),
  cache: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
  opening: duration,
  closing: duration,
  obeys: fc.boolean(),
  fails: fc.oneof(
    { weight: 3, arbitrary: fc.constant<'never'>('never') },
    fc.constantFrom<Spec['fails'][]>('opening', 'opening once', 'closing', 'again', 'swallows'),
  ),
  timeout: limit,
  closeTimeout: limit,
});
const scenario: fc.Arbitrary<Scenario> = fc.record({
  specs: fc.array(spec, { minLength: 1, maxLength: 7 }),
  tasks: fc.array(
    fc.record({
      needs: fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
      body: duration,
      obeys: fc.boolean(),
      fails: fc.boolean(),
      retry: fc.nat(2),
      timeout: limit,
    }),
    { minLength: 1, maxLength: 3 },
  ),
  actions: fc.array(
    fc.record({
      after: duration,
      what: fc.constantFrom<Action['what'][]>(
        'run',
        'run',
        'run',
        'cancel',
        'abort',
        'close session',
      ),
      which: fc.nat(9),
      session: fc.nat(2),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  concurrency: fc.constantFrom(1, 2, Number.POSITIVE_INFINITY),
  grace: duration,
  drain: duration,
  wait: duration,
});

/** What one `open` function has made. */
interface Instance {
  readonly spec: Spec;
  readonly needs: readonly Instance[];
  /** Whose it is: an attempt in task scope. */
  readonly attempt: Attempt | undefined;
  state: 'opening' | 'open' | 'closing' | 'closed' | 'failed';
  /** Whether it came to be open only when nobody waited for it any more. */
  late: boolean;
}

interface Attempt {
  readonly run: string;
  readonly opened: Instance[];
  readonly closed: Instance[];
  /** What the teardown was told, and what it threw. */
  readonly told: unknown[];
  readonly thrown: unknown[];
  isOver: boolean;
}

const areOpen = (needs: readonly Instance[]): boolean =>
  needs.every(({ state }) => state === 'open');

function checkCleanup(error: unknown): void {
  expect(isQTasksError(error, 'CLEANUP_FAILED')).toBe(true);
}

const again = Symbol('yielded again');
const success = Symbol('success');

/** An app on a random graph, with everything that happens to it. */
class World {
  readonly clock = new ManualClock();
  readonly instances: Instance[] = [];
  readonly attempts = new Map<string, Attempt>();
  readonly runs: { run: Run<string>; reasons: unknown[]; outcomes: unknown[] }[] = [];
  readonly ends = new Map<string, string[]>();
  readonly violations: string[] = [];
  readonly app: QTasks;
  readonly #scenario: Scenario;
  readonly #dependencies: Dependency<Instance>[] = [];
  readonly #tasks: BoundTask<string, [], string>[];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const { concurrency, grace } = scenario;
    this.app = new QTasks({ clock: this.clock, concurrency, grace });
    scenario.specs.forEach((one, number) => {
      this.#dependencies.push(this.#depends(one, number));
    });
    this.#tasks = scenario.tasks.map((one, number) => this.#task(one, number));
    this.app.on('run:retry', ({ run, attempt }) => (this.#attempt(run, attempt).isOver = true));
    for (const type of ['run:success', 'run:error', 'run:cancel'] as const) {
      this.app.on(type, ({ run, attempt }) => {
        this.#attempt(run, attempt).isOver = true;
        this.ends.set(run, [...(this.ends.get(run) ?? []), type]);
      });
    }
  }

  /** What is thrown where users' code runs would be theirs. */
  #must(holds: boolean, what: string): void {
    if (!holds) this.violations.push(what);
  }

  #attempt(run: string, number: number): Attempt {
    const key = `${run} ${number}`;
    const known = this.attempts.get(key);
    if (known) return known;
    const attempt = { run, opened: [], closed: [], told: [], thrown: [], isOver: false };
    this.attempts.set(key, attempt);
    return attempt;
  }

  /** The dependencies before a number that live long enough. */
  #needs(
    numbers: readonly number[],
    below: number,
    scope: Scope,
  ): Record<string, Dependency<Instance>> {
    const needs: Record<string, Dependency<Instance>> = {};
    for (const number of below === 0 ? [] : numbers.map((one) => one % below)) {
      const dependency = this.#dependencies[number];
      if (dependency && scopes.indexOf(dependency.scope) >= scopes.indexOf(scope)) {
        needs[`d${number}`] = dependency;
      }
    }
    return needs;
  }

  #depends(one: Spec, number: number): Dependency<Instance> {
    const { kind, scope, cache, timeout, closeTimeout } = one;
    const needs = {
      ...this.#needs(one.needs, number, scope),
      ...(scope === 'task' && { ctx: Context }),
    };
    const options = {
      scope,
      cache,
      ...(timeout !== undefined && { timeout }),
      ...(closeTimeout !== undefined && { closeTimeout }),
    };
    const opens = {
      plain: (given: object) => this.#begin(one, given),
      promise: async (given: object) => {
        const instance = this.#begin(one, given);
        await this.#open(instance, given);
        return instance;
      },
      sync: (given: object) => this.#sync(one, given),
      async: (given: object) => this.#async(one, given),
      using: async (given: object) => {
        const instance = this.#begin(one, given);
        await this.#open(instance, given);
        const dispose = (): Promise<void> => this.#dispose(instance);
        return Object.assign(instance, { [Symbol.asyncDispose]: dispose });
      },
    };
    const define = (kind === 'using' ? Depends.using : Depends) as (
      ...args: unknown[]
    ) => Dependency<Instance>;
    return define(needs, opens[kind], options);
  }

  *#sync(one: Spec, given: object): Generator<unknown, void, undefined> {
    const instance = this.#begin(one, given);
    try {
      yield one.opening > 0
        ? this.#open(instance, given).then(() => instance)
        : this.#ready(instance);
      this.#startToClose(instance, success);
    } catch (error) {
      if (instance.state !== 'open') throw error;
      this.#startToClose(instance, error);
      if (one.fails !== 'swallows') throw error;
    } finally {
      this.#closed(instance);
    }
    yield* this.#breakDown(instance);
  }

  async *#async(one: Spec, given: object): AsyncGenerator<Instance, void, undefined> {
    const instance = this.#begin(one, given);
    await this.#open(instance, given);
    try {
      yield instance;
      this.#startToClose(instance, success);
      await this.#pause(one.closing);
    } catch (error) {
      this.#startToClose(instance, error);
      await this.#pause(one.closing);
      if (one.fails !== 'swallows') throw error;
    } finally {
      this.#closed(instance);
    }
    yield* this.#breakDown(instance);
  }

  /** Where a success is to be torn down wrongly. */
  *#breakDown(instance: Instance): Generator<Instance, void, undefined> {
    const { fails } = instance.spec;
    if (fails === 'again') {
      instance.attempt?.thrown.push(again);
      yield instance;
    }
    if (fails === 'closing') throw this.#broke(instance);
  }

  #broke(instance: Instance): Error {
    const error = new Error('broke');
    instance.attempt?.thrown.push(error);
    return error;
  }

  async #dispose(instance: Instance): Promise<void> {
    this.#startToClose(instance, undefined);
    await this.#pause(instance.spec.closing);
    this.#closed(instance);
    if (instance.spec.fails === 'closing') throw this.#broke(instance);
  }

  #begin(one: Spec, given: object): Instance {
    const { ctx, ...needs } = given as Record<string, Instance> & { ctx?: Context };
    const attempt = ctx && this.#attempt(ctx.runId, ctx.attempt);
    const instance = {
      spec: one,
      needs: Object.values(needs),
      attempt,
      state: 'opening',
      late: false,
    };
    this.#must(areOpen(instance.needs), 'it opens on what is open');
    if (attempt && one.cache) {
      const twins = this.instances.filter(
        (other) => other.spec === one && other.attempt === attempt,
      );
      this.#must(twins.length === 0, 'there is one for each attempt');
    }
    this.instances.push(instance as Instance);
    if (one.fails === 'opening' || (one.fails === 'opening once' && this.#isFirst(one))) {
      instance.state = 'failed';
      if (one.kind === 'plain' || one.opening === 0) throw new Error('does not open');
    }
    if (one.kind === 'plain') this.#ready(instance as Instance);
    return instance as Instance;
  }

  #isFirst(one: Spec): boolean {
    return this.instances.filter(({ spec }) => spec === one).length === 1;
  }

  async #open(instance: Instance, given: object): Promise<void> {
    const { ctx } = given as { ctx?: Context };
    const { opening, obeys } = instance.spec;
    // By a timer in any case: what opens in the same turn has no order that could be seen from here.
    await (ctx && obeys ? ctx.sleep(opening) : this.#pause(opening));
    if (instance.state === 'failed') throw new Error('does not open');
    this.#ready(instance);
  }

  #ready(instance: Instance): Instance {
    instance.state = 'open';
    const { attempt } = instance;
    instance.late = attempt !== undefined && (attempt.isOver || attempt.closed.length > 0);
    const { kind } = instance.spec;
    if (attempt && !instance.late && kind !== 'plain' && kind !== 'promise')
      attempt.opened.push(instance);
    return instance;
  }

  #startToClose(instance: Instance, told: unknown): void {
    this.#must(instance.state === 'open', 'it closes once');
    instance.state = 'closing';
    const { attempt } = instance;
    // Who was given up, or came too late, may still use it.
    const users = this.instances.filter(({ needs, late, spec, state }) => {
      return (
        needs.includes(instance) &&
        !late &&
        state !== 'opening' &&
        !spec.timeout &&
        !spec.closeTimeout
      );
    });
    for (const { state, spec } of users) {
      if (spec.kind === 'plain' || spec.kind === 'promise') continue;
      this.#must(state === 'closed' || state === 'failed', 'it outlives those who need it');
    }
    // In the longer scopes only what comes too late is told of an error; a disposer is told nothing.
    if (!attempt) instance.late = told !== success;
    if (!attempt || instance.late) return;
    // Who has a timeout of its own may be told of that.
    if (told !== undefined && !instance.spec.timeout) attempt.told.push(told);
    attempt.closed.push(instance);
    const busy = attempt.opened.filter(
      ({ state, spec }) => state === 'closing' && !spec.closeTimeout,
    );
    this.#must(
      busy.every((other) => other === instance),
      'one closes at a time',
    );
  }

  #closed(instance: Instance): void {
    if (instance.state === 'closing') instance.state = 'closed';
  }

  #pause(time: number): Promise<void> {
    return new Promise((done) => this.clock.setTimeout(done, time));
  }

  #task({ needs, body, obeys, fails, retry, timeout }: TaskSpec, number: number) {
    const options = {
      retry: { limit: retry, delay: 5, jitter: false },
      ...(timeout !== undefined && { timeout }),
    };
    const all = { ...this.#needs(needs, this.#dependencies.length, 'task'), ctx: Context };
    return this.app.task(
      `task${number}`,
      all,
      async (given) => {
        const { ctx, ...values } = given as Record<string, Instance> & { ctx: Context };
        this.#must(areOpen(Object.values(values)), 'the body runs on what is open');
        await (obeys ? ctx.sleep(body) : this.#pause(body));
        if (fails) throw new Error('the body fails');
        return `value${number}`;
      },
      options,
    );
  }

  #act({ what, which, session }: Action): void {
    const one = this.runs[which % Math.max(1, this.runs.length)];
    const client = session === 0 ? this.app : this.app.session(sessions[session] ?? '');
    if (what === 'run') this.#start(client, which);
    if (what === 'cancel' && one) {
      const reason = new Error('cancelled');
      one.reasons.push(reason);
      one.run.cancel(reason);
    }
    if (what === 'abort') {
      const controller = new AbortController();
      const started = this.#start(client.with({ signal: controller.signal }), which);
      const reason = new Error('aborted');
      started.reasons.push(reason);
      this.clock.setTimeout(() => controller.abort(reason), this.#scenario.wait);
    }
    if (what === 'close session' && session > 0) {
      client.close({ drain: this.#scenario.drain }).catch(checkCleanup);
    }
  }

  #start(client: Pick<QTasks, 'run'>, which: number) {
    const task = this.#tasks[which % this.#tasks.length];
    if (!task) throw new Error('there is no task');
    const run = client.run(task);
    const outcomes: unknown[] = [];
    run.then(
      (value) => outcomes.push(value),
      (error) => outcomes.push(error),
    );
    const started = { run, reasons: [] as unknown[], outcomes };
    this.runs.push(started);
    return started;
  }

  /** Plays the scenario to its end: the app is closed and nothing has a timer any more. */
  async play(): Promise<void> {
    for (const action of this.#scenario.actions) {
      this.#act(action);
      await this.clock.advance(action.after);
    }
    const closing = this.app.close({ drain: this.#scenario.drain }).catch(checkCleanup);
    await Promise.all([closing, this.clock.advance(100_000)]);
    await settle();
  }

  check(): void {
    expect(this.violations).toEqual([]);
    expect(this.clock.pending, 'no timer is left').toBe(0);
    for (const {
      spec: { kind },
      state,
    } of this.instances) {
      const ends =
        kind === 'plain' || kind === 'promise' ? ['open', 'opening'] : ['closed', 'opening'];
      expect([...ends, 'failed'], 'nothing is left open').toContain(state);
    }
    for (const { opened, closed } of this.attempts.values()) {
      expect(closed, 'the reverse of opening').toEqual([...opened].reverse());
    }
  }

  async checkRuns(): Promise<void> {
    for (const { run, reasons, outcomes } of this.runs) {
      const { status, value, error, attempts, cleanupErrors } = await run.settled;
      expect(run.status).toBe(status);
      expect(this.ends.get(run.id), 'it settles once').toEqual([`run:${status}`]);
      expect(outcomes).toHaveLength(1);
      expect(outcomes[0]).toBe(status === 'success' ? value : error);
      const own = [...this.attempts.values()].filter((attempt) => attempt.run === run.id);
      const last = this.#attempt(run.id, attempts);
      if (status === 'success') expect(value).toMatch(/^value/);
      if (status === 'success') expect(last.told.every((told) => told === success)).toBe(true);
      if (status === 'cancel' && !isQTasksError(error, 'APP_CLOSED'))
        expect(reasons).toContain(error);
      if (status === 'error') this.#checkFailure(error, last);
      const thrown = own.flatMap((attempt) => attempt.thrown);
      if (this.#scenario.specs.some(({ closeTimeout }) => closeTimeout !== undefined)) continue;
      const late = this.instances.some((one) => one.late && one.attempt?.run === run.id);
      if (late) continue;
      expect(cleanupErrors).toHaveLength(thrown.length);
      thrown.forEach((one, place) => {
        const told = cleanupErrors[place];
        if (one === again) expect(isQTasksError(told, 'DEPENDENCY_INVALID')).toBe(true);
        else expect(told).toBe(one);
      });
    }
  }

  #checkFailure(error: unknown, last: Attempt): void {
    if (isQTasksError(error, 'CLEANUP_FAILED')) expect(error.data.errors.length).toBeGreaterThan(0);
    else {
      const failing = last.told.filter((told) => told !== success);
      for (const told of failing) expect(told, 'all are told of the error').toBe(error);
      expect(last.told.length, 'no success is told of').toBe(failing.length);
      const texts = ['does not open', 'the body fails'];
      if (!isQTasksError(error, 'TASK_TIMEOUT')) expect(texts).toContain((error as Error).message);
    }
  }
}

it('opens and closes everything once, in order, and settles every run once, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const world = new World(given);
      await world.play();
      world.check();
      await world.checkRuns();
    }),
    { numRuns: 300 },
  );
}, 60_000);
