/** Part of `npm run bench -- growth`: what happens in one process, and states in memory. */
import { AsyncState, type Dependency, Depends, QTasks } from 'qtasks-lite';
import { memory } from 'qtasks-lite/memory';
import { slotColumns, throughOneSlot } from '../core/waiting.js';
import type { Case } from '../harness/measure.js';
import { grow, tens } from './series.js';
import { bytes, fields, type Place, sessions } from './storages.js';

class Watched extends AsyncState<{ n: number }> {
  static readonly id = 'watched';
}

/** Counts calls, and how many there should have been. */
class Counter {
  #count = 0;

  readonly add = (): void => {
    this.#count++;
  };

  check(due: number): string | undefined {
    const found = this.#count;
    this.#count = 0;
    return found === due ? undefined : `${found} instead of ${due}`;
  }
}

async function waiting(): Promise<void> {
  const reason = 'that many runs and their promises leave the caches of the processor';
  await grow({
    file: 'waiting-runs',
    title: 'Runs that wait for one slot',
    of: 'waiting',
    sizes: tens(100, 100_000),
    columns: slotColumns,
    calls: 1,
    because: Object.fromEntries(slotColumns.map((column) => [column, reason])),
    at: (size) => throughOneSlot(size).cases,
  });
}

async function listeners(): Promise<void> {
  await grow({
    file: 'listeners',
    title: 'Listeners',
    of: 'listeners',
    sizes: tens(1, 1_000),
    columns: ['run, per listener', 'set, per listener', 'set of another session'],
    calls: 1_000,
    at: (size) => [heardRun(size), heardSet(size, 'ann'), heardSet(size, 'bob')],
  });
}

function heardRun(size: number): Case {
  const app = new QTasks({ name: 'bench' });
  const task = app.task('work', async () => 1);
  const heard = new Counter();
  for (let index = 0; index < size; index++) app.on('run:success', () => heard.add());
  return {
    things: size,
    call: () => app.run(task),
    check: (calls) => heard.check(calls * size),
  };
}

/** Sets a state of Ann's, of whom or of Bob many are told. */
function heardSet(size: number, session: 'ann' | 'bob'): Case {
  const app = new QTasks({ name: 'bench', storage: memory() });
  const heard = new Counter();
  const state = app.session('ann').state(Watched);
  const watched = app.session(session).state(Watched);
  for (let index = 0; index < size; index++) watched.subscribe(heard.add);
  let value = 0;
  return {
    things: session === 'ann' ? size : 1,
    call: () => state.set('n', ++value),
    async check(calls) {
      await new Promise((resolve) => setImmediate(resolve));
      return heard.check(session === 'ann' ? calls * size : 0);
    },
  };
}

async function dependencies(): Promise<void> {
  await grow({
    file: 'dependencies',
    title: 'Dependencies of a run',
    of: 'dependencies',
    sizes: tens(1, 1_000),
    columns: ['independent, each', 'a chain, each'],
    calls: 100,
    at: (size) => [opening(size, false), opening(size, true)],
  });
}

/** A run that opens and closes so many, each of which may need the one before it. */
function opening(size: number, isChain: boolean): Case {
  const opened = new Counter();
  const all: Dependency<number>[] = [];
  const open = async function* () {
    yield 1;
    opened.add();
  };
  for (let index = 0; index < size; index++) {
    const before = all.at(-1);
    all.push(isChain && before ? Depends({ before }, () => open()) : Depends(() => open()));
  }
  const needs = Object.fromEntries(all.slice(isChain ? -1 : 0).map((one, at) => [`r${at}`, one]));
  const app = new QTasks({ name: 'bench' });
  const task = app.task('work', needs, async () => 1);
  return {
    things: size,
    call: () => app.run(task),
    check: (calls) => opened.check(calls * size),
  };
}

const place: Place = {
  ...{ name: 'memory', waits: false, calls: 1_000, create: () => memory() },
  sessions: {
    'set, each time in another one':
      'they leave the caches of the processor, and above 1,000 what is known of an idle one is made anew',
  },
};
await fields(place);
await sessions(place);
await bytes(place);
await waiting();
await listeners();
await dependencies();
