/** The API reference: one module for each entry point of package.json, written to pages/api/. */
import { readFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));

/** From `./dist/adapters/memory.js` to `../adapters/memory.ts`. */
const entryPoints = Object.values(exports)
  .filter((target) => typeof target === 'object')
  .map((target) => target.default.replace('./dist/', '../').replace(/\.js$/, '.ts'));

export default {
  entryPoints,
  tsconfig: '../tsconfig.build.json',
  plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme', './typedoc-plugin.mjs'],
  out: 'pages/api',
  docsRoot: 'pages',
  name: 'API reference',
  readme: 'none',
  excludeInternal: true,
  excludePrivate: true,
  excludeProtected: true,
  excludeExternals: true,
  disableSources: true,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  sort: ['source-order'],
  sortEntryPoints: false,
  treatWarningsAsErrors: true,
  // Steps of inference, and shapes that the text beside them tells: nobody has to name one of them.
  intentionallyNotExported:
    'ArgsAfterNeeds CallerArgs ContextNeed Defined ErrorDataOf HandlerReturn IoRedisClient Made NeedWithin NodeRedisClient OpenedValue RedisResponse Resolved ResultOf RetryPolicy StandardResult StateNeed TargetTask TaskArgs TaskName TaskResult TaskYield YieldOf'.split(
      ' ',
    ),
};
