/**
 * Makes a checkout ready to run, with Node alone: installs what package-lock.json names and builds
 * `dist`, each only where that is needed. `npm start` and `npm test` begin with it.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>} Packages */

const root = fileURLToPath(new URL('..', import.meta.url));

/** Installs and builds; ends the process with the failing command's status where one fails. */
export function prepare() {
  install('.');
  if (!isBuilt()) npm('.', 'run', '--silent', 'build');
}

/**
 * Installs what the package-lock.json of a folder names.
 * @param {string} folder from the root; with a package.json of its own
 */
export function install(folder) {
  if (!isInstalled(folder)) npm(folder, 'ci', '--no-audit', '--no-fund');
}

/**
 * Whether node_modules holds what the lock file names. Only an optional package may be missing: it
 * belongs to another platform.
 * @param {string} folder
 */
function isInstalled(folder) {
  const wanted = packagesOf(join(folder, 'package-lock.json'));
  const found = packagesOf(join(folder, 'node_modules/.package-lock.json'));
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    const installed = found[path];
    return installed ? installed.version === version : (optional ?? devOptional ?? false);
  });
}

/**
 * @param {string} file
 * @returns {Packages}
 */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return {};
  }
}

/**
 * Whether `dist` is newer than all that it is made of. Its types are written last.
 * @returns {boolean}
 */
export function isBuilt() {
  const built = statSync(join(root, 'dist/src/index.d.ts'), { throwIfNoEntry: false })?.mtimeMs;
  if (built === undefined) return false;
  // Folders too: theirs is the time at which a file was deleted.
  const sources = ['src', 'adapters'].flatMap((folder) => [
    folder,
    ...readdirSync(join(root, folder), { recursive: true }).map((path) =>
      join(folder, String(path)),
    ),
  ]);
  const settings = ['package.json', 'rollup.config.mjs', 'tsconfig.json', 'tsconfig.build.json'];
  return [...sources, ...settings].every((path) => statSync(join(root, path)).mtimeMs < built);
}

/**
 * @param {string} folder where it runs, from the root
 * @param {string[]} args
 */
function npm(folder, ...args) {
  console.error(`$ npm ${args.join(' ')}${folder === '.' ? '' : ` (in ${folder})`}`);
  const { status, error } = spawnSync('npm', args, {
    cwd: join(root, folder),
    // What npm says goes to stderr: stdout belongs to the command that was asked for.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32', // npm is a .cmd there
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
