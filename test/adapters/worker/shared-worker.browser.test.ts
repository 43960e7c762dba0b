/** A shared worker on the storage of the page that it is given the port of. */
import { expect, test } from 'vitest';
import { memory } from '../../../adapters/memory.js';
import { answerStorage } from '../../../adapters/worker/answer-storage.js';
import { Endpoint } from '../../../adapters/worker/endpoint.js';

test('a shared worker has no host but those whose port it gives', async () => {
  const storage = memory();
  for (const count of [1, 2]) {
    const url = new URL('./shared.worker.ts', import.meta.url);
    const { port } = new SharedWorker(url, { type: 'module' });
    const endpoint = new Endpoint(port);
    const stop = answerStorage(endpoint, storage);
    const message = await new Promise((resolve) => {
      endpoint.listen((answer) => {
        resolve(answer);
        return true;
      });
    });
    expect(message).toEqual({ own: 'STORAGE_UNAVAILABLE', count });
    stop();
    port.close();
  }
});
