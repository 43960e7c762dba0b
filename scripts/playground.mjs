/** How Vite makes the playground, as `npm start` serves it and as static files. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const pkg = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** Where the static build goes. */
export const built = fileURLToPath(new URL('../playground/dist', import.meta.url));

/** @type {import('vite').InlineConfig} */
export const settings = {
  root: fileURLToPath(new URL('../playground', import.meta.url)),
  configFile: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  // Named, so that Vite finds none after the page has loaded, which would load it once more.
  optimizeDeps: {
    include: [
      ...Object.keys(pkg.dependencies).filter((name) => name !== 'srvx'),
      '@preact/signals',
      'preact',
      'preact/hooks',
      'preact/jsx-dev-runtime',
      'preact/jsx-runtime',
      'uplot',
      'valibot',
    ],
  },
};
