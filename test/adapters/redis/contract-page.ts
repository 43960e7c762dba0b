/** The contract suite in a page of Chromium, run test by test from Node. */
import { redis } from '../../../adapters/redis.js';
import { testStorage } from '../../../adapters/testing/index.js';

const parameters = new URL(location.href).searchParams;
const tests = new Map<string, () => Promise<void>>();

testStorage(
  (name, run) => tests.set(name, run),
  'redis in a page',
  () => ({
    open: () => redis({ url: parameters.get('url') ?? '', token: parameters.get('token') ?? '' }),
  }),
);

/** What the page offers to the test in Node. */
export interface Contract {
  run(name: string): Promise<void> | undefined;
}

const contract: Contract = { run: (name) => tests.get(name)?.() };
Object.assign(globalThis, { contract });
