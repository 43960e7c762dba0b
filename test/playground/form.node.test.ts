import { expect, test } from 'vitest';
import { addressOf, PlaygroundPage, PlaygroundStage } from '../support/playground.js';

const stage = new PlaygroundStage();

test.concurrent.each([
  { run: 'page', state: 'indexeddb' },
  { run: 'worker', state: 'localstorage' },
  { run: 'pool', state: 'redis' },
] as const)(
  'a form goes on after a reload and in a second tab: in $run on $state',
  async ({ run, state }) => {
    const opening = { run, state, example: 'registration' } as const;
    const first = await stage.open(opening);
    await first.page.getByLabel('Your name').fill('Ann');
    await first.click('Next');
    await first.page.getByLabel('Your phone number').waitFor();

    await first.page.reload();
    await first.page.getByLabel('Your phone number').waitFor();
    await first.field('name', 'earlier');

    const second = new PlaygroundPage(await first.page.context().newPage());
    await second.page.goto(addressOf(stage.url, opening));
    await second.page.getByLabel('Your phone number').fill('+351 900 000 000');
    await second.click('Next');

    // The first tab hears of it.
    await first.sees('Ann, +351 900 000 000: is everything right?');
    await first.field('phone', 'elsewhere');
    await second.field('phone', 'by a task');
    await first.click('Register');
    await first.sees(/^Welcome, Ann/);
    await second.sees(/^Welcome, Ann/);
    expect(first.faults).toEqual([]);
  },
);

test.concurrent('in memory it goes on in the page that it was begun in, wherever its tasks run', async () => {
  const at = await stage.open({ example: 'registration' });
  await at.page.getByLabel('Your name').fill('Ann');
  await at.click('Next');
  await at.page.getByLabel('Your phone number').waitFor();
  await at.page.getByRole('radio', { name: 'Worker' }).check();
  await at.sees('worker 0 ready');
  await at.page.getByLabel('Your phone number').fill('+351 900 000 000');
  await at.click('Next');
  await at.sees('Ann, +351 900 000 000: is everything right?');

  await at.page.reload();
  await at.page.getByLabel('Your name').waitFor();
});

test.concurrent('two visitors of Redis have a session each', async () => {
  const opening = { run: 'page', state: 'redis', example: 'registration' } as const;
  const ann = await stage.open(opening);
  await ann.page.getByLabel('Your name').fill('Ann');
  await ann.click('Next');
  await ann.page.getByLabel('Your phone number').waitFor();
  const bob = await stage.open(opening);
  await bob.page.getByLabel('Your name').waitFor();
});

test('the login route signs a token for nobody who has not logged in', async () => {
  const { status } = await fetch(new URL('/api/token', stage.url), { method: 'POST' });
  expect(status).toBe(401);
});
