/**
 * What needs what, as `inspect()` tells it: the tasks on the left, what they need to the right. Without
 * `Context`, which nearly all need and nobody opens.
 */
import { QTasks, type TaskInspection } from 'qtasks-lite';
import * as tasks from '../tasks/all.js';

export interface GraphNode {
  readonly id: string;
  readonly label: string;
  readonly kind: 'task' | 'dependency' | 'state';
  readonly column: number;
  readonly row: number;
  /** Of a dependency: `task > name` of each place where the events tell of it. */
  readonly places: readonly string[];
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly (readonly [from: string, to: string])[];
}

/** Never runs anything: what a worker serves is the same module. */
const { tasks: inspected } = new QTasks({ tasks }).inspect();

interface Draft {
  readonly id: string;
  readonly label: string;
  readonly kind: GraphNode['kind'];
  column: number;
  readonly places: string[];
}

export function graphOf(names: readonly string[]): Graph {
  const drafts = new Map<string, Draft>();
  const edges = new Map<string, readonly [string, string]>();
  for (const task of inspected.filter(({ name }) => names.includes(name))) {
    drafts.set(task.name, draft(task.name, task.name, 'task', 0));
    walk(task, task.needs, { id: task.name, column: 0 }, { drafts, edges });
  }
  return { nodes: place([...drafts.values()]), edges: [...edges.values()] };
}

function walk(
  task: TaskInspection,
  needs: Readonly<Record<string, number>>,
  from: { readonly id: string; readonly column: number },
  graph: {
    readonly drafts: Map<string, Draft>;
    readonly edges: Map<string, readonly [string, string]>;
  },
): void {
  for (const [key, index] of Object.entries(needs)) {
    const need = task.dependencies[index];
    if (!need || need.kind === 'context') continue;
    const label = need.kind === 'dependency' ? key : need.name;
    const id = `${need.kind} ${label}`;
    const known = graph.drafts.get(id) ?? draft(id, label, need.kind, 0);
    known.column = Math.max(known.column, from.column + 1);
    known.places.push(`${task.name} > ${need.name}`);
    graph.drafts.set(id, known);
    graph.edges.set(`${from.id} ${id}`, [from.id, id]);
    walk(task, need.needs, known, graph);
  }
}

function draft(id: string, label: string, kind: GraphNode['kind'], column: number): Draft {
  return { id, label, kind, column, places: [] };
}

function place(drafts: readonly Draft[]): GraphNode[] {
  const rows = new Map<number, number>();
  return drafts.map((node) => {
    const row = rows.get(node.column) ?? 0;
    rows.set(node.column, row + 1);
    return { ...node, row };
  });
}
