import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Consumer } from './support/consumer.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}/README.md`, 'utf8');

/** One `ts` block: a module, with the hidden prelude before it and the output after it. */
interface Sample {
  /** What its first line calls its file (`// tasks.ts`, for others to import), else where it stands. */
  readonly name: string;
  readonly code: string;
  /** `undefined`: whatever it prints is fine. */
  readonly output: string | undefined;
}

function samplesIn(markdown: string): Sample[] {
  const blocks =
    /(?:<!-- prelude\n(?<prelude>[\s\S]*?)-->\n+)?```ts\n(?<code>[\s\S]*?)```\n(?:\n+```text\n(?<output>[\s\S]*?)```\n)?/g;
  return [...markdown.matchAll(blocks)].map(({ groups = {}, index }) => {
    const { prelude = '', code = '', output } = groups;
    const line = markdown.slice(0, markdown.indexOf('```ts', index)).split('\n').length;
    const name = /^\/\/ (\w+)\.ts\n/.exec(code)?.[1] ?? `line-${line}`;
    return { name, code: `${prelude}${code}\nexport {};\n`, output };
  });
}

describe('README samples, in a project with the packed library', () => {
  const samples = samplesIn(readme);
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await Consumer.create();
    for (const { name, code } of samples) await consumer.write(`${name}.ts`, code);
  });

  afterAll(() => consumer?.remove());

  test('compile in strict mode', async () => {
    expect(samples.length).toBe(readme.match(/^```ts$/gm)?.length);
    const settings = { types: ['node'], typeRoots: [`${root}/node_modules/@types`] };
    expect(await consumer.tsc(['*.ts'], settings)).toBe('');
  });

  test.each(samples)('$name runs and prints what it says', async ({ name, output }) => {
    const lines = await consumer.node(`out/${name}.js`);
    if (output !== undefined) expect(lines.join('\n')).toBe(output.trimEnd());
  });
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

test('README links lead somewhere', () => {
  const headings = [...readme.matchAll(/^#+ (.+)$/gm)].map(
    ([, title = '']) => `#${title.toLowerCase().replaceAll(' ', '-')}`,
  );
  const anchors = [...readme.matchAll(/\]\((#[^)]+)\)/g)].map(([, anchor]) => anchor);
  expect(anchors.filter((anchor) => !headings.includes(anchor ?? ''))).toEqual([]);
});
