import type { Page } from 'playwright';
import { afterAll, beforeAll, test } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { testStorage } from '../../../adapters/testing/index.js';
import { Tabs } from '../../support/tabs.js';
import type { Contract } from './contract-page.js';
import { Stage } from './support.js';

declare const contract: Contract;

const stage = new Stage();
let tabs: Tabs;
let page: Page;

beforeAll(async () => {
  tabs = await Tabs.launch({ modules: { page: 'test/adapters/redis/contract-page.ts' } });
  const { url, token } = stage.rest;
  ({ page } = await tabs.open(`${tabs.url}/page?${new URLSearchParams({ url, token })}`));
});

afterAll(() => tabs?.close());

// Only the names are taken here; what they stand for runs in the page.
testStorage(
  (name) => test(name, () => page.evaluate((name) => contract.run(name), name)),
  'redis in a page',
  () => memory(),
);
