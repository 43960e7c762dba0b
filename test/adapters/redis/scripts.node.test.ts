import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import * as scripts from '../../../adapters/redis/scripts.js';

test.each(Object.entries(scripts))('the SHA-1 of "%s" is that of its text', (_name, script) => {
  expect(script.sha).toBe(createHash('sha1').update(script.text).digest('hex'));
});
