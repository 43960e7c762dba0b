/** What a timeline draws, made of the app's events: each run with its attempts and what they had open. */
import type { DependencyEvent, EventMap, EventName, RunEvent } from 'qtasks-lite';

/** `lost`: with the worker that it ran in, of which no event can tell. */
export type Outcome = 'success' | 'error' | 'cancel' | 'lost';

export interface Attempt {
  readonly number: number;
  readonly start: number;
  /** The last of its dependencies is open: the body begins. */
  opened: number;
  /** The body is over: the teardown begins. */
  returned?: number;
  end?: number;
  hasFailed: boolean;
}

export interface Opened {
  /** As the events name it: `page > db`. */
  readonly name: string;
  readonly attempt: number;
  readonly start: number;
  readonly open: number;
  close?: number;
}

export interface Track {
  readonly id: string;
  readonly task: string;
  /** The row it is drawn in, as long as it goes on. */
  readonly lane: number;
  readonly start: number;
  readonly attempts: Attempt[];
  readonly dependencies: Opened[];
  readonly yields: number[];
  outcome?: Outcome;
  end?: number;
}

/** How many are kept. */
const most = 120;

export class Tracks {
  #all: Track[] = [];
  readonly #open = new Map<string, Track>();

  /** In the order in which they have begun. */
  get all(): readonly Track[] {
    return this.#all;
  }

  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  add(event: EventMap[EventName]): void {
    if (event.type.startsWith('dependency:')) this.#dependency(event as DependencyEvent<EventName>);
    else if ('run' in event && event.type !== 'error') this.#run(event as RunEvent<EventName>);
  }

  #run(event: RunEvent<EventName>): void {
    const { type, at } = event;
    const track = this.#open.get(event.run) ?? this.#begin(event);
    const attempt = track.attempts.at(-1);
    if (type === 'run:start') {
      // Its worker was lost, and another one goes on with the run: nobody has told of the end.
      if (attempt && attempt.end === undefined) fail(track, attempt, at);
      track.attempts.push({ number: event.attempt, start: at, opened: at, hasFailed: false });
    } else if (type === 'run:yield') track.yields.push(at);
    else if (type === 'run:return' && attempt) attempt.returned = at;
    else if (type === 'run:retry' && attempt) fail(track, attempt, at);
    else if (type === 'run:success') this.#end(track, 'success', at);
    else if (type === 'run:error') this.#end(track, 'error', at);
    else if (type === 'run:cancel') this.#end(track, 'cancel', at);
  }

  #dependency({ type, at, run, dependency: name, attempt = 1 }: DependencyEvent<EventName>): void {
    const track = run === undefined ? undefined : this.#open.get(run);
    const current = track?.attempts.at(-1);
    if (!track || !current) return;
    if (type === 'dependency:open') {
      // It has waited for all that it needs itself.
      const needs = track.dependencies.filter(
        (each) => each.attempt === attempt && each.name.startsWith(`${name} > `),
      );
      const start = Math.max(current.start, ...needs.map(({ open }) => open));
      track.dependencies.push({ name, attempt, start, open: at });
      current.opened = at;
    } else {
      // A handler that throws returns nothing: the first that closes tells.
      if (current.returned === undefined) current.returned = at;
      const opened = track.dependencies.find(
        (each) => each.name === name && each.attempt === attempt && each.close === undefined,
      );
      if (opened) opened.close = at;
    }
  }

  /** Ends a run whose worker is gone. */
  lose(id: string, at: number): void {
    const lost = this.#open.get(id);
    if (lost) this.#end(lost, 'lost', at);
  }

  #begin({ run: id, task, at }: RunEvent<EventName>): Track {
    const taken = new Set([...this.#open.values()].map(({ lane }) => lane));
    let lane = 0;
    while (taken.has(lane)) lane++;
    const begun = { start: at, attempts: [], dependencies: [], yields: [] };
    const track: Track = { id, task, lane, ...begun };
    this.#open.set(id, track);
    this.#all = [...this.#all, track].slice(-most);
    return track;
  }

  #end(track: Track, outcome: Outcome, at: number): void {
    track.outcome = outcome;
    track.end = at;
    const attempt = track.attempts.at(-1);
    if (attempt) {
      attempt.end ??= at;
      attempt.hasFailed = outcome !== 'success';
    }
    for (const opened of track.dependencies) opened.close ??= at;
    this.#open.delete(track.id);
  }
}

/** The attempt is over, and so is what it had open. */
function fail(track: Track, attempt: Attempt, at: number): void {
  attempt.end = at;
  attempt.hasFailed = true;
  for (const opened of track.dependencies) opened.close ??= at;
}
