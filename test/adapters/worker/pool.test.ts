/** Which worker of a pool gets a call. */
import { expect, it } from 'vitest';
import { Counter } from '../../support/workers/tasks.js';
import { open, started } from '../../support/workers.js';

/** A client of two workers that are both there. */
async function two() {
  const app = open('app', { size: 2 });
  await started(app, 2);
  return app;
}

it('the least busy worker gets the call', async () => {
  const app = await two();
  const first = await Promise.all([app.run('readInstance'), app.run('readInstance')]);
  expect(new Set(first).size).toBe(2);
  const busy = [app.run('pause', 300), app.run('pause', 300), app.run('pause', 300)];
  // Two of them are in one worker, so that this and the next one go to the other.
  const next = [app.run('readInstance'), app.run('readInstance')];
  const [a, b] = await Promise.all(next);
  expect(a).not.toBe(b);
  expect(await app.run('readInstance')).toBe(a);
  expect(await app.run('readInstance')).toBe(a);
  await Promise.all(busy);
});

it('runs of one session that use a state in memory go to one worker, those of several to both', async () => {
  const app = await two();
  const ann = app.session('ann');
  const results = await Promise.all(Array.from({ length: 10 }, () => ann.run('increment')));
  expect(results.map(({ count }) => count)).toEqual(Array.from({ length: 10 }, (_, at) => at + 1));
  expect(new Set(results.map(({ instance }) => instance)).size).toBe(1);
  const sessions = Array.from({ length: 16 }, (_, index) => `session ${index}`);
  const others = await Promise.all(sessions.map((id) => app.session(id).run('increment')));
  expect(others.map(({ count }) => count)).toEqual(Array(16).fill(1));
  expect(new Set(others.map(({ instance }) => instance)).size).toBe(2);
});

it('the page sees the state of a session in the worker that its runs go to', async () => {
  const app = await two();
  for (const id of ['ann', 'ben', 'cem', 'dan', 'eve']) {
    const session = app.session(id);
    await session.run('increment');
    expect(await session.state(Counter).get('count')).toBe(1);
    await session.state(Counter).set('count', 7);
    expect((await session.run('increment')).count).toBe(8);
  }
});

it('exclusive runs of different sessions go on at once in both workers', async () => {
  const app = await two();
  const sessions = Array.from({ length: 16 }, (_, index) => `session ${index}`);
  const results = await Promise.all(sessions.map((id) => app.session(id).run('alone', 'a', 200)));
  expect(new Set(results.map(({ instance }) => instance)).size).toBe(2);
  expect(Math.max(...results.map(({ others }) => others))).toBeGreaterThan(1);
});

it('closing a session closes its dependencies in all workers, and the next use opens afresh', async () => {
  const app = await two();
  const ann = app.session('ann');
  const use = () => Promise.all([ann.run('useAccount'), ann.run('useAccount')]);
  expect(new Set(await use()).size).toBe(2);
  const readNotes = () => Promise.all([app.run('readNotes'), app.run('readNotes')]);
  expect(await readNotes()).toEqual([['+account'], ['+account']]);
  await app.session('ben').close();
  expect(await readNotes()).toEqual([['+account'], ['+account']]);
  await ann.close();
  const closed = ['+account', '-account'];
  expect(await readNotes()).toEqual([closed, closed]);
  await use();
  const reopened = [...closed, '+account'];
  expect(await readNotes()).toEqual([reopened, reopened]);
});

it('calls with one id join whichever worker has it', async () => {
  const app = await two();
  const client = app.with({ id: 'key' });
  const runs = Array.from({ length: 4 }, () => client.run('note', 'once'));
  await Promise.all(runs);
  expect(new Set(runs).size).toBe(1);
  const notes = await Promise.all([app.run('readNotes'), app.run('readNotes')]);
  expect(notes.flat()).toEqual(['once']);
});
