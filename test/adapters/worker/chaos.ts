/** Calls, streams and cancels over a pool whose workers are killed all the time. */
import { expect } from 'vitest';
import { connect, type WorkerClient } from '../../../adapters/worker/index.js';
import { isQTasksError } from '../../../src/index.js';
import { startWorker, type Tasks, type TestWorker } from '../../support/workers.js';

/** How many calls there are, how many of them at once, and how many workers die meanwhile. */
const calls = 10_000;
const lanes = 40;
const kills = 50;

type App = WorkerClient<Tasks>;

const stopped = new Error('stopped');
const pause = (duration: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, duration));

/** One call of each kind; each checks what it gets. */
const kinds = {
  async call(app: App, number: number) {
    expect(await app.run('add', number, 1)).toBe(number + 1);
  },
  async stream(app: App, number: number) {
    const run = app.run('series', 40);
    let next = 0;
    for await (const value of run) expect(value).toBe(next++);
    expect([next, await run, number]).toEqual([40, 'done', number]);
  },
  async leave(app: App) {
    let next = 0;
    for await (const value of app.run('series', 10_000)) {
      expect(value).toBe(next++);
      if (next === 20) return;
    }
  },
  async cancel(app: App, number: number) {
    const run = app.run('wait');
    setTimeout(() => run.cancel(stopped), number % 20);
    await run;
  },
  async retried(app: App, number: number) {
    const id = `retried-${number}`;
    expect(await app.with({ id }).run('mortal', 1)).toMatchObject({ id });
  },
};

/** Runs it all and closes the pool: each call has ended right or with a reason, and no worker is left. */
export async function chaos(): Promise<void> {
  const started: TestWorker[] = [];
  const start = (): TestWorker => {
    const worker = startWorker('app');
    started.push(worker);
    return worker;
  };
  const app = connect<Tasks>(start, { size: 2 });
  const seen = { starts: 0, lost: 0 };
  app.on('worker:start', () => seen.starts++);
  app.on('worker:lost', () => seen.lost++);
  // How many calls of a kind have ended in a way.
  const tally: Record<string, number> = {};
  const run = async (number: number): Promise<void> => {
    const [kind, call] = Object.entries(kinds)[number % 5] as [string, typeof kinds.call];
    const outcome = await call(app, number).then(() => 'right', reasonOf);
    tally[`${kind}: ${outcome}`] = (tally[`${kind}: ${outcome}`] ?? 0) + 1;
  };
  let number = 0;
  const lane = async (): Promise<void> => {
    // Until all are done, and all that have to die are dead.
    while (number < calls || seen.lost < kills) await run(number++);
  };
  await Promise.all([kill(app, started, seen), ...Array.from({ length: lanes }, lane)]);
  await app.close();
  const ends = ['right', 'stopped', 'WORKER_LOST'];
  const strange = Object.keys(tally).filter((kind) => !ends.some((end) => kind.endsWith(end)));
  expect(strange).toEqual([]);
  expect(tally['call: right']).toBeGreaterThan(1_000);
  expect(tally['retried: right']).toBeGreaterThan(1_000);
  expect(seen.lost).toBeGreaterThanOrEqual(50);
  expect(await countAlive(started)).toBe(0);
}

/** Kills one of the two newest workers again and again, from outside or from inside. */
async function kill(
  app: App,
  started: readonly TestWorker[],
  seen: { readonly starts: number; readonly lost: number },
): Promise<void> {
  while (seen.lost < kills) {
    await pause(Math.random() * 60);
    if (seen.starts <= seen.lost) continue;
    if (Math.random() < 0.3) await app.run('die').settled;
    else await started.at(-1 - Math.round(Math.random()))?.terminate();
  }
}

function reasonOf(error: unknown): string {
  if (error === stopped) return 'stopped';
  // An assertion that fails, or whatever else has no place here, fails the test.
  return isQTasksError(error) ? error.code : String(error);
}

/** How many threads are left: those that answer. */
async function countAlive(started: readonly TestWorker[]): Promise<number> {
  const answers = started.map(async (worker) => {
    const app = connect<Tasks>(worker, { readyTimeout: 2_000 });
    const { status } = await app.run('add', 1, 1).settled;
    await app.close();
    return status;
  });
  return (await Promise.all(answers)).filter((status) => status === 'success').length;
}
