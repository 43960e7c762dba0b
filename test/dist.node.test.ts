import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { build as bundle } from 'esbuild';
import type { Browser } from 'playwright';
import { build, parseSync, preview, Visitor } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import pkg from '../package.json' with { type: 'json' };
import { Consumer } from './support/consumer.js';
import { launchChrome, watchPage } from './support/page.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const entries = Object.entries(pkg.exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([entry]) => pkg.name + entry.slice(1));

/** What both examples print, however they are run. */
const printed = [
  '[signup] test_depends started',
  'Call completed',
  '[signup] test_depends completed',
  'close...',
  '[signup] step1 started',
  '[signup] step1 completed',
  '[signup] step2 started',
  '{"state":"await_phone","step":1,"prompt":"Enter phone number"}',
  '[signup] step2 completed',
  'ok ok',
];

let consumer: Consumer;
let browser: Browser;

beforeAll(async () => {
  [consumer, browser] = await Promise.all([
    // For the proxy.
    Consumer.create(['ioredis', '@types/node']),
    launchChrome(),
  ]);
  await cp(join(root, 'test/examples'), consumer.dir, { recursive: true });
});

afterAll(async () => {
  await Promise.all([consumer?.remove(), browser?.close()]);
});

describe('the package', () => {
  test('holds what was built and its papers, nothing else', () => {
    const others = consumer.files.filter((path) => !/^dist\/.+\.(js|js\.map|d\.ts)$/.test(path));
    const papers = others.filter((path) => !/^docs\/[\w-]+\.md$/.test(path));
    expect(papers.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    const code = consumer.files.filter((path) => path.startsWith('dist/'));
    expect(code.filter((path) => /test|bench|platform/.test(path))).toEqual(
      code.filter((path) => path.startsWith('dist/adapters/testing/')),
    );
  });

  test('exports what it says, by every entry point, in Node', async () => {
    await consumer.write(
      'names.js',
      `for (const entry of ${JSON.stringify(entries)})
        console.log(entry, Object.keys(await import(entry)).sort().join(' '));`,
    );
    expect(await consumer.node('names.js')).toEqual([
      'qtasks-lite AsyncState Context Depends QTasks QTasksError isQTasksError task',
      'qtasks-lite/memory memory',
      'qtasks-lite/indexeddb indexeddb',
      'qtasks-lite/localstorage localstorage',
      'qtasks-lite/redis redis',
      'qtasks-lite/worker connect hostStorage serve transfer',
      'qtasks-lite/redis-proxy redisProxy signSession',
      'qtasks-lite/testing ManualClock testApp testStorage',
    ]);
  });

  test('has a command, which says what it lacks', async () => {
    const command = join(consumer.dir, 'node_modules/.bin/qtasks-lite');
    const help = await promisify(execFile)(command, ['--help']);
    expect(help.stdout).toMatch(/^Usage: qtasks-lite redis-proxy/);
    const bare = await Consumer.create();
    try {
      const env = { ...process.env, QTASKS_LITE_SECRET: 'x'.repeat(32) };
      const file = join(bare.dir, 'node_modules/.bin/qtasks-lite');
      const failing = promisify(execFile)(file, ['redis-proxy'], { env });
      await expect(failing).rejects.toThrow(/qtasks-lite: the proxy needs ioredis: npm install/);
    } finally {
      await bare.remove();
    }
  });

  test('imports no module of which it uses nothing', () => {
    const folder = join(root, 'dist');
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const unused = paths
      .filter((path) => path.endsWith('.js'))
      .filter((path) => /^import '/m.test(readFileSync(join(folder, path), 'utf8')));
    expect(unused).toEqual([]);
  });

  test.each([
    ['nodenext', 'node16 and later'],
    ['esnext', 'bundler'],
  ])('has types for every entry point without skipLibCheck: module %s (%s)', async (module) => {
    const settings = module === 'esnext' ? { module, moduleResolution: 'bundler' } : { module };
    for (const entry of entries) {
      await consumer.write('entry.ts', `export * from '${entry}';`);
      expect(await consumer.tsc(['entry.ts'], { ...settings, noEmit: true })).toBe('');
    }
  });
});

describe('both examples, written by a user in an empty project', () => {
  test('in JavaScript, in Node', async () => {
    expect(await consumer.node('example.js')).toEqual(printed);
  });

  test('in TypeScript, in Node', async () => {
    expect(await consumer.tsc(['example.ts'])).toBe('');
    expect(await consumer.node('out/example.js')).toEqual(printed);
  });

  test.each(['example.js', 'example.ts'])('%s, bundled into a page', async (file) => {
    await consumer.write(
      'index.html',
      `<link rel="icon" href="data:,"><script type="module" src="/${file}"></script>`,
    );
    const settings = { root: consumer.dir, configFile: false, logLevel: 'error' } as const;
    await build({ ...settings, build: { target: 'es2022', emptyOutDir: true } });
    const server = await preview({ ...settings, preview: { port: 0, host: '127.0.0.1' } });
    try {
      const { lines, faults, page } = await watchPage(browser, server.resolvedUrls?.local[0] ?? '');
      await expect
        .poll(() => lines.length, { timeout: 10_000 })
        .toBeGreaterThanOrEqual(printed.length);
      await page.close();
      expect({ lines, faults }).toEqual({ lines: printed, faults: [] });
    } finally {
      await server.close();
    }
  });
});

describe('the built core', () => {
  const runtimeGlobals = new Set(
    'window document process indexedDB localStorage sessionStorage navigator self global Buffer require module exports __dirname __filename location performance fetch console'.split(
      ' ',
    ),
  );

  /** Names that stand for themselves: not after a dot, not as a key. */
  function namesIn(code: string): Set<string> {
    const names = new Set<string>();
    const notNames = new Set<unknown>();
    new Visitor({
      MemberExpression(node) {
        if (!node.computed) notNames.add(node.property);
      },
      Property(node) {
        if (!node.computed && !node.shorthand) notNames.add(node.key);
      },
      MethodDefinition(node) {
        if (!node.computed) notNames.add(node.key);
      },
      PropertyDefinition(node) {
        if (!node.computed) notNames.add(node.key);
      },
      Identifier(node) {
        if (!notNames.has(node)) names.add(node.name);
      },
    }).visit(parseSync('core.js', code).program);
    return names;
  }

  test('names no global that only some runtimes have', () => {
    const folder = join(root, 'dist/src');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.js'),
    );
    expect(files.length).toBeGreaterThan(10);
    const named = files.flatMap((path) =>
      [...namesIn(readFileSync(join(folder, path), 'utf8'))]
        .filter((name) => runtimeGlobals.has(name))
        .map((name) => `${path}: ${name}`),
    );
    expect(named).toEqual([]);
  });

  test('the search finds a global and nothing that only looks like one', () => {
    const names = namesIn(
      'a.window; ({ document: 1 }); class A { process() {} } // self\n"global"; navigator.x',
    );
    expect([...names].filter((name) => runtimeGlobals.has(name))).toEqual(['navigator']);
  });

  test('runs both examples where there is nothing but the language and src/platform.d.ts', async () => {
    const platform = readFileSync(join(root, 'src/platform.d.ts'), 'utf8');
    const names = [...platform.matchAll(/^declare (?:class|function) (\w+)/gm)].map(
      ([, name = '']) => name,
    );
    expect(names).toContain('setTimeout');
    const { outputFiles } = await bundle({
      entryPoints: [join(consumer.dir, 'example.js')],
      bundle: true,
      format: 'esm',
      target: 'es2022',
      write: false,
    });
    const lines: string[] = [];
    const print = (...words: unknown[]): void => void lines.push(words.join(' '));
    const globals = Object.fromEntries(names.map((name) => [name, Reflect.get(globalThis, name)]));
    const context = createContext({
      ...globals,
      console: { log: print, info: print, warn: print, error: print },
    });
    await runInContext(`(async () => {${outputFiles[0]?.text}})()`, context);
    expect(lines).toEqual(printed);
  });
});
