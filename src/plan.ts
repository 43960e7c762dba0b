/** The compiled graph of a task's needs: made once, checked, walked by every run. */
import { type DependencyDefinition, isDependency } from './depends.js';
import { type ErrorCode, QTasksError } from './errors.js';
import { type InstantNeed, type InstantNeedSource, NEED, type Runtime } from './need.js';
import { describe } from './options.js';
import { put } from './records.js';
import { rankOf, type Scope } from './scopes.js';

/** One entry of a record of needs. */
export interface Wire {
  /** The name under which it is injected. */
  readonly key: string;
  /** Set where it opens in an instant; then there is no child. */
  readonly instant: InstantNeed | undefined;
  /** Where its value is: the position among a node's children, or in the plan. */
  readonly index: number;
}

/** A record of needs. */
export interface Wiring {
  readonly wires: readonly Wire[];
  /** The record with its names but no values: cloning it is faster than naming them each time. */
  readonly blank: Readonly<Record<string, unknown>>;
}

/** One dependency at its place in the graph. */
export interface Node {
  readonly dependency: DependencyDefinition;
  /** Its keys from the task on: `"page > db"`. */
  readonly path: string;
  readonly needs: Wiring;
  /** What it needs, in the order of the wires that are no instants. */
  readonly children: readonly Node[];
  /** Whether it lives longer than an attempt. */
  readonly isShared: boolean;
  /** Tells instances apart in the longer scopes. */
  readonly sharedKey: string;
}

/** One node to open for a run, at its position in the plan. */
export interface Step {
  readonly node: Node;
  readonly index: number;
  /** What it is opened with, by position in the plan. */
  readonly needs: Wiring;
  /** How many other steps it waits for. */
  readonly waits: number;
  /** The steps that wait for it. */
  readonly dependents: readonly Step[];
}

/** What a run of a task opens. */
export interface Plan {
  /** Dependencies first, those who need them after. What lives longer brings its own needs. */
  readonly steps: readonly Step[];
  /** The handler's own record, by position in the plan; `undefined` where the task has no needs. */
  readonly needs: Wiring | undefined;
  /** Whether it opens something of the session's. */
  readonly usesSession: boolean;
}

/** Gives what stands in for a dependency in this app: itself, or its override. */
export type Replace = (dependency: DependencyDefinition) => DependencyDefinition;

/** A dependency whose needs are being read. */
interface Visit {
  readonly key: string;
  readonly named: DependencyDefinition;
  readonly actual: DependencyDefinition;
}

/** The tasks without needs share one. */
const empty: Plan = { steps: [], needs: undefined, usesSession: false };

/**
 * Compiles the needs of a task and checks them.
 * @throws DEPENDENCY_INVALID, DEPENDENCY_CYCLE, DEPENDENCY_SCOPE; what a state class finds wrong with itself
 */
export function compile(
  task: string,
  needs: object | undefined,
  runtime: Runtime,
  replace: Replace,
): Plan {
  return needs ? new Compiler(task, runtime, replace).compile(needs) : empty;
}

class Compiler {
  readonly #task: string;
  readonly #runtime: Runtime;
  readonly #replace: Replace;
  readonly #steps = new Map<Node, Step & { readonly dependents: Step[] }>();
  readonly #cached = new Map<DependencyDefinition, Node>();
  readonly #overridden = new Map<Node, ReadonlySet<string>>();
  readonly #trail: Visit[] = [];

  constructor(task: string, runtime: Runtime, replace: Replace) {
    this.#task = task;
    this.#runtime = runtime;
    this.#replace = replace;
  }

