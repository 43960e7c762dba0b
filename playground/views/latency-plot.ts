/** The plot of latencies, drawn by uPlot: one point for each call, one colour for each place. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Call } from '../model/recorder.js';

const height = 156;
const places = ['page', 'worker', 'pool'] as const;

export class LatencyPlot {
  readonly #plot: uPlot;
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  readonly #recolour = (): void => this.#plot.redraw();

  constructor(box: HTMLElement) {
    const colour = (name: string) => () => resolve(box, name);
    const axis = {
      stroke: colour('--quiet'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1, size: 4 },
      font: '11px system-ui, sans-serif',
    };
    const options: uPlot.Options = {
      width: box.clientWidth,
      height,
      scales: {
        x: { time: false, range: (_plot, _min, max) => [0, Math.max(20, max + 1)] },
        y: { distr: 3, range: (_plot, min, max) => [down(min), up(max)] },
      },
      axes: [
        { ...axis, size: 24, gap: 2 },
        {
          ...axis,
          size: 64,
          gap: 2,
          filter: powers,
          grid: { ...axis.grid, filter: powers },
          ticks: { ...axis.ticks, filter: powers },
          values: (_plot, ticks) => ticks.map((tick) => (tick === null ? '' : `${tick} ms`)),
        },
      ],
      series: [
        { label: 'call' },
        ...places.map((place) => ({
          label: place,
          scale: 'y',
          stroke: colour(`--${place}`),
          width: 0,
          paths: () => null,
          points: { show: true, size: 5, width: 1, fill: colour(`--${place}`) },
        })),
      ],
      cursor: { show: false },
      legend: { live: false },
    };
    this.#plot = new uPlot(options, [[], [], [], []], box);
    this.#dark.addEventListener('change', this.#recolour);
  }

  draw(calls: readonly Call[], width: number): void {
    if (width > 0) this.#plot.setSize({ width, height });
    this.#plot.setData([
      calls.map((_, index) => index + 1),
      ...places.map((place) =>
        calls.map(({ where, duration }) =>
          where.startsWith(`${place},`) ? Math.max(0.01, duration) : null,
        ),
      ),
    ]);
  }

  destroy(): void {
    this.#dark.removeEventListener('change', this.#recolour);
    this.#plot.destroy();
  }
}

/** The powers of ten around what there is, and 1 to 1,000 ms at least. */
const down = (min: number): number => Math.min(1, 10 ** Math.floor(Math.log10(min || 1)));
const up = (max: number): number => Math.max(1_000, 10 ** Math.ceil(Math.log10(max || 1)));

/** The rest of a logarithmic axis is too much to read. */
const powers = (_plot: uPlot, ticks: number[]): (number | null)[] =>
  ticks.map((tick) => (Number.isInteger(Math.log10(tick)) ? tick : null));

/** A canvas knows no variables. */
function resolve(box: HTMLElement, name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  box.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
