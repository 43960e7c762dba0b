/**
 * `npm start`: runs both examples in Node, then serves the playground, where they run in the page.
 *   npm start [-- --port 5173] [--host 127.0.0.1] [--once]
 *   --once   prints the examples and ends
 *   PORT     the same as --port
 */
import { parseArgs } from 'node:util';
import { onEnd } from './end.mjs';
import { settings } from './playground.mjs';
import { prepare } from './prepare.mjs';

const { once, port, host } = options();

prepare();
const { createServer } = await import('vite');
// Of the library, so not before that is built.
const { openBackend } = await import('./playground-backend.mjs');
const backend = once ? undefined : await openBackend();
const server = await createServer({
  ...settings,
  appType: once ? 'custom' : 'mpa',
  logLevel: once ? 'error' : 'info',
  server: once ? { middlewareMode: true, ws: false } : { port, host },
  ...(once ? { optimizeDeps: { noDiscovery: true } } : {}),
  plugins: backend ? [backend.plugin] : [],
});
onEnd(async () => {
  process.exitCode = 0;
  await server.close();
  process.exit();
});

const { runExamples } = await server.ssrLoadModule('/examples.ts');
await runExamples(console.log);

if (once) await server.close();
else {
  await server.listen();
  console.log('\nThe same tasks in a page:');
  server.printUrls();
  console.log(`  ${backend?.said}`);
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        port: { type: 'string', default: process.env.PORT ?? '5173' },
        host: { type: 'string', default: '127.0.0.1' },
      },
    });
    const port = Number(values.port);
    if (!/^\d+$/.test(values.port) || port > 65_535)
      throw new Error(`the port must be a number from 0 to 65535; received ${values.port}`);
    return { ...values, port };
  } catch (error) {
    console.error(`npm start: ${error instanceof Error ? error.message : error}`);
    process.exit(2);
  }
}
