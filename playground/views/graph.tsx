/** The dependency graph of the example's tasks; what is open right now is lit. */
import { type GraphNode, graphOf } from '../model/graph.js';
import type { Recorder } from '../model/recorder.js';
import type { Track } from '../model/tracks.js';
import { Scroll } from './scroll.js';

const [width, height] = [132, 30];
const [gapX, gapY] = [36, 12];

const kinds = ['task', 'dependency', 'state'] as const satisfies readonly GraphNode['kind'][];

export function GraphView(props: {
  readonly names: readonly string[];
  readonly recorder: Recorder;
}) {
  const { names, recorder } = props;
  recorder.version.value;
  const { nodes, edges } = graphOf(names);
  const columns = Math.max(...nodes.map(({ column }) => column)) + 1;
  const rows = Math.max(...nodes.map(({ row }) => row)) + 1;
  const at = ({ column, row }: GraphNode) => ({
    x: column * (width + gapX) + 1,
    y: row * (height + gapY) + 1,
  });
  const find = (id: string) => nodes.find((node) => node.id === id);
  const open = new Set(recorder.tracks.all.flatMap(openIn));
  const isLit = ({ kind, label, places }: GraphNode): boolean =>
    kind === 'task' ? open.has(label) : places.some((place) => open.has(place));

  return (
    <section class="graph" aria-labelledby="graph-title">
      <div class="bar">
        <h2 id="graph-title">Dependencies</h2>
        <p class="quiet">lit while open</p>
      </div>
      <Scroll label="Graph">
        <svg
          width={columns * (width + gapX) - gapX + 2}
          height={rows * (height + gapY) - gapY + 2}
          role="img"
          aria-label={describe(nodes, edges)}
        >
          {edges.map(([from, to]) => {
            const [left, right] = [find(from), find(to)];
            if (!left || !right) return null;
            const [a, b] = [at(left), at(right)];
            const [x1, y1, x2, y2] = [a.x + width, a.y + height / 2, b.x, b.y + height / 2];
            const bend = (x2 - x1) / 2;
            const path = `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
            return <path key={`${from} ${to}`} class="edge" d={path} />;
          })}
          {nodes.map((node) => {
            const { x, y } = at(node);
            return (
              <g key={node.id} class={`node ${node.kind} ${isLit(node) ? 'lit' : ''}`}>
                <rect
                  x={x}
                  y={y}
                  width={width}
                  height={height}
                  rx={node.kind === 'task' ? 6 : 15}
                />
                <text x={x + width / 2} y={y + height / 2 + 4}>
                  {node.label}
                </text>
              </g>
            );
          })}
        </svg>
      </Scroll>
      <ul class="legend" aria-label="Kinds">
        {kinds.map((kind) => (
          <li key={kind}>
            <i class={`key node-${kind}`} /> {kind}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A run that goes on, by its task, and what it has open. */
function openIn({ task, end, dependencies }: Track): string[] {
  if (end !== undefined) return [];
  const open = dependencies.filter(({ close }) => close === undefined);
  return [task, ...open.map(({ name }) => `${task} > ${name}`)];
}

function describe(
  nodes: readonly GraphNode[],
  edges: readonly (readonly [from: string, to: string])[],
): string {
  const label = (id: string) => nodes.find((node) => node.id === id)?.label ?? id;
  return edges.map(([from, to]) => `${label(from)} needs ${label(to)}`).join('; ');
}
