import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Consumer } from './support/consumer.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A page of the documentation. */
interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

const pages: readonly Page[] = [
  'README.md',
  ...readdirSync(`${root}/docs`).map((file) => `docs/${file}`),
].map((path) => ({ path, text: readFileSync(`${root}/${path}`, 'utf8') }));
const readme = pages[0]?.text ?? '';

/** One `ts` block: a module, with the hidden prelude before it and the output after it. */
interface Sample {
  /**
   * The page and what its first line calls its file (`// tasks.ts`, for others of the page to import), else
   * where it stands.
   */
  readonly name: string;
  readonly code: string;
  /** `undefined`: whatever it prints is fine. */
  readonly output: string | undefined;
}

function samplesIn({ path, text: markdown }: Page): Sample[] {
  const blocks =
    /(?:<!-- prelude\n(?<prelude>[\s\S]*?)-->\n+)?```ts\n(?<code>[\s\S]*?)```\n(?:\n+```text\n(?<output>[\s\S]*?)```\n)?/g;
  return [...markdown.matchAll(blocks)].map(({ groups = {}, index }) => {
    const { prelude = '', code = '', output } = groups;
    const line = markdown.slice(0, markdown.indexOf('```ts', index)).split('\n').length;
    const file = /^\/\/ (\w+)\.ts\b/.exec(code)?.[1] ?? `line-${line}`;
    return {
      name: `${path.replace('.md', '')}/${file}`,
      code: `${prelude}${code}\nexport {};\n`,
      output,
    };
  });
}

describe('samples, in a project with the packed library', () => {
  // Those of docs/redis.md run on their frameworks, in a test of their own.
  const plain = pages.filter(({ path }) => path !== 'docs/redis.md');
  const samples = plain.flatMap(samplesIn);
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await Consumer.create(['zod', 'ioredis']);
    for (const { name, code } of samples) await consumer.write(`${name}.ts`, code);
  });

  afterAll(() => consumer?.remove());

  test('compile in strict mode', async () => {
    const blocks = plain.flatMap(({ text }) => text.match(/^```ts$/gm) ?? []);
    expect(samples.length).toBe(blocks.length);
    const settings = { types: ['node'], typeRoots: [`${root}/node_modules/@types`] };
    expect(await consumer.tsc(['**/*.ts'], settings)).toBe('');
  });

  // A worker runs where another sample starts it.
  test.each(samples.filter(({ code }) => !code.includes('serve(')))(
    '$name runs and prints what it says',
    async ({ name, output }) => {
      const lines = await consumer.node(`out/${name}.js`);
      if (output !== undefined) expect(lines.join('\n')).toBe(output.trimEnd());
    },
  );
});

test('README explains every error code', () => {
  const union = /type ErrorCode =([^;]+);/.exec(readFileSync(`${root}/src/errors.ts`, 'utf8'))?.[1];
  const codes = union?.match(/[A-Z_]+/g) ?? [];
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| .+ \| .+ \|$/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(20);
  expect(rows).toEqual(codes);
});

test('README names the budgets that the size check enforces', () => {
  const script = readFileSync(`${root}/scripts/size.mjs`, 'utf8');
  const limits = [...script.matchAll(/limit: ([\d_]+)/g)].map(([, limit]) => limit);
  const rows = [...readme.matchAll(/\| ([\d,]+) bytes \|/g)].map(([, limit]) => limit);
  expect(rows).toEqual(limits.map((limit) => limit?.replace('_', ',')));
});

test('links lead somewhere', () => {
  const headings = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/^#+ (.+)$/gm)].map(
      ([, title = '']) =>
        `${path}#${title
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-')}`,
    ),
  );
  const links = pages.flatMap(({ path, text }) => {
    const prose = text.replace(/^```[\s\S]*?^```$/gm, '');
    return [...prose.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link = '']) =>
      link.startsWith('#') ? path + link : join(dirname(path), link),
    );
  });
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((link) => !headings.includes(link) && !existsSync(join(root, link)))).toEqual(
    [],
  );
});
