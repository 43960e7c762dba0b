/** The storage contract on localStorage and sessionStorage. */
import { test } from 'vitest';
import { localstorage } from '../../../adapters/localstorage.js';
import { testStorage } from '../../../adapters/testing/index.js';

testStorage(test, 'localstorage', () => ({ open: () => localstorage() }));
testStorage(test, 'sessionstorage', () => ({ open: () => localstorage({ area: sessionStorage }) }));
