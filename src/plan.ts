/** The compiled graph of a task's needs: made once, checked, walked by every run. */
import { type DependencyDefinition, isDependency } from './depends.js';
import { type ErrorCode, QTasksError } from './errors.js';
import { type InstantNeed, type InstantNeedSource, NEED, type Runtime } from './need.js';
import { describe } from './options.js';
import { rankOf, type Scope } from './scopes.js';

/** A record of needs. */
export interface Wiring {
  readonly wires: readonly Wire[];
  /** The dependencies among the needs, each once. */
  readonly children: ReadonlySet<Node>;
  /** The overrides among them and below them. */
  readonly overrides: ReadonlySet<string>;
}

/** One entry of a record of needs. */
export interface Wire {
  /** The name under which it is injected. */
  readonly key: string;
  /** Set where it opens in an instant; else its value is at the node's index. */
  readonly instant: InstantNeed | undefined;
  readonly index: number;
}

/** One dependency at its place in the graph. */
export interface Node {
  readonly dependency: DependencyDefinition;
  /** Its keys from the task on: `"page > db"`. */
  readonly path: string;
  /** Where its value is kept; greater than those of what it needs. */
  readonly index: number;
  readonly wiring: Wiring;
  /** Whether it lives longer than an attempt. */
  readonly isShared: boolean;
  /** Tells instances apart in the longer scopes. */
  readonly sharedKey: string;
  /** Who waits for it in an attempt. */
  readonly dependents: Node[];
}

/** What a run of a task opens. */
export interface Plan {
  /** What an attempt opens or takes from a longer scope; what lives longer opens its own needs. */
  readonly nodes: readonly Node[];
  /** The handler's own record; `undefined` where the task has no needs. */
  readonly wiring: Wiring | undefined;
  /** Whether it takes something from the session's scope. */
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
const empty: Plan = { nodes: [], wiring: undefined, usesSession: false };

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
  readonly #cached = new Map<DependencyDefinition, Node>();
  readonly #trail: Visit[] = [];
  #count = 0;
  readonly #undo: (() => void)[] = [];

  constructor(task: string, runtime: Runtime, replace: Replace) {
    this.#task = task;
    this.#runtime = runtime;
    this.#replace = replace;
  }

  compile(needs: object): Plan {
    const wiring = this.#readAll(needs);
    const nodes = new Set<Node>();
    for (const child of wiring.children) collect(child, nodes);
    const usesSession = [...nodes].some(({ dependency }) => dependency.scope === 'session');
    return { nodes: [...nodes], wiring, usesSession };
  }

  /** A registration that fails leaves nothing behind. */
  #readAll(needs: object): Wiring {
    try {
      return this.#read(needs, 'task');
    } catch (error) {
      for (const undo of this.#undo) undo();
      throw error;
    }
  }

  #read(needs: object, scope: Scope): Wiring {
    const children = new Set<Node>();
    const overrides = new Set<string>();
    const wires = Object.entries(needs).map(([key, value]: [string, unknown]): Wire => {
      if (!isDependency(value)) {
        return { key, instant: this.#instant(key, value, scope), index: -1 };
      }
      const child = this.#visit(key, value, scope);
      children.add(child);
      for (const below of child.wiring.overrides) overrides.add(below);
      if (child.dependency !== value) overrides.add(`${value.uid}=${child.dependency.uid}`);
      return { key, instant: undefined, index: child.index };
    });
    return { wires, children, overrides };
  }

  #instant(key: string, value: unknown, scope: Scope): InstantNeed {
    if ((typeof value !== 'object' && typeof value !== 'function') || !value || !(NEED in value)) {
      const found = describe(value);
      const problem = `must be a Depends(…), an AsyncState class or Context; received ${found}`;
      throw this.#error('DEPENDENCY_INVALID', key, problem);
    }
    const need = (value as InstantNeedSource)[NEED]();
    this.#checkScope(key, need.scope, scope);
    this.#undo.push(need.register(this.#runtime));
    return need;
  }

  #visit(key: string, named: DependencyDefinition, outer: Scope): Node {
    // What stands in for a dependency may itself need the real one.
    const parent = this.#trail.at(-1);
    const wraps = parent?.named === named && parent.actual !== named;
    const actual = wraps ? named : this.#replace(named);
    const start = this.#trail.findIndex((visit) => visit.actual === actual);
    if (start >= 0) {
      const cycle = this.#path(key, start);
      throw this.#error('DEPENDENCY_CYCLE', key, `needs itself: ${cycle}; take one of these out`);
    }
    this.#checkScope(key, actual.scope, outer);
    const known = this.#cached.get(actual);
    if (known) return known;
    this.#trail.push({ key, named, actual });
    const wiring = this.#read(actual.needs ?? {}, actual.scope);
    this.#trail.pop();
    const node = this.#node(key, actual, wiring);
    if (actual.cache) this.#cached.set(actual, node);
    return node;
  }

  #node(key: string, dependency: DependencyDefinition, wiring: Wiring): Node {
    // The same dependency is the same instance, unless overrides below it differ.
    const below = [...wiring.overrides].sort().join();
    const place = dependency.cache ? '' : JSON.stringify([this.#task, this.#path(key, 0, '\0')]);
    return {
      dependency,
      path: this.#path(key),
      index: this.#count++,
      wiring,
      isShared: dependency.scope !== 'task',
      sharedKey: `${dependency.uid}:${below}${place}`,
      dependents: [],
    };
  }

  #checkScope(key: string, inner: Scope, outer: Scope): void {
    if (rankOf[inner] >= rankOf[outer]) return;
    const owner = this.#trail.at(-1)?.key;
    const problem = `lives in ${inner} scope, shorter than the ${outer} scope of "${owner}" that needs it; change one of the two`;
    throw this.#error('DEPENDENCY_SCOPE', key, problem);
  }

  #path(key: string, start = 0, mark = ' > '): string {
    return [...this.#trail.slice(start).map((visit) => visit.key), key].join(mark);
  }

  #error(code: ErrorCode, key: string, problem: string): QTasksError {
    const dependency = this.#path(key);
    const message = `task "${this.#task}": the need "${dependency}" ${problem}`;
    return new QTasksError(code, message, { data: { dependency } });
  }
}

/** Collects what an attempt opens, and notes who waits for whom. */
function collect(node: Node, nodes: Set<Node>): void {
  if (nodes.has(node)) return;
  nodes.add(node);
  if (node.isShared) return;
  for (const child of node.wiring.children) {
    child.dependents.push(node);
    collect(child, nodes);
  }
}

/** How many others a node waits for in an attempt. */
export function waitsOf({ isShared, wiring }: Node): number {
  return isShared ? 0 : wiring.children.size;
}
