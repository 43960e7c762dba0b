/** The plot of latencies, drawn by uPlot: one point for each call, one colour for each place. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Call } from '../model/recorder.js';

const height = 168;
const places = ['page', 'worker', 'pool'] as const;

export class LatencyPlot {
  readonly #plot: uPlot;
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  readonly #recolour = (): void => this.#plot.redraw();

  constructor(box: HTMLElement) {
    const colour = (name: string) => () => getComputedStyle(box).getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--quiet'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1, size: 4 },
      font: '11px system-ui, sans-serif',
    };
    const options: uPlot.Options = {
      width: box.clientWidth,
      height,
      scales: { x: { time: false, range: (_plot, _min, max) => [0, Math.max(20, max + 1)] } },
      axes: [
        { ...axis, size: 24, gap: 2 },
        { ...axis, size: 52, gap: 2, values: (_plot, ticks) => ticks.map(label) },
      ],
      series: [
        { label: 'call' },
        ...places.map((place) => ({
          label: place,
          scale: 'y',
          stroke: colour(`--${place}`),
          width: 0,
          paths: () => null,
          points: { show: true, size: 4, width: 1, fill: colour(`--${place}`) },
        })),
      ],
      cursor: { show: false },
      legend: { live: false },
    };
    options.scales = {
      ...options.scales,
      y: {
        distr: 3,
        range: (_plot, min, max) => [Math.min(1, min || 1), Math.max(1_000, max || 1)],
      },
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

/** Whole powers of ten alone: the rest of a logarithmic axis is too much. */
function label(value: number): string {
  return Number.isInteger(Math.log10(value)) ? `${value} ms` : '';
}
