/** Listens to the app, wherever it runs, and keeps what the views show of it. */
import { type Signal, signal } from '@preact/signals';
import type { EventName, QTasks, Run, RunCounts } from 'qtasks-lite';
import { isQTasksError } from 'qtasks-lite';
import { BusyClock } from './busy-clock.js';
import { type Track, Tracks } from './tracks.js';

const heard = [
  'run:start',
  'run:return',
  'run:retry',
  'run:yield',
  'run:success',
  'run:error',
  'run:cancel',
  'dependency:open',
  'dependency:close',
  'dependency:error',
] as const satisfies readonly EventName[];

/** How long one call took, from the page's call until it has settled. */
export interface Call {
  readonly task: string;
  readonly where: string;
  readonly duration: number;
}

const mostCalls = 400;

export class Recorder {
  readonly tracks = new Tracks();
  readonly clock = new BusyClock();
  /** Grows with whatever changes, once per frame at most. */
  readonly version: Signal<number> = signal(0);
  readonly counts: { -readonly [Name in keyof RunCounts]: number } = {
    calls: 0,
    retries: 0,
    success: 0,
    error: 0,
    cancel: 0,
  };
  lost = 0;
  calls: readonly Call[] = [];
  /** When a worker was lost. */
  readonly #losses: number[] = [];
  readonly #calling = new Set<string>();
  #isDue = false;

  get losses(): readonly number[] {
    return this.#losses;
  }

  /** @returns what stops it */
  listen(app: Pick<QTasks<object>, 'on'>): () => void {
    const stops = heard.map((name) => app.on(name, (event) => this.#hear(event)));
    stops.push(
      app.on('worker:lost', ({ at }) => {
        this.#losses.push(at);
        this.#touch();
      }),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }

  #hear(event: Parameters<Tracks['add']>[0]): void {
    if (event.type === 'run:start') {
      this.clock.busy(event.at);
      if (event.attempt === 1) this.counts.calls++;
    } else if (event.type === 'run:retry') this.counts.retries++;
    else if (event.type === 'run:success') this.counts.success++;
    else if (event.type === 'run:error') this.counts.error++;
    else if (event.type === 'run:cancel') this.counts.cancel++;
    this.tracks.add(event);
    this.#rest(event.at);
  }

  /** Follows a call of the page: a run whose worker dies tells of its end to its caller alone. */
  follow<R extends Run<unknown, unknown>>(run: R, task: string, where: string): R {
    const start = performance.now();
    this.#calling.add(run.id);
    void run.settled.then(({ error }) => {
      this.#calling.delete(run.id);
      if (isQTasksError(error, 'WORKER_LOST')) this.#lose(run.id);
      const call = { task, where, duration: performance.now() - start };
      this.calls = [...this.calls, call].slice(-mostCalls);
      this.#touch();
    });
    return run;
  }

  /** No event names the parent of a run, so with a call those go that have begun under it. */
  #lose(id: string): void {
    const { tracks } = this;
    const now = Date.now();
    const open = tracks.all.filter(({ end }) => end === undefined);
    const call = open.find((track) => track.id === id);
    if (!call) return;
    const isPart = (track: Track): boolean =>
      !this.#calling.has(track.id) && track.start >= call.start;
    for (const track of open.filter((each) => each === call || isPart(each))) {
      tracks.lose(track.id, now);
      this.lost++;
    }
    this.#rest(now);
  }

  #rest(at: number): void {
    if (this.tracks.isIdle) this.clock.idle(at);
    this.#touch();
  }

  #touch(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.version.value++;
    });
  }
}
