/** What browsers refuse to move; Node 20 sends an empty buffer then. */
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { open } from '../../support/workers.js';

it('a buffer that has moved already fails the next call with it', async () => {
  const app = open();
  const buffer = new Uint8Array([1, 2]).buffer;
  const client = app.with({ transfer: [buffer] });
  await client.run('moveBack', buffer);
  const error = await rejection(client.run('moveBack', buffer));
  expect(isQTasksError(error, 'VALUE_UNSUPPORTED')).toBe(true);
});
