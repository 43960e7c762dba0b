import { expect, test } from 'vitest';
import { type PlaygroundPage, PlaygroundStage, places, stores } from '../support/playground.js';

const stage = new PlaygroundStage();

const combinations = places.flatMap((run) => stores.map((state) => ({ run, state })));

test.concurrent.each(combinations)(
  'every example runs in $run on $state',
  { timeout: 120_000 },
  async ({ run, state }) => {
    const at = await stage.open({ run, state, example: 'coffee' });
    await coffee(at);
    await registration(at);
    await chatbot(at);
    await pipeline(at);
    await originals(at, state === 'redis');
    expect(at.faults).toEqual([]);
    await at.page.close();
  },
);

/** It plays once by itself. */
async function coffee(at: PlaygroundPage): Promise<void> {
  await at.sees('Served. Both steps');
  await at.field('step', '"served"');
  await at.field('cups', '1');
  await at.click('100 refills at once');
  await at.sees('no cup is lost');
  await at.field('cups', '101');
}

async function registration(at: PlaygroundPage): Promise<void> {
  await at.show('registration');
  await at.click('Next');
  await at.sees('Please enter a name.');
  await at.page.getByLabel('Your name').fill(' Ann ');
  await at.click('Next');
  await at.page.getByLabel('Your phone number').fill('+351 900 000 000');
  await at.click('Next');
  await at.sees('Ann, +351 900 000 000: is everything right?');
  await at.click('Register');
  await at.sees(/^Welcome, Ann, you are number \d+\.$/);
  await at.field('step', '"done"');
}

async function chatbot(at: PlaygroundPage): Promise<void> {
  await at.show('chatbot');
  for (const [text, answer] of [
    ['hello', 'Hello! A small pizza, or a large one?'],
    ['large', 'A large one. Where do you live?'],
    ['7 Harbour Street', 'A large pizza, to 7 Harbour Street. Yes?'],
    ['yes', 'It is on its way.'],
  ] as const) {
    await at.page.getByLabel('Message').fill(text);
    await at.click('Send');
    await at.page.getByRole('log').getByText(answer, { exact: true }).waitFor();
    await at.page.locator('button:enabled', { hasText: 'Send' }).waitFor();
  }
  await at.field('step', '"greeting"');
}

async function pipeline(at: PlaygroundPage): Promise<void> {
  await at.show('pipeline');
  await at.click('Import');
  await at.sees('356 rows are in.');
  await at.field('done', '8');
  expect(await at.counter('retries')).toBe(2);
}

/** A visitor's session is in the lines, and on Redis a token opens no other. */
async function originals(at: PlaygroundPage, isVisitors: boolean): Promise<void> {
  await at.show('originals');
  await at.page.waitForSelector('#output[aria-busy=false]');
  const who = isVisitors ? ' \\(visitor \\w+\\)' : '';
  const line = (task: string, what: string) =>
    expect.stringMatching(`^\\[example\\] ${task}${who} ${what}$`);
  const text = (await at.page.textContent('#output')) ?? '';
  expect(text.split('\n').slice(0, -1)).toEqual([
    'Example 1: Depends',
    line('test_depends', 'started'),
    'Call completed',
    line('test_depends', 'completed'),
    'close...',
    'Example 2: AsyncState',
    line('step1', 'started'),
    line('step1', 'completed'),
    line('step2', 'started'),
    '{"state":"await_phone","step":1,"prompt":"Enter phone number"}',
    line('step2', 'completed'),
  ]);
}
