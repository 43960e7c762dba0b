/** Bundles imports as a page does, minified, and weighs them. */
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';

/**
 * @param {string} code what is imported
 * @param {{ external?: string[] | undefined, resolveDir?: string }} options `external` is not counted;
 *   imports are found from `resolveDir`, by default the working directory
 * @returns {Promise<{ minified: number, brotli: number, inputs: string[] }>} bytes, and the files that
 *   are in the bundle with some of their code
 */
export async function sizeOf(code, { external = [], resolveDir = process.cwd() }) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    external,
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  const bytes = outputFiles[0]?.contents ?? new Uint8Array();
  const inputs = Object.entries(Object.values(metafile.outputs)[0]?.inputs ?? {});
  return {
    minified: bytes.length,
    brotli: bytes.length === 0 ? 0 : brotliCompressSync(bytes).length,
    inputs: inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path),
  };
}
