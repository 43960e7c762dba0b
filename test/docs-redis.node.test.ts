/** The handlers of docs/redis.md, each on its own framework: a page logs in and uses its session. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Consumer } from './support/consumer.js';
import { RedisServer } from './support/redis.js';

const page = readFileSync(new URL('../docs/redis.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/```ts\n\/\/ (\w+)\.ts\n([\s\S]*?)```/g)];

/** What a page does with a server that listens at a port. */
const visit = `
import { signup } from './page.js';

export async function visit(server, close) {
  const url = \`http://127.0.0.1:\${server.address().port}\`;
  const { fetch } = globalThis;
  globalThis.fetch = (input, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('x-user', 'ann');
    return fetch(new URL(input, url), { ...init, headers });
  };
  const { step, phone } = await signup(\`\${url}/redis\`, 'ann').run('step1', '+351');
  console.log(step, phone);
  const bob = await signup(\`\${url}/redis\`, 'bob').run('step1', '+352').settled;
  console.log(bob.error?.code);
  server.closeAllConnections();
  server.close();
  await close();
}
`;

const runners = {
  hono: `
import { createServer } from 'node:http';
import { toNodeHandler } from 'srvx/node';
import { proxy, server } from './hono.js';
import { visit } from './visit.js';
const listening = createServer(toNodeHandler((request) => server.fetch(request)));
listening.listen(0, '127.0.0.1', () => visit(listening, () => proxy.close()));
`,
  express: `
import { proxy, server } from './express.js';
import { visit } from './visit.js';
const listening = server.listen(0, '127.0.0.1', () => visit(listening, () => proxy.close()));
`,
  // What `next start` does, on a port that is free. Nobody can close the proxy within it.
  next: `
import { createServer } from 'node:http';
import next from 'next';
import { visit } from './visit.js';
const app = next({ dev: false, dir: 'site' });
await app.prepare();
const listening = createServer(app.getRequestHandler());
listening.listen(0, '127.0.0.1', () => visit(listening, () => process.stdout.write('', () => process.exit())));
`,
};

/** The project of Next.js has its routes where the page says. */
const routes = { next: 'site/app/redis/[[...path]]/route.js', token: 'site/app/token/route.js' };

/** What it has besides; what lies beside it is compiled already. */
const nextFiles = {
  'site/package.json': '{ "type": "module" }',
  'site/app/layout.js': 'export default ({ children }) => children;',
  // The packages lie elsewhere.
  'site/next.config.js': "export default { turbopack: { root: '/' } };",
};

/** Builds the project of Next.js, of what has been compiled. */
async function buildSite(consumer: Consumer): Promise<void> {
  await consumer.link(['next', 'react', 'react-dom']);
  for (const [path, text] of Object.entries(nextFiles)) await consumer.write(path, text);
  for (const [name, path] of Object.entries(routes)) {
    await consumer.write(path, await consumer.read(`out/${name}.js`));
  }
  process.env.NEXT_TELEMETRY_DISABLED = '1';
  await consumer.node('node_modules/next/dist/bin/next', 'build', 'site');
}

describe('docs/redis.md', () => {
  let consumer: Consumer;
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await RedisServer.start();
    process.env.REDIS_URL = redis.url;
    process.env.QTASKS_LITE_SECRET = 'a secret of the tests, of 32 characters';
    consumer = await Consumer.create(['hono', 'express', '@types/express', 'ioredis']);
    for (const [, name, code] of blocks) await consumer.write(`${name}.ts`, code ?? '');
    await consumer.write('out/visit.js', visit);
    for (const [name, code] of Object.entries(runners)) {
      await consumer.write(`out/run-${name}.js`, code);
    }
    expect(await consumer.tsc(['*.ts'], { types: ['node'] })).toBe('');
    await buildSite(consumer);
  }, 240_000);

  afterAll(async () => {
    await consumer?.remove();
    await redis?.stop();
  });

  test.each(Object.keys(runners))('%s', async (name) => {
    const lines = await consumer.node(`out/run-${name}.js`);
    // Next.js has a line of its own before them.
    expect(lines.slice(-2)).toEqual(['1 +351', 'STORAGE_UNAUTHORIZED']);
  });
});