  compile(needs: object): Plan {
    const { wiring, children } = this.#read(needs, 'task');
    const placed = this.#place(wiring, children);
    const steps = [...this.#steps.values()];
    const usesSession = steps.some(({ node }) => node.dependency.scope === 'session');
    return { steps, needs: placed, usesSession };
  }

  /** Gives the children their steps; returns the wires by position in the plan. */
  #place({ wires, blank }: Wiring, children: readonly Node[]): Wiring {
    const steps = children.map((child) => this.#step(child));
    const placed = wires.map((wire) => ({ ...wire, index: steps[wire.index]?.index ?? -1 }));
    return { wires: placed, blank };
  }

  #step(node: Node): Step {
    const known = this.#steps.get(node);
    if (known) return known;
    const children = node.isShared ? [] : node.children;
    const needs = this.#place(node.needs, children);
    const before = new Set(children);
    const step = { node, index: this.#steps.size, needs, waits: before.size, dependents: [] };
    this.#steps.set(node, step);
    for (const child of before) this.#steps.get(child)?.dependents.push(step);
    return step;
  }

  #read(needs: object, scope: Scope): { wiring: Wiring; children: Node[] } {
    const wires: Wire[] = [];
    const blank: Record<string, unknown> = {};
    const children: Node[] = [];
    for (const [key, value] of Object.entries(needs)) {
      put(blank, key, undefined);
      if (isDependency(value)) {
        wires.push({ key, instant: undefined, index: children.length });
        children.push(this.#visit(key, value, scope));
      } else {
        wires.push({ key, instant: this.#instant(key, value, scope), index: -1 });
      }
    }
    return { wiring: { wires, blank }, children };
  }

  #instant(key: string, value: unknown, scope: Scope): InstantNeed {
    if ((typeof value !== 'object' && typeof value !== 'function') || !value || !(NEED in value)) {
      const found = describe(value);
      const problem = `must be a Depends(…), an AsyncState class or Context; received ${found}`;
      throw this.#error('DEPENDENCY_INVALID', key, problem);
    }
    const need = (value as InstantNeedSource)[NEED]();
    this.#checkScope(key, need.scope, scope);
    need.register(this.#runtime);
    return need;
  }

  #visit(key: string, named: DependencyDefinition, scope: Scope): Node {
    // What stands in for a dependency may itself need the real one.
    const wraps = this.#trail.some((visit) => visit.named === named && visit.actual !== named);
    const actual = wraps ? named : this.#replace(named);
    this.#checkCycle(key, actual);
    this.#checkScope(key, actual.scope, scope);
    const known = this.#cached.get(actual);
    if (known && actual.cache) return known;
    this.#trail.push({ key, named, actual });
    const { wiring, children } = this.#read(actual.needs ?? {}, actual.scope);
    this.#trail.pop();
    const path = this.#path(key);
    const { sharedKey, overrides } = this.#identify(path, named, actual, children);
    const isShared = actual.scope !== 'task';
    const node: Node = { dependency: actual, path, needs: wiring, children, isShared, sharedKey };
    this.#overridden.set(node, overrides);
    if (actual.cache) this.#cached.set(actual, node);
    return node;
  }

  /** The same dependency is the same instance, unless overrides below it differ. */
  #identify(
    path: string,
    named: DependencyDefinition,
    actual: DependencyDefinition,
    children: readonly Node[],
  ): { sharedKey: string; overrides: ReadonlySet<string> } {
    const below = new Set(children.flatMap((child) => [...(this.#overridden.get(child) ?? [])]));
    const place = actual.cache ? '' : `@${this.#task} > ${path}`;
    const sharedKey = `${actual.uid}:${[...below].sort().join()}${place}`;
    if (named !== actual) below.add(`${named.uid}=${actual.uid}`);
    return { sharedKey, overrides: below };
  }

  #checkCycle(key: string, actual: DependencyDefinition): void {
    const start = this.#trail.findIndex((visit) => visit.actual === actual);
    if (start < 0) return;
    const cycle = this.#path(key, start);
    throw this.#error('DEPENDENCY_CYCLE', key, `needs itself: ${cycle}; take one of these out`);
  }

  #checkScope(key: string, inner: Scope, outer: Scope): void {
    if (rankOf[inner] >= rankOf[outer]) return;
    const owner = this.#trail.at(-1)?.key;
    const problem = `lives in ${inner} scope, shorter than the ${outer} scope of "${owner}" that needs it; change one of the two`;
    throw this.#error('DEPENDENCY_SCOPE', key, problem);
  }

  #path(key: string, start = 0): string {
    return [...this.#trail.slice(start).map((visit) => visit.key), key].join(' > ');
  }

  #error(code: ErrorCode, key: string, problem: string): QTasksError {
    const dependency = this.#path(key);
    const message = `task "${this.#task}": the need "${dependency}" ${problem}`;
    return new QTasksError(code, message, { data: { dependency } });
  }
}
