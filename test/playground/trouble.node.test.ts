import { expect, test, vi } from 'vitest';
import { PlaygroundStage } from '../support/playground.js';

const stage = new PlaygroundStage();

test.concurrent.each([
  { run: 'pool', state: 'redis' },
  { run: 'worker', state: 'memory' },
  { run: 'worker', state: 'indexeddb' },
] as const)(
  'a killed worker is shown, another one takes its place: in $run on $state',
  { timeout: 120_000 },
  async ({ run, state }) => {
    const at = await stage.open({ run, state, example: 'pipeline' });
    await at.sees('worker 0 ready');
    // Behind the library's back: the page calls `terminate` of each, whichever has the run.
    await at.clickThrough('Import', 'Page 2 of 8 is in.', 'Kill');
    await at.sees(/^WORKER_LOST/);
    const losses = at.page.locator('line.loss');
    await losses.nth(run === 'pool' ? 1 : 0).waitFor({ state: 'attached' });
    const lost = (await at.runs()).filter((said) => said.includes(': lost'));
    expect(lost).toContainEqual(expect.stringContaining('import_pages'));
    expect(await at.counter('lost')).toBe(lost.length);
    expect((await at.runs()).filter((said) => said.includes('running'))).toEqual([]);

    await at.sees('worker 0 ready');
    await at.click(/Go on|Import/);
    // Redis keeps the hold of the worker that is dead for half a minute.
    await at.sees('356 rows are in.', 60_000);
    expect(at.faults).toEqual([]);
  },
);

test.concurrent.each(['page', 'worker', 'pool'] as const)(
  'a pipeline is cancelled in mid-run in %s, and goes on where it was',
  async (run) => {
    const at = await stage.open({ run, example: 'pipeline' });
    await at.clickThrough('Import', 'Page 2 of 8 is in.', 'Cancel');
    await at.sees('Cancelled by you.');
    await at.click('Go on');
    await at.sees('356 rows are in.');

    const imports = (await at.runs()).filter((said) => said.startsWith('import_pages'));
    expect(imports).toEqual([
      expect.stringContaining('import_pages: cancel'),
      expect.stringContaining('import_pages: success'),
    ]);
    expect(at.faults).toEqual([]);
  },
);

test.concurrent('an answer whose worker is killed comes from the next worker', async () => {
  const opening = { run: 'worker', state: 'indexeddb', example: 'chatbot' } as const;
  const at = await stage.open(opening);
  await at.sees('worker 0 ready');
  await at.page.getByLabel('Message').fill('hello');
  // In one turn: before the worker could say a word. The run has an id and its task has retries.
  await at.page.evaluate(() => {
    for (const name of ['.say .primary', '.worker button']) {
      document.querySelector<HTMLButtonElement>(name)?.click();
    }
  });
  await at.page.getByRole('log').getByText('Hello! A small pizza').waitFor();
  await at.field('step', '"size"');
  expect(at.faults).toEqual([]);
});

test.concurrent('a visitor who is not let in leaves no workers behind', async () => {
  const at = await stage.open({ run: 'worker', state: 'memory' });
  await at.sees('worker 0 ready');
  await at.page.route('**/api/login', (route) => route.fulfill({ status: 500 }));
  await at.page.getByRole('radio', { name: 'Redis' }).check();
  await at.sees('/api/login has answered 500');
  await vi.waitFor(() => expect(at.page.workers()).toEqual([]));
  await at.page.getByRole('radio', { name: 'Memory' }).check();
  await at.sees('worker 0 ready');
  expect(at.page.workers()).toHaveLength(1);
});

test.concurrent('a retry is a new attempt of the same run', async () => {
  const at = await stage.open({ example: 'pipeline' });
  await at.click('Import');
  await at.sees('356 rows are in.');
  const extracts = (await at.runs()).filter((said) => said.startsWith('extract'));
  expect(extracts).toHaveLength(8);
  expect(extracts.filter((said) => said.includes('attempt 2'))).toHaveLength(2);
});
