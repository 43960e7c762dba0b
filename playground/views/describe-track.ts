/** A run in a line of words: for screen readers, and for whoever wants the figures. */
import type { Track } from '../model/tracks.js';

export function describeTrack(track: Track): string {
  const { task, attempts, dependencies, yields, outcome = 'running' } = track;
  const last = attempts.at(-1);
  if (!last) return `${task}: ${outcome} before it started`;
  const { start, opened, returned = last.end, end } = last;
  const names = [...new Set(dependencies.map(({ name }) => name))];
  return [
    `${task}: ${outcome}`,
    attempts.length > 1 && `attempt ${last.number}`,
    `opening ${opened - start} ms`,
    returned !== undefined && `body ${returned - opened} ms`,
    returned !== undefined && end !== undefined && `teardown ${end - returned} ms`,
    names.length > 0 && `with ${names.join(', ')}`,
    yields.length > 0 && `${yields.length} yields`,
  ]
    .filter(Boolean)
    .join(' · ');
}
