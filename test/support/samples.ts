/** The samples of the documentation, for the tests that compile and run them. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A page of the documentation. */
export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** One block of code, `ts`, `tsx` or `vue`: a module, with the hidden prelude before it and the output after it. */
export interface Sample {
  /** The page's path without `.md`. */
  readonly page: string;
  /** What its first line calls it (`// tasks.ts`, for others of the page to import), else its line. */
  readonly file: string;
  /** As the page shows it. */
  readonly code: string;
  readonly prelude: string;
  /** `undefined`: whatever it prints is fine. */
  readonly output: string | undefined;
}

/** The README first. */
export const pages: readonly Page[] = [
  'README.md',
  ...readdirSync(`${root}/docs`)
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
].map((path) => ({ path, text: readFileSync(`${root}/${path}`, 'utf8') }));

/** The page at a path. */
export function pageAt(path: string): Page {
  const page = pages.find((one) => one.path === path);
  if (!page) throw new Error(`there is no ${path}`);
  return page;
}

/** The samples of a page, in its order. */
export function samplesIn({ path, text: markdown }: Page): Sample[] {
  const blocks =
    /(?:<!-- prelude\n(?<prelude>[\s\S]*?)-->\n+)?```(?<kind>tsx?|vue)\n(?<code>[\s\S]*?)```\n(?:\n+```text\n(?<output>[\s\S]*?)```\n)?/g;
  return [...markdown.matchAll(blocks)].map(({ groups = {}, index }) => {
    const { prelude = '', kind, code = '', output } = groups;
    const line = markdown.slice(0, markdown.indexOf(`\`\`\`${kind}`, index)).split('\n').length;
    const named = /^(?:\/\/|<!--) ([\w.-]+\.(?:tsx?|vue))\b/.exec(code)?.[1];
    const file = named ?? `line-${line}.${kind}`;
    return { page: path.replace('.md', ''), file, code, prelude, output };
  });
}

/** Of a page: test/new-user.node.test.ts runs it in a browser. */
export function isForBrowsers({ code }: Sample): boolean {
  return /\bdocument\.|<form/.test(code);
}
