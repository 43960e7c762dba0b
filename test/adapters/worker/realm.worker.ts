/** The other thread of the tests, a Web Worker or one of Node. */
import { Endpoint, parentEndpoint } from '../../../adapters/worker/endpoint.js';
import { driver } from './driver.js';
import type { Answer, Call } from './realm.js';

const source = parentEndpoint();
if (!source) throw new Error('this is no worker');
const parent = new Endpoint(source);

parent.listen((message) => {
  const call = message as Call;
  const isMeant = typeof call.method === 'string';
  if (isMeant) void answer(call);
  return isMeant;
});

async function answer({ realm, method, args }: Call): Promise<void> {
  try {
    const run = driver[method] as (...args: readonly unknown[]) => unknown;
    const result = await run(...args);
    parent.post({ realm, result } satisfies Answer);
  } catch (error) {
    const text = error instanceof Error ? `${error.stack ?? error}` : String(error);
    parent.post({ realm, error: text } satisfies Answer);
  }
}
