/** The sections of the benchmarks: where each of them runs. */
import { sizes } from '../size.mjs';
import { runInChild } from './child.mjs';
import { runInPage } from './page.mjs';
import { textOf } from './text.mjs';

/** @typedef {import('./figures.js').Table} Table */
/** @typedef {{ quick: boolean, profile: boolean, take: (table: Table) => void }} Settings */
/** @typedef {(settings: Settings) => Promise<boolean>} Part runs it and says whether all went well */

/**
 * The engine collects between the samples, and there is room for one sample: whether a collection, which
 * costs some milliseconds, falls into it would decide the figure. A parallel one waits for busy processors.
 */
const steady = [
  '--single-threaded-gc',
  '--initial-old-space-size=4096',
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
];

/** @type {(name: string, options?: readonly string[]) => Part} */
const inNode =
  (name, options = steady) =>
  (settings) =>
    runInChild(name, options, settings);

/** @type {(name: string) => Part} */
const inPage = (name) => (settings) => runInPage(name, settings);

/** @type {Readonly<Record<string, readonly Part[]>>} */
const sections = {
  depends: [inNode('depends/depends')],
  core: [inNode('core/runs'), inNode('core/events'), inNode('core/heap', [])],
  state: [inNode('state/memory')],
  indexeddb: [inPage('state/indexeddb')],
  localstorage: [inPage('state/localstorage')],
  worker: [inPage('calls/worker')],
  // Each worker has a heap, and one as large is in no processor's cache: a call takes half as long again.
  threads: [inNode('calls/threads', [])],
  redis: [inNode('state/redis')],
  codec: [inNode('state/codec')],
  growth: [inNode('growth/memory'), inPage('growth/indexeddb'), inNode('growth/redis')],
  size: [sizes],
};

/** All of them, in the order in which they run. */
export const names = Object.keys(sections);

/**
 * Runs a section and prints its tables.
 * @param {string} name
 * @param {Omit<Settings, 'take'>} options
 * @returns {Promise<Table[]>}
 * @throws where a part of it fails, once all of them have run
 */
export async function runSection(name, options) {
  /** @type {Table[]} */
  const tables = [];
  const take = (/** @type {Table} */ table) => {
    tables.push(table);
    console.log(textOf(table));
  };
  let isWhole = true;
  for (const part of sections[name] ?? []) {
    const isGood = await part({ ...options, take });
    isWhole &&= isGood;
  }
  if (!isWhole) throw new Error(`the section ${name} has failed`);
  return tables;
}
