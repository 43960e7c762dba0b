/** `npm run playground:build`: the playground as static files in playground/dist, for any server of files. */

import { built, settings } from './playground.mjs';
import { prepare } from './prepare.mjs';

prepare();
const { build } = await import('vite');
await build({
  ...settings,
  base: './',
  logLevel: process.argv.includes('--silent') ? 'error' : 'info',
  build: { outDir: built, emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false } },
});
