import { expect, test } from 'vitest';
import { redis } from '../../../adapters/redis.js';

const client = { call: () => {}, duplicate: () => {}, on: () => {} };
const url = 'https://redis.example';
const token = 'token';
const open = redis as (options: unknown) => ReturnType<typeof redis>;

test.for<[what: string, options: unknown]>([
  ['nothing', undefined],
  ['no object', 3],
  ['no url', { token }],
  ['an empty url', { url: '', token }],
  ['no token', { url }],
  ['an empty token', { url, token: '' }],
  ['a token that no header can carry', { url, token: 'a\nb' }],
  ['a token that is none', { url, token: 3 }],
  ['a url that is none', { url: 'http://', token }],
  ['a url of something else', { url: 'redis://127.0.0.1:6379', token }],
  ['a url with credentials', { url: 'https://user:secret@redis.example', token }],
  ['a fetch that is no function', { url, token, fetch: true }],
  ['a client that is none', { client: {} }],
  ['a client that is null', { client: null }],
  ['a client that cannot be asked', { client: { ...client, call: undefined } }],
  ['a cluster of node-redis', { client: { ...client, call: undefined, sendCommand: () => {} } }],
  ['a client with a prefix of keys', { client: { ...client, options: { keyPrefix: 'mine:' } } }],
  ['both', { client, url, token }],
  ['an option that there is not', { url, token, database: 1 }],
  ['a retry that is no object', { url, token, retry: 3 }],
  ['retries that are no number', { url, token, retry: { limit: '3' } }],
  ['a negative delay', { url, token, retry: { delay: -1 } }],
  ['no time for an attempt', { url, token, retry: { timeout: 0 } }],
  ['a retry option that there is not', { client, retry: { factor: 2 } }],
])('refuses %s', ([, options]) => {
  expect(() => open(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
});

test('no message contains a token or the credentials of a url', () => {
  for (const options of [
    { url: 'https://user:secret@redis.example', token },
    { url, token: 'secret\n' },
    { url: 'http://secret:port', token },
  ]) {
    expect(() => open(options)).toThrow(/^(?!.*secret)/s);
  }
});

test('takes every option as undefined', () => {
  expect(open({ url, token, fetch: undefined, retry: undefined })).toMatchObject({
    name: 'redis',
    scope: 'shared',
  });
  const none = { limit: undefined, delay: undefined, maxDelay: undefined, timeout: undefined };
  expect(open({ client, retry: none })).toMatchObject({ name: 'redis' });
});

test('one that was never used can be closed', async () => {
  await open({ url, token }).close();
  await open({ client }).close();
});
