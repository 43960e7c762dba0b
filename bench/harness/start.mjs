/** Makes all that the benchmarks need ready: the library is built, its peers are installed. */
import { fileURLToPath } from 'node:url';
import { install, prepare } from '../../scripts/prepare.mjs';

/** @returns {Promise<typeof import('./sections.mjs')>} what runs them: it imports what is installed here */
export async function start() {
  process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
  // A figure of an old build would be a figure of nothing.
  prepare();
  install('bench');
  return import('./sections.mjs');
}

/**
 * Ends the process where a section is named that there is not.
 * @param {readonly string[]} asked
 * @param {readonly string[]} names
 * @returns {readonly string[]} those that were asked for, in their order, or all
 */
export function chosen(asked, names) {
  const strange = asked.filter((name) => !names.includes(name));
  if (strange.length > 0) {
    console.error(`bench: there is no ${strange.join(', ')}; there are ${names.join(', ')}`);
    process.exit(2);
  }
  return asked.length > 0 ? names.filter((name) => asked.includes(name)) : names;
}
