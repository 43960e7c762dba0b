/** The runs of the last seconds as bars: opening, body and teardown, with what they have open below. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Recorder } from '../model/recorder.js';
import { describeTrack } from './describe-track.js';
import { laneHeight, lanes, TrackBars } from './track-bars.js';
import { useWidth } from './use-width.js';

const height = lanes * laneHeight + 4;

/** How many milliseconds it shows, on a wide screen; a narrow one shows less of them, not smaller. */
const longest = 5_000;
const fewestPixels = 0.12;

const legend: readonly (readonly [kind: string, name?: string])[] = [
  ['opening'],
  ['body'],
  ['teardown'],
  ['dependency'],
  ['yield'],
  ['failed'],
  ['loss', 'worker lost'],
  ['pause'],
  ['second'],
];

/** Who wants no motion sees it move with each event alone. */
const still = matchMedia('(prefers-reduced-motion: reduce)');

export function Timeline({ recorder }: { readonly recorder: Recorder }) {
  const { tracks, clock } = recorder;
  // Read, so that it is drawn again as it changes.
  recorder.version.value;
  const [box, width] = useWidth<HTMLDivElement>();
  const moving = useRef<SVGGElement>(null);
  const selected = useSignal('');
  const scale = Math.max(fewestPixels, width / longest);
  const span = width / scale;

  useEffect(() => {
    let frame = 0;
    const move = (): void => {
      const now = Date.now();
      const x = width - 8 - clock.now(now) * scale;
      moving.current?.setAttribute('transform', `translate(${x})`);
      if (clock.isMoving(now) && !still.matches) frame = requestAnimationFrame(move);
    };
    move();
    return () => cancelAnimationFrame(frame);
  });

  const now = clock.now(Date.now());
  const from = now - span;
  const shown = tracks.all.filter(({ end }) => end === undefined || clock.of(end) > from);
  const at = shown.findIndex(({ id }) => id === selected.value);
  const current = shown[at];
  const select = (index: number): void => {
    selected.value = shown[Math.max(0, Math.min(shown.length - 1, index))]?.id ?? '';
  };
  const steps: Record<string, () => void> = {
    ArrowLeft: () => select(at < 0 ? shown.length - 1 : at - 1),
    ArrowRight: () => select(at < 0 ? shown.length - 1 : at + 1),
    Home: () => select(0),
    End: () => select(shown.length - 1),
    Escape: () => {
      selected.value = '';
    },
  };

  return (
    <section class="timeline" aria-labelledby="timeline-title">
      <div class="bar">
        <h2 id="timeline-title">Timeline</h2>
        <ul class="legend" aria-label="Legend">
          {legend.map(([kind, name = kind]) => (
            <li key={kind}>
              <i class={`key ${kind}`} /> {name}
            </li>
          ))}
        </ul>
      </div>
      <div
        ref={box}
        class="tracks"
        role="listbox"
        tabIndex={0}
        aria-label="Runs, the oldest first; arrow keys choose one"
        aria-describedby="timeline-detail"
        aria-activedescendant={current ? `run-${current.id}` : undefined}
        onKeyDown={(event) => {
          const step = steps[event.key];
          if (!step) return;
          event.preventDefault();
          step();
        }}
      >
        <svg width="100%" height={height} role="presentation">
          <g ref={moving}>
            {seconds(from, now + span).map((second) => (
              <line
                key={second}
                class="second"
                x1={second * scale}
                x2={second * scale}
                y2={height}
              />
            ))}
            {clock.gaps.map(({ at: gap }) => (
              <line key={gap} class="gap" x1={gap * scale} x2={gap * scale} y2={height} />
            ))}
            {recorder.losses.map((loss, index) => {
              const x = clock.of(loss) * scale;
              return <line key={index} class="loss" x1={x} x2={x} y2={height} />;
            })}
            {shown.map((track) => (
              <TrackBars
                key={track.id}
                track={track}
                x={(instant) => clock.of(instant) * scale}
                until={now * scale + width}
                isSelected={track === current}
                onSelect={() => {
                  selected.value = track.id;
                }}
              />
            ))}
          </g>
        </svg>
        {shown.length === 0 && <p class="empty">Nothing has run yet.</p>}
      </div>
      <p id="timeline-detail" class="detail" aria-live="polite">
        {current ? describeTrack(current) : 'Choose a run to read what it has done.'}
      </p>
    </section>
  );
}

/** The whole seconds of a while. */
function seconds(from: number, to: number): number[] {
  const first = Math.ceil(from / 1_000);
  const count = Math.max(0, Math.floor(to / 1_000) - first + 1);
  return Array.from({ length: count }, (_, index) => (first + index) * 1_000);
}
