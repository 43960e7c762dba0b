/** One run on the timeline. */
import type { Attempt, Opened, Track } from '../model/tracks.js';
import { describeTrack } from './describe-track.js';

/** How many rows it has; runs beyond share the last one. */
export const lanes = 3;
export const laneHeight = 38;

const barHeight = 18;
/** How wide a letter is: a name that does not fit is not drawn. */
const letter = 7.3;
const thin = 4;
const mostDependencies = 3;

export interface TrackBarsProps {
  readonly track: Track;
  /** Where an instant is. */
  readonly x: (at: number) => number;
  /** Where what goes on ends: out of sight. */
  readonly until: number;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
}

export function TrackBars({ track, x, until, isSelected, onSelect }: TrackBarsProps) {
  const y = Math.min(track.lane, lanes - 1) * laneHeight + 6;
  const end = track.end === undefined ? until : x(track.end);
  return (
    <g
      id={`run-${track.id}`}
      role="option"
      aria-selected={isSelected}
      aria-label={describeTrack(track)}
      class={`run ${track.outcome ?? 'running'}`}
      onClick={onSelect}
    >
      <rect class="hit" x={x(track.start) - 2} y={y - 3} {...sized(end - x(track.start) + 4, 34)} />
      <line
        class="whole"
        x1={x(track.start)}
        x2={end}
        y1={y + barHeight / 2}
        y2={y + barHeight / 2}
      />
      {track.attempts.map((attempt) => (
        <AttemptBars key={attempt.number} {...{ attempt, x, until, y }} />
      ))}
      {track.dependencies.map((opened) => (
        <DependencyBars
          key={`${opened.attempt} ${opened.name} ${opened.open}`}
          {...{ opened, x, until }}
          y={y + barHeight + 1 + rowOf(track, opened) * (thin + 1)}
        />
      ))}
      {track.yields.map((at, index) => (
        <circle key={index} class="yield" cx={x(at)} cy={y + barHeight - 1} r={3} />
      ))}
      {track.attempts.length === 0 && (
        <rect class="failed" x={x(track.start)} y={y} {...sized(3, barHeight)} />
      )}
      {end - x(track.start) > track.task.length * letter + 6 && (
        <text class="name" x={x(track.start) + 6} y={y + 13}>
          {track.task}
        </text>
      )}
    </g>
  );
}

interface AttemptBarsProps extends Pick<TrackBarsProps, 'x' | 'until'> {
  readonly attempt: Attempt;
  readonly y: number;
}

function AttemptBars({ attempt, x, until, y }: AttemptBarsProps) {
  const { start, opened, returned = attempt.end, end, hasFailed } = attempt;
  const last = end === undefined ? until : x(end);
  const body = returned === undefined ? until : x(returned);
  const bars = [
    ['opening', x(start), x(opened)],
    [hasFailed ? 'failed' : 'body', x(opened), body],
    ['teardown', body, last],
  ] as const;
  return (
    <>
      {bars.map(([kind, from, to]) => (
        <rect key={kind} class={kind} x={from} y={y} {...sized(to - from, barHeight, kind)} />
      ))}
    </>
  );
}

interface DependencyBarsProps extends Pick<TrackBarsProps, 'x' | 'until'> {
  readonly opened: Opened;
  readonly y: number;
}

function DependencyBars({ opened, x, until, y }: DependencyBarsProps) {
  const [from, open] = [x(opened.start), x(opened.open)];
  const close = opened.close === undefined ? until : x(opened.close);
  return (
    <>
      <rect class="opening-dependency" x={from} y={y} {...sized(open - from, thin)} />
      <rect class="dependency" x={open} y={y} {...sized(close - open, thin)} />
    </>
  );
}

/** In each attempt from the top on. */
function rowOf({ dependencies }: Track, opened: Opened): number {
  const others = dependencies.filter(({ attempt }) => attempt === opened.attempt);
  return others.indexOf(opened) % mostDependencies;
}

/** What takes no time is still to be seen, but for a phase that was not there. */
function sized(width: number, height: number, kind = 'body') {
  const least = kind === 'body' || kind === 'failed' ? 2 : 0;
  return { width: Math.max(least, width), height };
}
