/** Serves the static build of the playground, compressed as a host of static files does. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { built } from './playground.mjs';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** @typedef {{ readonly path: string, readonly type: string, readonly size: number, readonly body: Buffer }} BuiltFile */

/**
 * Every file of the build, with its compressed text.
 * @returns {BuiltFile[]}
 */
export function builtFiles() {
  return readdirSync(built, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => {
      const text = readFileSync(join(parentPath, name));
      const path = join(parentPath, name).slice(built.length).replaceAll('\\', '/');
      const type = Object.entries(types).find(([tail]) => tail === extname(name))?.[1] ?? '';
      return { path, type, size: text.length, body: brotliCompressSync(text) };
    });
}

/**
 * Listens on a free port of this machine.
 * @returns {Promise<{ url: string, close(): void }>}
 */
export async function serveBuilt() {
  const files = new Map(builtFiles().map((file) => [file.path, file]));
  const server = createServer(({ url = '/' }, response) => {
    const path = url.replace(/\?.*/, '');
    const file = files.get(path === '/' ? '/index.html' : path);
    response.writeHead(file ? 200 : 404, {
      'content-type': `${file?.type ?? 'text/plain'}; charset=utf-8`,
      ...(file ? { 'content-encoding': 'br' } : {}),
    });
    response.end(file?.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
