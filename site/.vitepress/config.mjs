/** The site: scripts/docs.mjs copies the pages of docs/ to pages/, and typedoc writes the API reference there. */
import { existsSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitepress';

const pages = new URL('../pages/', import.meta.url);

/** @typedef {{ text: string, link?: string, items?: Item[], collapsed?: boolean }} Item */

/** @type {Item[]} the core, and among what it holds the entry points below its name */
const [core] = JSON.parse(readFileSync(new URL('api/typedoc-sidebar.json', pages), 'utf8'));
const isModule = (/** @type {Item} */ { link }) => link?.endsWith('/') ?? false;
const api = [
  { ...core, items: core.items.filter((item) => !isModule(item)) },
  ...core.items.filter(isModule).map((item) => ({ ...item, text: `${core.text}/${item.text}` })),
];

/** @param {string} text @param {string} page */
const link = (text, page) => ({ text, link: `/${page}` });

export default defineConfig({
  srcDir: 'pages',
  outDir: 'dist',
  base: process.env.DOCS_BASE ?? '/',
  // It has none, and browsers would ask for one.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  title: 'qtasks-lite',
  description:
    'Tasks that work in steps: injected resources and shared state, in a page, a Web Worker and Node.',
  cleanUrls: false,
  lastUpdated: false,
  markdown: {
    // As GitHub does it, so that a link to a heading works in both.
    anchor: {
      slugify: (title) =>
        title
          .trim()
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      link('Start', 'getting-started'),
      link('Guide', 'tasks'),
      link('Recipes', 'recipes'),
      link('API', 'api/'),
    ],
    sidebar: [
      {
        text: 'Guide',
        items: [
          link('Getting started', 'getting-started'),
          link('Tasks and runs', 'tasks'),
          link('Depends', 'depends'),
          link('State', 'state'),
          link('Storage adapters', 'adapters'),
          link('Workers', 'workers'),
          link('Testing', 'testing'),
          link('Errors', 'errors'),
        ],
      },
      {
        text: 'Redis',
        items: [link('States in Redis', 'redis'), link('Security of the proxy', 'redis-security')],
      },
      {
        text: 'More',
        items: [
          link('Recipes', 'recipes'),
          link('Coming from …', 'coming-from'),
          link('Sizes', 'sizes'),
          // Written by the benchmarks, once they have run.
          ...(existsSync(new URL('benchmarks.md', pages))
            ? [link('Benchmarks', 'benchmarks')]
            : []),
          link('Changes', 'changelog'),
        ],
      },
      { text: 'API reference', collapsed: true, items: api },
    ],
  },
});
