/** IndexedDB where there is none. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { indexeddb } from '../../../adapters/indexeddb.js';
import { rejection } from '../../support/promises.js';

const bucket = { app: 'app', session: 'ann', state: 'cart' };

test('in Node a use says at once what to use instead', async () => {
  const storage = indexeddb();
  const commit = { writer: 'me', sequence: 1, set: new Map([['a', '1']]) };
  for (const call of [storage.read(bucket), storage.commit(bucket, commit)]) {
    expect(await rejection(call)).toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining('use memory() of qtasks-lite/memory, or redis()'),
    });
  }
  await storage.close();
});

test('51 a process with an adapter that is open ends by itself', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { indexeddb } from './adapters/indexeddb.js';
        const storage = indexeddb();
        storage.watch(${JSON.stringify(bucket)}, () => {});
        storage.read(${JSON.stringify(bucket)}).catch(({ code }) => console.log(code));
      `,
      resolveDir: process.cwd(),
    },
    bundle: true,
    write: false,
    format: 'esm',
  });
  const script = outputFiles[0]?.text ?? '';
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    script,
  ]);
  expect(stdout).toBe('STORAGE_UNAVAILABLE\n');
});
