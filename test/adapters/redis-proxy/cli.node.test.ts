/** The command line, as it is built: what it needs, what it serves, and how it ends. */
import { once } from 'node:events';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { isBuilt } from '../../../scripts/prepare.mjs';
import { ProxyProcess, type Started, startProgram } from '../../support/proxy-process.js';
import { adminToken, EventReader, ProxyStage, secret, tokenOf } from '../../support/redis-proxy.js';

const stage = new ProxyStage();
const secrets = { QTASKS_LITE_SECRET: secret, QTASKS_LITE_ADMIN_TOKEN: adminToken };
const bearer = { authorization: `Bearer ${adminToken}` };

beforeAll(() => {
  if (!isBuilt()) throw new Error('dist is older than its sources: run `npm run build`');
});

/** Runs to the end. */
async function run(started: Started) {
  const child = startProgram(started);
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data) => {
    stdout += data;
  });
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

/** Serves until the test ends. */
async function serve({ args = [], env = secrets }: Started = {}): Promise<ProxyProcess> {
  const proxy = await ProxyProcess.start(stage.server.url, { args, env });
  onTestFinished(() => proxy.kill());
  return proxy;
}

describe('it does not start', () => {
  test.each<[what: string, args: string[], env: Record<string, string>, message: RegExp]>([
    ['without secrets', ['redis-proxy'], {}, /QTASKS_LITE_SECRET.*QTASKS_LITE_ADMIN_TOKEN.*--dev/],
    [
      'with a short secret',
      ['redis-proxy'],
      { QTASKS_LITE_SECRET: 'short' },
      /secret.*32 characters/,
    ],
    ['with half of a JSON', ['redis-proxy'], { QTASKS_LITE_SECRET: '{"current"' }, /JSON/],
    ['without a command', [], secrets, /Usage: qtasks-lite redis-proxy/],
    ['with another command', ['other'], secrets, /Usage/],
    ['with an unknown option', ['redis-proxy', '--nothing'], secrets, /--nothing.*Usage/s],
    ['with no number of a port', ['redis-proxy', '--port', 'x'], secrets, /--port/],
    [
      'with another URL',
      ['redis-proxy', '--redis', 'http://u:pass@h'],
      secrets,
      /a URL like "redis/,
    ],
    ['with no origin', ['redis-proxy', '--cors', 'x'], secrets, /cors.*origin/],
  ])('%s', async (_what, args, env, message) => {
    const { code, stderr, stdout } = await run({ args, env });
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/pass@|\n {4}at /);
    expect(stdout).toBe('');
  });
});

test('--help tells how it is used', async () => {
  const { code, stdout } = await run({ args: ['--help'] });
  expect(code).toBe(0);
  expect(stdout).toContain('QTASKS_LITE_ADMIN_TOKEN');
});

describe('it serves', () => {
  test('on this machine alone, with both kinds of tokens', async () => {
    const args = ['--cors', 'https://a.example', '--cors', 'https://b.example'];
    const { url } = await serve({ args });
    expect(url.hostname).toBe('127.0.0.1');
    expect((await fetch(new URL('/healthz', url))).status).toBe(200);
    expect((await fetch(new URL('/ping', url))).status).toBe(401);
    const headers = { ...bearer, origin: 'https://b.example' };
    const answer = await fetch(new URL('/ping', url), { headers });
    expect(await answer.json()).toEqual({ result: 'PONG' });
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://b.example');
    const own = { authorization: `Bearer ${await tokenOf('ann')}` };
    expect((await fetch(new URL('/ping', url), { headers: own })).status).toBe(400);
    const path = `/hgetall/${encodeURIComponent('qt:{shop:ann:cart}')}`;
    expect(await (await fetch(new URL(path, url), { headers: own })).json()).toEqual({
      result: [],
    });
  });

  test('with secrets of its own for trying it out, which it prints', async () => {
    const { url, lines } = await serve({ args: ['--dev'], env: {} });
    const token = lines.find((line) => line.startsWith('QTASKS_LITE_ADMIN_TOKEN='))?.split('=')[1];
    expect(lines.some((line) => /^QTASKS_LITE_SECRET=[0-9a-f]{64}$/.test(line))).toBe(true);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(new URL('/ping', url), { headers })).status).toBe(200);
  });

  test('with secrets that have names', async () => {
    const keys = JSON.stringify({ current: 'new', keys: { new: 'n'.repeat(32), default: secret } });
    const { url } = await serve({ env: { QTASKS_LITE_SECRET: keys } });
    const headers = { authorization: `Bearer ${await tokenOf('ann')}` };
    const path = `/exists/${encodeURIComponent('qt:{shop:ann:cart}')}`;
    expect((await fetch(new URL(path, url), { headers })).status).toBe(200);
  });

  test('and logs each request, without keys, values and tokens', async () => {
    const { url, lines } = await serve();
    const session = await tokenOf('ann-of-the-log');
    await fetch(new URL('/set/key-of-the-log/value-of-the-log', url), { headers: bearer });
    await fetch(new URL(`/get/key-of-the-log?_token=${adminToken}`, url));
    await fetch(new URL('/Key-Of-The-Log', url));
    await fetch(new URL('/pipeline', url), {
      method: 'POST',
      headers: { authorization: `Bearer ${session}` },
      body: '[["GET","key-of-the-log"]]',
    });
    await expect.poll(() => lines.length).toBe(5);
    expect(lines.slice(1).map((line) => JSON.parse(line))).toMatchObject(
      [
        ['GET', 'command', 200],
        ['GET', 'command', 200],
        ['GET', 'command', 401],
        ['POST', '/pipeline', 200],
      ].map(([method, endpoint, status]) => ({
        event: 'request',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        method,
        endpoint,
        status,
        ms: expect.any(Number),
        address: '127.0.0.1',
      })),
    );
    const printed = lines.join('\n');
    expect(printed).not.toMatch(/of-the-log/i);
    expect(printed).not.toContain(adminToken);
    expect(printed).not.toContain(session.slice(0, 20));
  });

  test('before there is a Redis, and says so', async () => {
    const { url, lines } = await serve({ args: ['--redis', 'redis://:password@127.0.0.1:1'] });
    expect((await fetch(new URL('/healthz', url))).status).toBe(503);
    const warnings = lines.filter((line) => line.includes('"warning"'));
    expect(warnings).toEqual([expect.stringContaining('no connection to Redis: ECONNREFUSED')]);
    expect(lines.join()).not.toContain('password');
  });
});

describe.each(['SIGTERM', 'SIGINT'] as const)('after %s', (signal) => {
  test('streams end, what was asked is answered, and nothing keeps it', async () => {
    const { child, url } = await serve();
    const path = new URL('/subscribe/until-the-end', url);
    const stream = await fetch(path, { method: 'POST', headers: bearer, body: '[]' });
    const reader = new EventReader(stream);
    expect(await reader.next()).toContain('subscribe');
    // A slow one: some million steps.
    const slow = fetch(url, {
      method: 'POST',
      headers: bearer,
      body: JSON.stringify(['EVAL', 'local n=0 for i=1,1e7 do n=n+1 end return n', 0]),
    });
    await new Promise((done) => setTimeout(done, 50));
    const ended = once(child, 'exit');
    child.kill(signal);
    expect(await (await slow).json()).toEqual({ result: 10_000_000 });
    expect(await reader.next()).toBeUndefined();
    expect(await ended).toEqual([0, null]);
    expect((await stage.redis.pubsub('NUMSUB', 'until-the-end'))[1]).toBe(0);
  });
});
