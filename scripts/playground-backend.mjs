/**
 * What the playground has of a server: a Redis behind the library's proxy, and the login route that signs
 * each visitor a token for a session of their own. A plugin of Vite.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { redisProxy, signSession } from 'qtasks-lite/redis-proxy';
import { toNodeHandler } from 'srvx/node';
import { findRedis } from './find-tools.mjs';
import { startRedis } from './redis-server.mjs';

const cookieName = 'qtasks-playground';

/** The app of the playground's tasks; a token opens a session of this one alone. */
const app = 'example';

/** @returns {Promise<{ plugin: import('vite').Plugin, said: string }>} */
export async function openBackend() {
  const server = await openRedis();
  if (!server) {
    const reason = 'npm start has found no redis-server on this machine.';
    return { plugin: pluginOf(reason), said: reason };
  }
  const { url } = server;
  const secret = randomBytes(32).toString('hex');
  const proxy = redisProxy({ redis: url, secret, path: '/redis' });
  /** @type {Promise<void> | undefined} */
  let closing;
  const close = async () => {
    await proxy.close();
    await server.stop();
  };
  const plugin = pluginOf('', { '/redis': proxy, '/api': visitors(secret) });
  // Vite, too, ends the process on SIGTERM: as soon as its plugins have closed.
  const closeBundle = () => {
    closing ??= close();
    return closing;
  };
  return {
    plugin: { ...plugin, closeBundle },
    said: `Redis: ${url}, for the page behind a proxy at /redis`,
  };
}

/** Somebody's, by REDIS_URL, or one of its own; nothing where there is none. */
async function openRedis() {
  const url = process.env.REDIS_URL;
  if (url) return { url, stop: async () => {} };
  const program = findRedis();
  return program === undefined ? undefined : startRedis(program);
}

/**
 * @param {string} whyNot why there is no Redis; empty where there is one
 * @param {Record<string, (request: Request) => Promise<Response>>} routes
 * @returns {import('vite').Plugin}
 */
function pluginOf(whyNot, routes = {}) {
  /** @param {import('vite').Connect.Server} middlewares */
  const mount = (middlewares) => {
    for (const [path, handler] of Object.entries(routes)) {
      // Its type is of HTTP/2, too.
      const handle = /** @type {import('vite').Connect.SimpleHandleFunction} */ (
        toNodeHandler(handler)
      );
      middlewares.use((request, response, next) => {
        if (request.url === path || request.url?.startsWith(`${path}/`)) handle(request, response);
        else next();
      });
    }
  };
  return {
    name: 'playground-backend',
    configureServer: ({ middlewares }) => mount(middlewares),
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { name: 'redis', content: whyNot }, injectTo: 'head' },
    ],
  };
}

/**
 * Stands for a login: whoever comes without a cookie is somebody new.
 * @param {string} secret
 */
function visitors(secret) {
  /** @type {Map<string, string>} */
  const sessions = new Map();
  /** @param {Request} request */
  return async (request) => {
    if (request.method !== 'POST') return new Response('POST it', { status: 405 });
    const { pathname } = new URL(request.url);
    const cookie = cookieOf(request);
    const session = sessions.get(cookie ?? '');
    if (pathname === '/api/login') {
      if (session) return new Response(session);
      const key = randomUUID();
      // Nobody else's, also in a Redis that has seen others: of REDIS_URL.
      const name = `visitor ${randomUUID().slice(0, 8)}`;
      sessions.set(key, name);
      const headers = { 'set-cookie': `${cookieName}=${key}; HttpOnly; SameSite=Strict; Path=/` };
      return new Response(name, { headers });
    }
    if (pathname !== '/api/token') return new Response('not found', { status: 404 });
    if (!session) return new Response('log in first', { status: 401 });
    return new Response(await signSession({ secret, app, session, expiresIn: 900_000 }));
  };
}

/** @param {Request} request */
function cookieOf(request) {
  const cookies = (request.headers.get('cookie') ?? '').split(/; */);
  return cookies.find((each) => each.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1);
}
