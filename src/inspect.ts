/** `app.inspect()`: what an app has and does right now, as plain data for a page that shows it. */
import type { ActiveRun } from './active-run.js';
import type { Executor, RunCounts } from './executor.js';
import type { InstantNeed } from './need.js';
import type { Node, Plan, Wiring } from './plan.js';
import type { RetryPolicy } from './policy.js';
import { put } from './records.js';
import type { Found, Registry } from './registry.js';
import type { RunStatus } from './run.js';
import type { Scope } from './scopes.js';
import type { Milliseconds } from './types.js';

/** What {@link QTasks.inspect} gives; a copy. */
export interface Inspection {
  /** The app's name. */
  readonly name: string;
  /** `null`: no limit. */
  readonly concurrency: number | null;
  /** Whether `close` was called: new runs are refused. */
  readonly isClosing: boolean;
  /** In the order in which they were registered. */
  readonly tasks: readonly TaskInspection[];
  /** Those that have not settled, in no order. */
  readonly runs: readonly RunInspection[];
  /** Since the app was made. */
  readonly counts: Readonly<RunCounts>;
}

/** One task. */
export interface TaskInspection {
  readonly name: string;
  /** `null`: none. */
  readonly timeout: Milliseconds | null;
  /** The options, with all defaults filled in; `null`: it is not retried. */
  readonly retry: Omit<RetryPolicy, 'when'> | null;
  /** Smaller runs first. */
  readonly priority: number;
  /** Whether runs of a session never overlap with its other exclusive ones. */
  readonly exclusive: boolean;
  /** `[]` where it has none. */
  readonly tags: readonly string[];
  /** `""` where it has none. */
  readonly description: string;
  /** A copy, but what it holds is what the task was given. */
  readonly meta: Readonly<Record<string, unknown>>;
  /** The keys of its needs, and for each what it is: an index into `dependencies`. */
  readonly needs: Readonly<Record<string, number>>;
  /** All that it needs, also through others, each once: a graph without cycles. */
  readonly dependencies: readonly DependencyInspection[];
}

/** One thing that a task needs. */
export interface DependencyInspection {
  /** A `Depends(…)`, a state or `Context`. */
  readonly kind: 'dependency' | 'state' | 'context';
  /** Its keys in `needs`, from the task on, like `"page > db"`; of a state its id. */
  readonly name: string;
  /** How long it lives. */
  readonly scope: Scope;
  /** As those of the task. */
  readonly needs: Readonly<Record<string, number>>;
}

/** One run that has not settled. */
export interface RunInspection {
  /** The same for all its attempts. */
  readonly id: string;
  /** The task's name. */
  readonly task: string;
  /** `""` is the default session. */
  readonly session: string;
  /** Where it stands. */
  readonly status: RunStatus;
  /** How many attempts were started. */
  readonly attempt: number;
  /** What it waits for; `null` while an attempt goes on, or its arguments are being checked. */
  readonly waitsFor: 'slot' | 'hold' | 'backoff' | null;
}

/** What of an app is looked at. */
export interface Inspected {
  readonly name: string;
  readonly concurrency: number;
  readonly isClosing: boolean;
  readonly registry: Registry;
  readonly executor: Executor;
}

export function inspect(app: Inspected): Inspection {
  const { name, concurrency, isClosing, registry, executor } = app;
  return {
    name,
    concurrency: Number.isFinite(concurrency) ? concurrency : null,
    isClosing,
    tasks: registry.all.map(inspectTask),
    runs: executor.runs.map(inspectRun),
    counts: { ...executor.counts },
  };
}

function inspectTask({ task, plan }: Found): TaskInspection {
  const { timeout = null, priority = 0, exclusive = false } = task.options;
  const { tags = [], description = '', meta = {} } = task.options;
  const { when: _when, ...retry } = task.retry ?? {};
  return {
    name: task.name,
    timeout,
    retry: task.retry ? (retry as Omit<RetryPolicy, 'when'>) : null,
    priority,
    exclusive,
    tags: [...tags],
    description,
    meta: { ...meta },
    ...inspectPlan(plan),
  };
}

function inspectRun(run: ActiveRun): RunInspection {
  const { id, taskName: task, session, status, attempts: attempt } = run;
  const backoff = run.backoff === undefined ? null : 'backoff';
  const waitsFor = run.waiting ? 'slot' : run.acquiring ? 'hold' : backoff;
  return { id, task, session, status, attempt, waitsFor };
}

function inspectPlan({ wiring }: Plan): Pick<TaskInspection, 'needs' | 'dependencies'> {
  const dependencies: DependencyInspection[] = [];
  const places = new Map<Node | string, number>();
  const add = (what: Node | string, inspected: DependencyInspection): number => {
    const place = places.get(what) ?? dependencies.push(inspected) - 1;
    places.set(what, place);
    return place;
  };
  const needsOf = ({ wires, children }: Wiring): Record<string, number> => {
    const nodes = new Map([...children].map((node) => [node.index, node]));
    const needs = {};
    for (const { key, instant, index } of wires) {
      const node = nodes.get(index);
      if (instant)
        put(needs, key, add(`${instant.scope} ${instant.name}`, inspectInstant(instant)));
      else if (node) put(needs, key, places.get(node) ?? add(node, inspectNode(node)));
    }
    return needs;
  };
  const inspectNode = ({ path, dependency: { scope }, wiring }: Node): DependencyInspection => ({
    kind: 'dependency',
    name: path,
    scope,
    needs: needsOf(wiring),
  });
  return { needs: wiring ? needsOf(wiring) : {}, dependencies };
}

const inspectInstant = ({ scope, name }: InstantNeed): DependencyInspection => ({
  kind: scope === 'task' ? 'context' : 'state',
  name,
  scope,
  needs: {},
});
