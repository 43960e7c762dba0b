/** A connection that ends at a moment that no worker can be made to choose. */
import { expect, it } from 'vitest';
import { Endpoint } from '../../../adapters/worker/endpoint.js';
import { Link } from '../../../adapters/worker/link.js';
import { RemoteStorage } from '../../../adapters/worker/remote-storage.js';
import { rejection } from '../../support/promises.js';
import { bucket } from './channel.js';

it('a storage whose connection has ended before it was used fails', async () => {
  const { port1 } = new MessageChannel();
  const host = { opened() {}, ended() {}, settle() {}, event() {} };
  // What is sent gets nowhere, and so nothing tells that the port of the storage is closed.
  const endpoint = Object.assign(new Endpoint(port1), { post() {} });
  const link = new Link(
    host,
    { endpoint, url: undefined },
    {
      app: undefined,
      readyTimeout: 1_000,
      grace: 100,
      errors: {},
      storage: undefined,
      prefix: 'test-',
    },
  );
  const storage = new RemoteStorage('worker', async () => {
    const opened = link.openStorage();
    link.end('the test ends it');
    return opened;
  });
  expect(await rejection(storage.read(bucket()))).toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    cause: { message: expect.stringContaining('the test ends it') },
  });
  port1.close();
});
