/** A page whose policy forbids its workers: a file of its own, as a policy cannot be taken back. */
import { expect, it } from 'vitest';
import { isQTasksError } from '../../../src/index.js';
import { rejection } from '../../support/promises.js';
import { connectTo } from '../../support/workers.js';

it('a script that the policy of the page blocks fails the calls, and the error names its URL', async () => {
  const policy = document.createElement('meta');
  policy.httpEquiv = 'Content-Security-Policy';
  policy.content = "worker-src 'none'";
  document.head.append(policy);
  const url = new URL('/blocked.js', location.href).href;
  const error = await rejection(connectTo(() => new Worker(url)).run('add', 1, 2));
  expect(isQTasksError(error, 'WORKER_LOAD_FAILED')).toBe(true);
  expect((error as Error).message).toContain(url);
  expect(error).toMatchObject({ data: { url } });
});
