/**
 * `npm run docs`: builds the site of the documentation into site/dist, from docs/ and the docstrings.
 *   npm run docs [-- --serve [--port 4173]]
 *   --serve     shows it afterwards
 *   DOCS_BASE   the path that it will stand at, like /qtasks-lite/
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { install } from './prepare.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = `${root}/site`;
const { serve, port } = parseArgs({
  options: {
    serve: { type: 'boolean', default: false },
    port: { type: 'string', default: '4173' },
  },
}).values;

// Its types are those of the dependencies, too.
install('.');
// The tools have a folder of their own: typedoc needs an older TypeScript, VitePress an older Vite.
install('site');
rmSync(`${site}/pages`, { recursive: true, force: true });
cpSync(`${root}/docs`, `${site}/pages`, { recursive: true });
copyFileSync(`${root}/CHANGELOG.md`, `${site}/pages/changelog.md`);
run('typedoc/bin/typedoc', []);
run('vitepress/bin/vitepress.js', ['build', '.']);
const dead = deadLinks(`${site}/dist`, process.env.DOCS_BASE ?? '/');
for (const link of dead) console.error(`dead link: ${link}`);
if (dead.length > 0) process.exit(1);
if (serve) run('vitepress/bin/vitepress.js', ['preview', '.', '--port', port]);

/**
 * VitePress looks whether there is a page, not whether it has the heading.
 * @param {string} folder
 * @param {string} base
 */
function deadLinks(folder, base) {
  const files = readdirSync(folder, { recursive: true }).map(String);
  const pages = new Map(
    files
      .filter((file) => file.endsWith('.html'))
      .map((file) => [file, readFileSync(`${folder}/${file}`, 'utf8')]),
  );
  return [...pages].flatMap(([from, html]) =>
    [...html.matchAll(/ href="(?!\w+:)([^"#]*)(#[^"]*)?"/g)].flatMap(([, path = '', hash = '']) => {
      const whole = path.startsWith(base)
        ? path.slice(base.length)
        : posix.join(posix.dirname(from), path);
      const to = path === '' ? from : whole.replace(/(^|\/)$/, '$1index.html');
      const id = decodeURIComponent(hash.slice(1));
      const isThere = pages.get(to)?.includes(` id="${id}"`) || (id === '' && files.includes(to));
      return isThere ? [] : [`${from}: ${path}${hash}`];
    }),
  );
}

/**
 * Ends the process with the tool's status where it fails.
 * @param {string} tool below site/node_modules
 * @param {readonly string[]} args
 */
function run(tool, args) {
  const { status, error } = spawnSync(process.execPath, [`${site}/node_modules/${tool}`, ...args], {
    cwd: site,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
