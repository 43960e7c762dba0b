/** Which worker of a pool gets a call. */
import { expect, it } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { type Serving, serve } from '../../../adapters/worker/index.js';
import { QTasks, task } from '../../../src/index.js';
import { Counter } from '../../support/workers/tasks.js';
import { connectTo, open, started } from '../../support/workers.js';

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

it('where a worker is not followed by another one, the sessions of the others stay where they are', async () => {
  const servings: Serving[] = [];
  let isOver = false;
  const app = connectTo(
    () => {
      if (isOver) throw new RangeError('no more');
      const { port1, port2 } = new MessageChannel();
      const place = servings.length;
      const which = task('which', () => `${place}`, { exclusive: true });
      servings.push(serve(new QTasks({ tasks: { which }, storage: memory() }), { port: port1 }));
      return port2;
    },
    { size: 3 },
  );
  const sessions = Array.from({ length: 16 }, (_, index) => app.session(`session ${index}`));
  const ask = () => Promise.all(sessions.map((session) => session.run('which' as 'readInstance')));
  const before = await ask();
  expect(new Set(before).size).toBe(3);
  isOver = true;
  const lost = new Promise((resolve) => app.on('worker:lost', resolve));
  await Promise.all([lost, servings[1]?.close()]);
  // Those of its sessions wait until nobody will follow it.
  await ask();
  const after = await ask();
  expect(after.map((place, index) => (before[index] === '1' ? '1' : place))).toEqual(before);
  expect(after).not.toContain('1');
  await app.close({ drain: 0 });
  await Promise.all(servings.map((serving) => serving.close()));
});
