/** Counters, and how long each call took: for whoever changes where tasks run and looks what it costs. */
import { useEffect, useRef } from 'preact/hooks';
import type { Recorder } from '../model/recorder.js';
import type { LatencyPlot } from './latency-plot.js';
import { useWidth } from './use-width.js';

export function Metrics({ recorder }: { readonly recorder: Recorder }) {
  recorder.version.value;
  const { counts, lost, calls } = recorder;
  const [box, width] = useWidth<HTMLDivElement>();
  const plot = useRef<LatencyPlot | undefined>(undefined);

  useEffect(() => {
    const { current: place } = box;
    if (!place) return;
    // Its library weighs a third of the page: whoever never looks at it does not load it.
    const seen = new IntersectionObserver(async ([entry]) => {
      if (!entry?.isIntersecting) return;
      seen.disconnect();
      const { LatencyPlot } = await import('./latency-plot.js');
      if (!place.isConnected) return;
      plot.current = new LatencyPlot(place);
      plot.current.draw(recorder.calls, place.clientWidth);
    });
    seen.observe(place);
    return () => {
      seen.disconnect();
      plot.current?.destroy();
    };
  }, [recorder, box]);
  useEffect(() => plot.current?.draw(calls, width), [calls, width]);

  const shown = { ...counts, lost };
  return (
    <section class="metrics" aria-labelledby="metrics-title">
      <div class="bar">
        <h2 id="metrics-title">Counters and latency</h2>
        <p class="quiet">{summary(recorder)}</p>
      </div>
      <dl class="counters">
        {Object.entries(shown).map(([name, count]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{count}</dd>
          </div>
        ))}
      </dl>
      <div
        ref={box}
        class="plot"
        role="img"
        aria-label={`Latency of the calls: ${summary(recorder)}`}
      />
    </section>
  );
}

/** Of the calls from where tasks run now. */
function summary({ calls }: Recorder): string {
  const where = calls.at(-1)?.where;
  const durations = calls
    .filter((call) => call.where === where)
    .map(({ duration }) => duration)
    .sort((a, b) => a - b);
  if (durations.length === 0) return 'no calls yet';
  const at = (part: number) => durations[Math.round((durations.length - 1) * part)] ?? 0;
  return `${where}: median ${at(0.5).toFixed(1)} ms, p95 ${at(0.95).toFixed(1)} ms`;
}
