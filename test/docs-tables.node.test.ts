/** The tables of docs/ have what the sources have: a new option, event or command gets its line. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { rules } from '../adapters/redis-proxy/session-commands.js';
import { eventNames } from '../src/event-names.js';
import { pageAt } from './support/samples.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The names of the members of an interface. */
function membersOf(path: string, name: string): string[] {
  const source = readFileSync(`${root}/${path}`, 'utf8');
  const body = new RegExp(`export interface ${name}\\b[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(
    source,
  )?.[1];
  return [...(body ?? '').matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, member = '']) => member);
}

/** All that a page names as code: in its tables, its text and its samples. */
function wordsIn(path: string): Set<string> {
  const { text } = pageAt(path);
  const fence = /^```[\s\S]*?^```$/gm;
  const inline = text.replace(fence, '').match(/`[^`\n]+`/g) ?? [];
  const code = [...inline, ...(text.match(fence) ?? [])];
  return new Set(code.flatMap((part) => part.match(/\w+/g) ?? []));
}

test.each([
  ['docs/tasks.md', 'src/core.ts', 'CoreOptions'],
  ['docs/tasks.md', 'src/policy.ts', 'TaskOptions'],
  ['docs/tasks.md', 'src/policy.ts', 'SchemaTaskOptions'],
  ['docs/tasks.md', 'src/policy.ts', 'RetryOptions'],
  ['docs/tasks.md', 'src/client.ts', 'RunSettings'],
  ['docs/tasks.md', 'src/client.ts', 'CloseOptions'],
  ['docs/tasks.md', 'src/remembered.ts', 'RememberOptions'],
  ['docs/depends.md', 'src/depends.ts', 'DependsOptions'],
  ['docs/adapters.md', 'adapters/memory.ts', 'MemoryOptions'],
  ['docs/adapters.md', 'adapters/indexeddb.ts', 'IndexedDBOptions'],
  ['docs/adapters.md', 'adapters/localstorage.ts', 'LocalStorageOptions'],
  ['docs/adapters.md', 'adapters/redis.ts', 'RedisUrlOptions'],
  ['docs/adapters.md', 'adapters/redis.ts', 'RedisClientOptions'],
  ['docs/adapters.md', 'adapters/redis/calls.ts', 'RedisRetry'],
  ['docs/workers.md', 'adapters/worker/connect.ts', 'ConnectOptions'],
  ['docs/workers.md', 'adapters/worker/serve.ts', 'ServeOptions'],
  ['docs/redis.md', 'adapters/redis-proxy/options.ts', 'RedisProxyOptions'],
  ['docs/redis-security.md', 'adapters/redis-proxy/limits.ts', 'RedisProxyLimits'],
  ['docs/redis-security.md', 'adapters/redis-proxy/token.ts', 'SignSessionOptions'],
  ['docs/testing.md', 'adapters/testing/app.ts', 'TestOptions'],
])('%s names all of %s %s', (page, path, name) => {
  const members = membersOf(path, name);
  expect(members.length).toBeGreaterThan(0);
  const words = wordsIn(page);
  expect(members.filter((member) => !words.has(member))).toEqual([]);
});

test('docs/redis-security.md names the defaults of the limits', () => {
  const { text } = pageAt('docs/redis-security.md');
  const source = readFileSync(`${root}/adapters/redis-proxy/limits.ts`, 'utf8');
  const documented = new Map(
    [
      ...source.matchAll(
        /Default(?:: | )([\w, ]+?(?:MiB|s|limit)?)\.?\s*(?:\*\/\s*)readonly (\w+)/g,
      ),
    ].map(([, value = '', name = '']) => [name, value.replace(/^no limit$/, 'none')]),
  );
  const rows = new Map(
    [...text.matchAll(/^\| `(\w+)` \| ([\d,]+(?: MiB| s\b)?|none)/gm)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  );
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(documented));
});

test('docs/tasks.md tells when each event happens, and of none else', () => {
  const { text } = pageAt('docs/tasks.md');
  const table = text.slice(text.indexOf('| event |'));
  const rows = [...table.matchAll(/^\| (`.+?`) \| .+ \|$/gm)].flatMap(
    ([, names = '']) => names.match(/[\w:]+/g) ?? [],
  );
  expect(rows.sort()).toEqual(Object.keys(eventNames).sort());
});

test('docs/redis-security.md names the commands that a session may use, and none else', () => {
  const { text } = pageAt('docs/redis-security.md');
  const table = text.slice(
    text.indexOf("| with `ops: 'rw'`"),
    text.indexOf('## What it cannot do'),
  );
  const named = [...table.matchAll(/`([A-Z]+)`/g)].map(([, command]) => command);
  expect(named.sort()).toEqual([...rules.keys()].sort());
});

test('CONTRIBUTING.md names the sections of the benchmarks, and none else', () => {
  const text = readFileSync(`${root}/CONTRIBUTING.md`, 'utf8');
  const table = text.slice(text.indexOf('| section |'), text.indexOf('Each section compares'));
  const named = [...table.matchAll(/^\| (`.+?`) \| .+ \|$/gm)].flatMap(
    ([, names = '']) => names.match(/\w+/g) ?? [],
  );
  const source = readFileSync(`${root}/bench/harness/sections.mjs`, 'utf8');
  const sections = [...source.matchAll(/^ {2}(\w+): \[/gm)].map(([, name]) => name);
  expect(sections.length).toBeGreaterThan(5);
  expect(named.sort()).toEqual(sections.sort());
});
