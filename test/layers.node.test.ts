import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What anybody may use, adapters too. */
const ground = [
  'boundary',
  'storage',
  'schema',
  'events',
  'event-names',
  'errors',
  'clock',
  'disposal',
  'logger',
  'mutex',
  'options',
  'promises',
  'records',
  'served',
  'types',
  'unseen',
  'wake',
];

/** The core from top to bottom: a file may import its own layer and those below, types included. */
const layers = [
  ['index'],
  ['app', 'core', 'inspect', 'registry'],
  ['executor', 'onion', 'slots', 'attempt', 'children', 'retry', 'slot'],
  ['resolver', 'plan', 'shared'],
  ['client'],
  ['remembered', 'signals'],
  ['active-run', 'holds', 'queue'],
  ['task', 'depends', 'state', 'context'],
  ['signature'],
  ['policy'],
  ['middleware'],
  ['states'],
  ['bucket'],
  ['listeners'],
  ['port'],
  ['definition'],
  ['content', 'codec'],
  ['run', 'stream'],
  ['need', 'scopes'],
  ground,
];

/** What those use too who run the tasks of an app that is elsewhere. */
const runner = ['client', 'remembered', 'signals', 'active-run', 'run', 'need'];

/** What each source imports, by the paths of both from the root of the repository. */
const imports = new Map(
  ['src', 'adapters'].flatMap(sourcesIn).map((path) => [path, importsOf(path)] as const),
);
const core = [...imports].filter(([path]) => path.startsWith('src/'));

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true })
    .map((path) => `${folder}/${String(path).replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'));
}

function importsOf(path: string): string[] {
  const { module, errors } = parseSync(path, readFileSync(join(root, path), 'utf8'));
  expect(errors).toEqual([]);
  // The command line alone has to go on where an optional package is missing.
  const isStatic = path === 'adapters/redis-proxy/cli.ts' || module.dynamicImports.length === 0;
  expect(isStatic, `${path}: imports are static`).toBe(true);
  const reexports = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest }) => (moduleRequest ? [moduleRequest.value] : [])),
  );
  return [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...reexports,
  ].map((name) =>
    name.startsWith('.') ? posix.join(posix.dirname(path), name).replace(/\.js$/, '.ts') : name,
  );
}

/** The cycles among the imports, each as `a > b > a`. */
function cycles(): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, above: readonly string[]): void => {
    const start = above.indexOf(path);
    if (start >= 0) found.push([...above.slice(start), path].join(' > '));
    if (start >= 0 || done.has(path)) return;
    for (const name of imports.get(path) ?? []) walk(name, [...above, path]);
    done.add(path);
  };
  for (const path of imports.keys()) walk(path, []);
  return found;
}

test('the core imports its own files and eventemitter3, nothing else', () => {
  const strange = core.flatMap(([path, names]) =>
    names
      .filter((name) => !name.startsWith('src/') && name !== 'eventemitter3')
      .map((name) => `${path} imports ${name}`),
  );
  expect(strange).toEqual([]);
});

test('no file imports itself through others', () => {
  expect(cycles()).toEqual([]);
});

test('every file of the core has a layer', () => {
  const files = core.map(([path]) => path.slice('src/'.length, -'.ts'.length));
  expect(files.filter((name) => !layers.flat().includes(name))).toEqual([]);
});

test('imports of the core point down the layers', () => {
  const layerOf = (path: string): number =>
    layers.findIndex((names) => names.includes(path.slice('src/'.length, -'.ts'.length)));
  const upward = core.flatMap(([path, names]) =>
    names
      .filter((name) => name.startsWith('src/') && layerOf(name) < layerOf(path))
      .map((name) => `${path} imports ${name}`),
  );
  expect(upward).toEqual([]);
});

test('adapters import the lowest layer of the core or what it exports', () => {
  const pathsOf = (names: readonly string[]) => names.map((name) => `src/${name}.ts`);
  const contract = pathsOf(['index', ...ground]);
  const allowedTo = (path: string): readonly string[] =>
    path.startsWith('adapters/worker/') ? [...contract, ...pathsOf(runner)] : contract;
  const strange = [...imports].flatMap(([path, names]) =>
    path.startsWith('src/')
      ? []
      : names
          .filter((name) => name.startsWith('src/') && !allowedTo(path).includes(name))
          .map((name) => `${path} imports ${name}`),
  );
  expect(strange).toEqual([]);
});
