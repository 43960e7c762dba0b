import { createRequire } from 'node:module';
import { describe, expect, test, vi } from 'vitest';
import { type Example, type PlaygroundPage, PlaygroundStage } from '../support/playground.js';

declare global {
  interface Window {
    /** What the test puts into the page. */
    axe: typeof import('axe-core');
  }
}

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const examples: Example[] = ['coffee', 'registration', 'chatbot', 'pipeline', 'originals'];

/** So that there is something to find: an error, a chat, an editor. */
const busy: Partial<Record<Example, (at: PlaygroundPage) => Promise<void>>> = {
  async registration(at) {
    await at.click('Next');
    await at.sees('Please enter a name.');
  },
  async chatbot(at) {
    await at.page.getByLabel('Message').fill('hello');
    await at.click('Send');
    await at.field('step', '"size"');
  },
  async pipeline(at) {
    await at.click('Edit done');
    await at.page.getByLabel('New value of done, as JSON').fill('wrong');
  },
};

const stage = new PlaygroundStage();

describe('the state inspector', () => {
  test.concurrent.each(['page', 'worker'] as const)(
    'edits and clears, with tasks in %s',
    async (run) => {
      const opening = { run, state: 'indexeddb', example: 'registration' } as const;
      const at = await stage.open(opening);
      await at.page.getByLabel('Your name').fill('Ann');
      await at.click('Next');
      await at.field('name', 'by a task');
      const before = await at.page.locator('.revision').textContent();

      await at.click('Edit name');
      const editor = at.page.getByLabel('New value of name, as JSON');
      await editor.fill('"Bea');
      expect(await at.page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
      await editor.fill('"Bea"');
      await editor.press('Enter');
      await at.field('name', '"Bea"');
      await at.field('name', 'by hand');
      expect(await at.page.locator('.revision').textContent()).not.toBe(before);

      // The form shows what is stored, whoever has written it.
      await at.page.getByLabel('Your phone number').fill('+351 900 000 000');
      await at.click('Next');
      await at.sees('Bea, +351 900 000 000: is everything right?');

      await at.click('Clear');
      await at.page.getByLabel('Your name').waitFor();
      await at.field('step', 'initial');
      await at.sees('revision none');
      expect(at.faults).toEqual([]);
    },
  );
});

test.concurrent('what a visitor types into a field stays while tasks write it', async () => {
  const at = await stage.open({ example: 'pipeline' });
  await at.click('Edit done');
  const editor = at.page.getByLabel('New value of done, as JSON');
  await editor.fill('7');
  await at.click('Import');
  await at.sees('356 rows are in.');
  expect(await editor.inputValue()).toBe('7');
  await editor.press('Escape');
  await editor.waitFor({ state: 'detached' });
});

test.concurrent('the editor takes the focus once, and gives it back', async () => {
  const at = await stage.open({ example: 'pipeline' });
  const focused = () => at.page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  await at.click('Edit done');
  const editor = at.page.getByLabel('New value of done, as JSON');
  await vi.waitFor(async () => expect(await focused()).toBe('New value of done, as JSON'));
  await at.click('Import');
  const timeline = at.page.getByRole('listbox');
  await timeline.focus();
  // Each page is a write, which draws the editor again.
  await at.sees('356 rows are in.');
  expect(await focused()).toBe(await timeline.getAttribute('aria-label'));
  await editor.press('Escape');
  await editor.waitFor({ state: 'detached' });
  expect(await focused()).toBe('Edit done');
});

test.concurrent('the panels show whatever the inspector has written', async () => {
  const opening = { state: 'indexeddb', example: 'pipeline' } as const;
  const at = await stage.open(opening);
  await at.page.locator('.example .demo').waitFor();
  // Neither has a number, and the first one no string.
  for (const value of ['{"toString":1,"valueOf":1}', '"<img src=x onerror=alert(1)>"']) {
    for (const field of ['rows', 'done']) {
      await at.click(`Edit ${field}`);
      const editor = at.page.getByLabel(`New value of ${field}, as JSON`);
      await editor.fill(value);
      await editor.press('Enter');
      await at.field(field, value);
    }
    await at.page.getByText('0 of 8 pages').waitFor();
  }
  expect(at.faults).toEqual([]);
});

test.concurrent('the timeline is read by keyboard', async () => {
  const at = await stage.open({});
  await at.sees('Served. Both steps');
  await at.page.getByRole('listbox').focus();
  await at.page.keyboard.press('Home');
  await at.sees(/^grind: success · opening \d+ ms · body \d+ ms · teardown \d+ ms · with machine$/);
  await at.page.keyboard.press('ArrowRight');
  await at.sees(/^brew: success .* with machine · 4 yields$/);
  await at.page.keyboard.press('Escape');
  await at.sees('Choose a run');
});

test.concurrent('the switches and tabs work by keyboard', async () => {
  const at = await stage.open({});
  await at.page.getByRole('radio', { name: 'Page' }).focus();
  await at.page.keyboard.press('ArrowRight');
  await at.sees('worker 0 ready');
  await at.page.getByRole('link', { name: 'Pipeline' }).focus();
  await at.page.keyboard.press('Enter');
  await at.page.getByRole('heading', { name: 'Pipeline' }).waitFor();
});

test.concurrent('the graph shows what the tasks need', async () => {
  const at = await stage.open({});
  const graph = at.page.getByRole('img', { name: 'grind needs machine' });
  expect(await graph.getAttribute('aria-label')).toContain('refill needs coffee');
});

test.concurrent.each([
  { colorScheme: 'light', width: 1_280 },
  { colorScheme: 'dark', width: 1_280 },
  { colorScheme: 'light', width: 360 },
  { colorScheme: 'dark', width: 320 },
] as const)(
  'axe finds nothing in the $colorScheme, $width wide',
  { timeout: 120_000 },
  async ({ colorScheme, width }) => {
    const viewport = { width, height: 900 };
    const at = await stage.open({ run: 'pool', viewport });
    await at.page.emulateMedia({ colorScheme });
    await at.page.addScriptTag({ path: axe });
    await at.sees('Served. Both steps');
    for (const example of examples) {
      await at.show(example);
      await at.page.locator(`nav a[href="#${example}"][aria-current]`).waitFor();
      await at.page.locator('.example[aria-busy=false] .demo').waitFor();
      await busy[example]?.(at);
      const found = await at.page.evaluate(async () => {
        const { violations } = await window.axe.run();
        return violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]);
      });
      expect(found, example).toEqual([]);
      expect(await at.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    }
  },
);

test.each([1_280, 360])('nothing jumps while tasks run, %i wide', async (width) => {
  const at = await stage.open({
    run: 'worker',
    state: 'indexeddb',
    isMoving: true,
    viewport: { width, height: 900 },
  });
  await at.sees('Served. Both steps');
  await at.show('pipeline');
  await at.click('Import');
  await at.sees('356 rows are in.');
  await at.click('Kill worker 0');
  await at.sees('worker 0 ready');
  expect(await at.shifts()).toEqual([]);
});
