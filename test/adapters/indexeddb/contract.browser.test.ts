/** The storage contract on IndexedDB, with openers of one database. */
import { test } from 'vitest';
import { indexeddb } from '../../../adapters/indexeddb.js';
import { testStorage } from '../../../adapters/testing/index.js';

testStorage(test, 'indexeddb', () => ({ open: () => indexeddb({ database: 'contract' }) }));
