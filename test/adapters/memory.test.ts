import { test } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { testStorage } from '../../adapters/testing/index.js';

testStorage(test, 'memory', () => memory());
