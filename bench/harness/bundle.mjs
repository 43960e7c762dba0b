/** Bundles what the benchmarks run; `qtasks-lite` is the built package there, found by its name. */
import { build } from 'esbuild';

/**
 * @param {string} name of the file in bench/, without its ending
 * @param {Partial<import('esbuild').BuildOptions>} options
 * @returns {Promise<string>} the script
 */
export async function bundle(name, options) {
  const { outputFiles } = await build({
    entryPoints: [`bench/${name}.ts`],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
    ...options,
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

/** The scripts of workers that run in a page, and those that run only in Node. */
export const workers = ['raw', 'ours', 'comlink'];
export const nodeWorkers = [...workers, 'piscina', 'workerpool'];
