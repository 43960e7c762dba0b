/** The README and the pages of docs/: their samples, their links, their tables. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Consumer } from './support/consumer.js';
import { RedisServer } from './support/redis.js';
import { isForBrowsers, pageAt, pages, type Sample, samplesIn } from './support/samples.js';

const root = fileURLToPath(new URL('..', import.meta.url));

const prose = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '');

describe('samples, in a project with the packed library', () => {
  // Those of docs/redis.md run on their frameworks, in a test of their own.
  const plain = pages.filter(({ path }) => path !== 'docs/redis.md');
  const samples = plain.flatMap(samplesIn);
  const nameOf = ({ page, file }: Sample): string => `${page}/${file}`;
  let consumer: Consumer;
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await RedisServer.start();
    process.env.REDIS_URL = redis.url;
    consumer = await Consumer.create([
      ...['zod', 'ioredis', 'bullmq', 'comlink', 'xstate'],
      ...['react', '@types/react', '@types/node'],
    ]);
    for (const sample of samples) {
      const { prelude, code } = sample;
      await consumer.write(nameOf(sample), `${prelude}${code}\nexport {};\n`);
    }
  });

  afterAll(async () => {
    await Promise.all([consumer?.remove(), redis?.stop()]);
  });

  test('are all that is TypeScript', () => {
    const fences = pages.flatMap(({ text }) => [...text.matchAll(/^ *```(\w+)$/gm)]);
    const known = ['ts', 'tsx', 'vue', 'text', 'sh', 'python'];
    expect(fences.map(([, kind = '']) => kind).filter((kind) => !known.includes(kind))).toEqual([]);
    const blocks = plain.flatMap(({ text }) => text.match(/^```(tsx?|vue)$/gm) ?? []);
    expect(samples.length).toBe(blocks.length);
    expect(new Set(samples.map(nameOf)).size).toBe(samples.length);
  });

  test('compile in strict mode', async () => {
    // XState's own declarations do not compile with exactOptionalPropertyTypes.
    const settings = { types: ['node'], jsx: 'react-jsx', skipLibCheck: true };
    expect(await consumer.tsc(['**/*.ts', '**/*.tsx'], settings)).toBe('');
  });

  // A worker runs where another sample starts it.
  const inNode = samples.filter(
    (sample) => !isForBrowsers(sample) && !/^serve\(/m.test(sample.code),
  );
  test.each(inNode.map((sample) => ({ ...sample, name: nameOf(sample) })))(
    '$name runs and prints what it says',
    async ({ name, output }) => {
      const lines = await consumer.node(`out/${name.replace(/\.tsx?$/, '.js')}`);
      if (output !== undefined) expect(lines.join('\n')).toBe(output.trimEnd());
    },
  );
});

test('docs/errors.md explains every error code, and none else', () => {
  const union = /type ErrorCode =([^;]+);/.exec(readFileSync(`${root}/src/errors.ts`, 'utf8'))?.[1];
  const codes: readonly string[] = union?.match(/[A-Z_]+/g) ?? [];
  expect(codes.length).toBeGreaterThan(20);
  const { text } = pageAt('docs/errors.md');
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| .+ \| .+ \|$/gm)].map(([, code]) => code);
  expect(rows).toEqual(codes);
  const named = pages.flatMap((page) => page.text.match(/`[A-Z]+_[A-Z_]+`/g) ?? []);
  const families = /^(TASK|INPUT|OUTPUT|DEPENDENCY|CLEANUP|STATE|STORAGE|VALUE|WORKER|APP|OPTION)_/;
  const strange = named
    .map((code) => code.slice(1, -1))
    .filter((code) => families.test(code) && !codes.includes(code));
  expect(strange).toEqual([]);
});

test('links lead somewhere', () => {
  const headings = pages.flatMap(({ path, text }) =>
    [...prose(text).matchAll(/^#+ (.+)$/gm)].map(
      ([, title = '']) =>
        `${path}#${title
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-')}`,
    ),
  );
  const links = pages.flatMap(({ path, text }) =>
    [
      ...prose(text).matchAll(/\]\((?!https?:)([^)]+)\)|(?:href|src|srcset)="(?!https?:)([^"]+)"/g),
    ].map(([, link = '', attribute = link]) =>
      attribute.startsWith('#') ? path + attribute : join(dirname(path), attribute),
    ),
  );
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((link) => !headings.includes(link) && !existsSync(join(root, link)))).toEqual(
    [],
  );
});

test('the site has an entry for each page, and none else', () => {
  const config = readFileSync(`${root}/site/.vitepress/config.mjs`, 'utf8');
  const entries = [...config.matchAll(/link\('[^']+', '([\w-]+)'\)/g)].map(([, name]) => name);
  const names = pages.flatMap(({ path }) => /^docs\/(.+)\.md$/.exec(path)?.[1] ?? []);
  // The home page needs none; the others are made as the site is built, or by the benchmarks.
  const made = ['changelog', 'benchmarks'];
  const expected = names.filter((name) => name !== 'index' && !made.includes(name));
  const found = new Set(entries.filter((name) => !made.includes(name ?? '')));
  expect([...found].sort()).toEqual(expected.sort());
});

test('no page is an orphan: README leads to each', () => {
  const { text } = pageAt('README.md');
  // The index is the way in of those who come to the site.
  const others = pages.filter(({ path }) => !['README.md', 'docs/index.md'].includes(path));
  const missing = others.filter(({ path }) => !text.includes(`(${path}`));
  expect(missing.map(({ path }) => path)).toEqual([]);
});
