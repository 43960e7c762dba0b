/** Whatever befalls a run wherever it is: the table of all combinations, one test for each cell. */
import { describe, expect, it } from 'vitest';
import { isQTasksError, type QTasks, type Settled } from '../../src/index.js';
import { settle } from '../support/clock.js';
import { type Place, places, Stage } from '../support/stage.js';

const events = [
  'is cancelled',
  'is cancelled by the close of its app',
  'times out',
  'times out with a retry left',
  'fails',
  'fails with a retry left',
] as const;
type Event = (typeof events)[number];

const variants = [
  'alone',
  'with middleware around',
  'as what stops there goes on within grace',
  'as what stops there goes on past grace',
  'as what stops there goes on past grace, with middleware around',
] as const;
type Variant = (typeof variants)[number];

interface Cell {
  readonly event: Event;
  readonly place: Place;
  readonly variant: Variant;
}

/** How a run ends: its status, how many attempts it had, and its error or value. */
type Outcome = readonly [status: Settled<unknown>['status'], attempts: number, what: unknown];

const reason = { why: 'enough' };
const no = new Error('no');
const timeout = 100;
const grace = 50;

/** Where no attempt goes on. */
const outside: readonly Place[] = [
  'the check of the arguments',
  'the wait for a slot',
  'the wait for the lock',
  'the backoff',
];

/** Where nothing of it can happen: the run goes on as if nothing were. */
function isSpared({ event, place }: Cell): boolean {
  if (event.startsWith('times out')) return outside.includes(place) || place === 'the teardown';
  if (event.startsWith('fails')) return place === 'the wait for a slot' || place === 'the backoff';
  return place === 'the teardown';
}

function expected(cell: Cell): Outcome {
  const { event, place } = cell;
  const attempts = outside.includes(place) && place !== 'the backoff' ? 0 : 1;
  if (isSpared(cell)) return ['success', place === 'the backoff' ? 2 : 1, 'value'];
  if (event === 'is cancelled') return ['cancel', attempts, reason];
  if (event === 'is cancelled by the close of its app') return ['cancel', attempts, 'APP_CLOSED'];
  // A call that is wrong is not made again.
  if (place === 'the check of the arguments') return ['error', 0, no];
  // What the reader has got cannot be taken back.
  const isDelivered = place === 'a yield whose reader does not read on';
  if (event.endsWith('with a retry left') && !isDelivered) return ['success', 2, 'value'];
  if (event.startsWith('times out')) return ['error', 1, 'TASK_TIMEOUT'];
  if (place === 'the teardown') return ['error', 1, 'CLEANUP_FAILED'];
  if (place === 'the wait for the lock') return ['error', 1, 'STORAGE_UNAVAILABLE'];
  return ['error', 1, no];
}

/** Lets it happen. */
async function befall({ event }: Cell, { caller, app, exit, clock }: Stage): Promise<void> {
  if (event === 'is cancelled') caller.controller.abort(reason);
  else if (event.startsWith('is cancelled')) void app.close({ drain: 0 });
  else if (event.startsWith('fails')) exit.reject(no);
  await clock.advance(event.startsWith('times out') ? timeout : 0);
}

/** What stops there does not go on at once; it has `grace`. */
async function dawdle({ event, variant }: Cell, stage: Stage): Promise<void> {
  const { clock, run, exit } = stage;
  await clock.advance(grace - 1);
  expect(run.status).toBe('process');
  if (variant.includes('within')) exit.resolve();
  await clock.advance(1);
  const isRetried = event === 'times out with a retry left' && !stage.reader;
  if (isRetried) expect(run.status).toBe('retry');
  else expect(run.status).not.toBe('process');
}

/** The rest of what there is to read; it ends as the run does. */
async function readOn({ reader }: Stage): Promise<unknown> {
  try {
    while (!(await reader?.next())?.done) {}
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Every one that opened was closed once, the last one first. */
function expectClosed(log: readonly string[]): void {
  const open: string[] = [];
  for (const line of log) {
    const [name = ''] = line.slice(1).split(' ');
    if (line.startsWith('+')) open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
}

/** A run that needs the slot and the lock gets both at once. */
async function expectFree(...apps: readonly QTasks[]): Promise<void> {
  for (const app of apps) {
    const probe = app.task('probe', () => 'free', { exclusive: true })();
    await settle();
    expect(probe.status).toBe('success');
  }
}

async function play(cell: Cell): Promise<void> {
  const { event, place, variant } = cell;
  const isAborted = !event.startsWith('fails') && !isSpared(cell);
  const stage = new Stage({
    place,
    canFail: event.startsWith('fails'),
    heeds: !variant.includes('goes on'),
    hasMiddleware: variant.includes('middleware'),
    timeout: event.startsWith('times out') ? timeout : undefined,
    retries: event === 'is cancelled' || event.endsWith('left') || place === 'the backoff' ? 1 : 0,
  });
  const { clock, run, log, exit, free, caller, app, other } = stage;
  let end: Settled<unknown> | undefined;
  void run.settled.then((settled) => {
    end = settled;
  });
  expect(await stage.reach()).toBe(true);
  const before = [run.status, ...log];

  await befall(cell, stage);
  if (isSpared(cell)) expect([run.status, ...log]).toEqual(before);
  else if (isAborted && variant.includes('goes on')) await dawdle(cell, stage);
  // What waits, or is torn down, is let go; elsewhere the run has to end without.
  free.resolve();
  if (place === 'the teardown' || isSpared(cell)) exit.resolve();
  await clock.advance(10_000);

  const [status, attempts, what] = expected(cell);
  expect(end).toMatchObject({ status, attempts });
  const got = status === 'success' ? end?.value : end?.error;
  if (typeof what === 'string' && status !== 'success')
    expect(isQTasksError(got) && got.code).toBe(what);
  else expect(got).toBe(what);
  if (stage.reader) expect(await readOn(stage)).toBe(status === 'success' ? undefined : got);

  // What is late must not matter any more, but is closed, too.
  if (variant.includes('middleware')) exit.reject(no);
  else exit.resolve();
  await clock.advance(10_000);
  expectClosed(log);
  expect(stage.ends).toEqual([`run:${status}`]);
  if (event === 'is cancelled by the close of its app') {
    // Closed again, it gives the same promise.
    let isClosed = false;
    void app.close().then(() => {
      isClosed = true;
    });
    await settle();
    expect(isClosed).toBe(true);
    await expectFree(other);
  } else await expectFree(other, app);
  expect(clock.pending).toBe(0);
  expect(caller.listeners.size).toBe(0);
}

for (const place of places) {
  describe(`in ${place}`, () => {
    for (const event of events) {
      for (const variant of variants) {
        const cell = { place, event, variant };
        // Only what is aborted can go on all the same.
        if (variant.includes('goes on') && (isSpared(cell) || event.startsWith('fails'))) continue;
        if (variant.includes('goes on') && outside.includes(place)) continue;
        // A schema is not told of the abort.
        const isDeaf = place === 'the check of the result';
        if (isDeaf && event.match(/cancel|time/) && !variant.includes('goes on')) continue;
        const [status, attempts] = expected(cell);
        const outcome = `${status} after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
        it(`a run that ${event} ${variant} ends: ${outcome}`, () => play(cell));
      }
    }
  });
}
