/**
 * `npm run docs`: builds the site of the documentation into site/dist, from docs/ and the docstrings.
 *   npm run docs [-- --serve [--port 4173]]
 *   --serve     shows it afterwards
 *   DOCS_BASE   the path that it will stand at, like /qtasks-lite/
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, rmSync } from 'node:fs';
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
if (serve) run('vitepress/bin/vitepress.js', ['preview', '.', '--port', port]);

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
