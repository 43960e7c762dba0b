import { test } from 'vitest';
import { chaos } from './chaos.js';

test(
  'workers that are killed all the time leave no call unsettled, and none of them stays',
  chaos,
  240_000,
);
