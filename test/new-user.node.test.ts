/**
 * What a new user does: an empty project of Vite, the packed library, the files that the documentation
 * shows, and nothing else.
 */
import { cp, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import vue from '@vitejs/plugin-vue';
import type { Browser } from 'playwright';
import { build, createServer, type InlineConfig, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Consumer } from './support/consumer.js';
import { launchChrome, watchPage } from './support/page.js';
import { isForBrowsers, pageAt, pages, type Sample, samplesIn } from './support/samples.js';

/** What the templates of `npm create vite` bring. */
const templates = fileURLToPath(new URL('new-user', import.meta.url));
const host = '127.0.0.1';

/** What the configuration of each template has. */
const plugins = { vanilla: [], react: [react()], vue: [vue()] };

interface Project {
  readonly template: keyof typeof plugins;
  /** Where the samples are from. */
  readonly path: string;
  readonly files: readonly string[];
  /** The one that the template's own `main` is replaced by. */
  readonly main: string;
}

const projects: Readonly<Record<string, Project>> = {
  'a worker, as the README has it': {
    template: 'vanilla',
    path: 'README.md',
    files: ['tasks.ts', 'worker.ts', 'main.ts'],
    main: 'main.ts',
  },
  'a page, as docs/getting-started.md has it': {
    template: 'vanilla',
    path: 'docs/getting-started.md',
    files: ['tasks.ts', 'page.ts'],
    main: 'page.ts',
  },
  'a worker, as docs/getting-started.md has it': {
    template: 'vanilla',
    path: 'docs/getting-started.md',
    files: ['tasks.ts', 'worker.ts', 'main.ts'],
    main: 'main.ts',
  },
  'a worker with React': {
    template: 'react',
    path: 'docs/getting-started.md',
    files: ['tasks.ts', 'worker.ts', 'App.tsx'],
    main: 'App.tsx',
  },
  'a worker with Vue': {
    template: 'vue',
    path: 'docs/getting-started.md',
    files: ['tasks.ts', 'worker.ts', 'App.vue'],
    main: 'App.vue',
  },
};

const shared: Project = {
  template: 'vanilla',
  path: 'docs/workers.md',
  files: ['tasks.ts', 'shared.ts', 'page.ts'],
  main: 'page.ts',
};

let consumer: Consumer;
let browser: Browser;

beforeAll(async () => {
  [consumer, browser] = await Promise.all([
    Consumer.create(['react', 'react-dom', 'vue']),
    launchChrome(),
  ]);
});

afterAll(async () => {
  await Promise.all([consumer?.remove(), browser?.close()]);
});

function samplesOf({ path, files }: Project): Sample[] {
  const samples = samplesIn(pageAt(path)).filter(({ file }) => files.includes(file));
  expect(samples.map(({ file }) => file)).toEqual(files);
  return samples;
}

/** Lays the project out, in a folder of its own beside the packages. */
async function create(project: Project): Promise<InlineConfig> {
  const root = await mkdtemp(join(consumer.dir, `${project.template}-`));
  await cp(join(templates, project.template), root, { recursive: true });
  for (const { file, code } of samplesOf(project)) {
    // The template's page loads src/main.ts; those of frameworks have one that loads the App.
    const name = file === project.main && project.template === 'vanilla' ? 'main.ts' : file;
    await consumer.write(join(root.slice(consumer.dir.length), 'src', name), code);
  }
  const { [project.template]: used } = plugins;
  return { root, plugins: used, configFile: false, logLevel: 'error' };
}

/** Fills in the form, loads the page again in the middle of it, and gives what the page has asked. */
async function fillIn(url: string): Promise<{ asked: string[]; faults: string[] }> {
  const { page, faults } = await watchPage(browser, url);
  const asked: string[] = [];
  const ask = async (question: string): Promise<void> => {
    await page.getByText(question).waitFor();
    asked.push(question);
  };
  const answer = async (text: string): Promise<void> => {
    await page.locator('input').fill(text);
    await page.locator('input').press('Enter');
  };
  await ask('Your name?');
  await answer('Ann');
  await ask('Your phone, Ann?');
  await page.reload();
  await ask('Your phone, Ann?');
  await answer('+351 900 000 000');
  await ask('Welcome, Ann!');
  await page.close();
  return { asked, faults };
}

const asked = ['Your name?', 'Your phone, Ann?', 'Your phone, Ann?', 'Welcome, Ann!'];

describe.each(Object.entries(projects))('%s', (_, project) => {
  test('takes less than 20 lines', () => {
    // Of code: no imports, no comments, none of the tags that a file of Vue consists of.
    const others = /^(import .*|\/\/.*|<!-- .* -->|<\/?(script|template).*>|)$/;
    const lines = samplesOf(project).flatMap(({ code }) =>
      code.split('\n').filter((line) => !others.test(line)),
    );
    expect(lines.length).toBeLessThan(20);
  });

  test('works as it is built', async () => {
    const settings = await create(project);
    await build(settings);
    const server = await preview({ ...settings, preview: { port: 0, host } });
    try {
      const url = server.resolvedUrls?.local[0] ?? '';
      expect(await fillIn(url)).toEqual({ asked, faults: [] });
    } finally {
      await server.close();
    }
  });

  test('works on the development server', async () => {
    const settings = await create(project);
    // As docs/getting-started.md says.
    const optimizeDeps = { entries: ['index.html', 'src/worker.ts'] };
    const server = await createServer({ ...settings, optimizeDeps, server: { port: 0, host } });
    await server.listen();
    try {
      const url = server.resolvedUrls?.local[0] ?? '';
      expect(await fillIn(url)).toEqual({ asked, faults: [] });
    } finally {
      await server.close();
    }
  });
});

test('pages share a worker, as docs/workers.md has it', async () => {
  const settings = await create(shared);
  await build(settings);
  const server = await preview({ ...settings, preview: { port: 0, host } });
  const context = await browser.newContext();
  try {
    for (const title of ['/: 1', '/: 2']) {
      const page = await context.newPage();
      await page.goto(server.resolvedUrls?.local[0] ?? '');
      await expect.poll(() => page.title()).toBe(title);
    }
  } finally {
    await context.close();
    await server.close();
  }
});

test('each sample for a browser is one of these', () => {
  const used = [...Object.values(projects), shared].flatMap(({ path, files }) =>
    files.map((file) => `${path} ${file}`),
  );
  const forBrowsers = pages.flatMap((page) =>
    samplesIn(page)
      .filter(isForBrowsers)
      .map(({ file }) => `${page.path} ${file}`),
  );
  expect(forBrowsers.filter((name) => !used.includes(name))).toEqual([]);
});
