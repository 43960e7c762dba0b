/** The section `size`: what an import costs, ours and those of the peers, bundled in the same run. */
import { sizeOf } from '../scripts/bundle-size.mjs';
import { budgets } from '../scripts/size-budgets.mjs';

/** @typedef {import('./harness/figures.js').Row} Row */
/** @typedef {import('./harness/figures.js').Verdict} Verdict */

/**
 * Each of the budgets that has a goal, in bytes: of the whole, or of what it adds to another one.
 * @type {readonly { name: string, beyond?: string, atMost: number }[]}
 */
const goals = [
  { name: 'tasks', atMost: 7_500 },
  { name: 'memory', atMost: 12_000 },
  { name: 'indexeddb', atMost: 14_000 },
  { name: 'localstorage', beyond: 'state', atMost: 1_500 },
  { name: 'redis', beyond: 'state', atMost: 2_000 },
  { name: 'connect', atMost: 2_500 },
];

/** @type {readonly (readonly [name: string, names: string, from: string, without: string, external?: string[]])[]} */
const peers = [
  ['idb-keyval', '{ get, set }', 'idb-keyval', 'sessions, types, group commit'],
  ['idb', '{ openDB }', 'idb', 'states'],
  ['dexie', '{ Dexie }', 'dexie', 'sessions, types, group commit'],
  ['localforage', '{ default }', 'localforage', 'sessions, atomic updates'],
  ['unstorage', '{ createStorage }', 'unstorage', 'atomic updates, expire'],
  ['keyv', '{ default }', 'keyv', 'atomic updates, watch', ['buffer']],
  ['@upstash/redis', '{ Redis }', '@upstash/redis', 'revisions, watch'],
  ['lru-cache', '{ LRUCache }', 'lru-cache', 'copy, watch'],
  ['eventemitter3', '{ EventEmitter }', 'eventemitter3', 'guard'],
  ['comlink', '{ wrap, expose }', 'comlink', 'cancel, streams, its end'],
  ['workerpool', '{ pool }', 'workerpool', 'order', ['os', 'child_process', 'worker_threads']],
  ['awilix', '{ createContainer }', 'awilix', 'pass the error on'],
  ['inversify', '{ Container }', 'inversify', 'pass the error on'],
  ['needle-di', '{ Container }', '@needle-di/core', 'close'],
  ['typed-inject', '{ createInjector }', 'typed-inject', 'open asynchronously'],
  ['effect', '{ Effect, Layer, Scope }', 'effect', 'id, status, states'],
  ['zustand', '{ create }', 'zustand', 'storage', ['react']],
  ['nanostores', '{ map }', 'nanostores', 'storage'],
  ['p-queue', '{ default }', 'p-queue', 'id, status'],
  ['fastq', '{ promise }', 'fastq', 'id, status, cancel, events, priority'],
  ['devalue', '{ stringify, parse }', 'devalue', 'some values of a state'],
  ['superjson', '{ stringify, parse }', 'superjson', 'some values of a state'],
  ['grammy', '{ session }', 'grammy', 'all but states'],
];

/** Those that are no single import, or are installed for the tests. */
const others = /** @type {const} */ ([
  ['xstate', `export { createMachine, createActor } from 'xstate'`, 'dependencies, storage'],
  [
    'unstorage, indexeddb',
    `export { createStorage } from 'unstorage'; export { default } from 'unstorage/drivers/indexedb'`,
    'atomic updates, expire',
  ],
  [
    'tsyringe, reflect-metadata',
    `import 'reflect-metadata'; export { container } from 'tsyringe'`,
    'open asynchronously, close in reverse',
  ],
  [
    'zustand, persist',
    `export { create } from 'zustand'; export { persist } from 'zustand/middleware'`,
    'atomic updates',
    ['react'],
  ],
]);

/** @type {import('./harness/sections.mjs').Part} */
export async function sizes({ take }) {
  const ours = new Map();
  for (const { name, code, external } of budgets)
    ours.set(name, (await sizeOf(code, { external })).brotli);
  const own = budgets.filter(({ name }) => name !== 'nothing' && name !== 'comlink');
  take({
    title: 'Bytes of an import',
    detail: 'bundled by esbuild for browsers, minified, brotli',
    columns: ['bytes'],
    against: '',
    rows: [
      ...own.map(({ name, what }) => rowOf(`qtasks-lite: ${what}`, ours.get(name), '')),
      ...(await peerRows()),
    ],
    verdicts: goals.map((goal) => verdictOf(goal, ours)),
    notes: [
      'memory is measured beside lru-cache, zustand beside react; what is built into Node is not counted',
    ],
  });
  return true;
}

async function peerRows() {
  const single = peers.map(
    ([name, names, from, without, external]) =>
      /** @type {const} */ ([name, `export ${names} from '${from}'`, without, external]),
  );
  const rows = [];
  for (const [name, code, without, external] of [...single, ...others]) {
    const { brotli } = await sizeOf(code, { external: [...(external ?? [])], resolveDir: 'bench' });
    rows.push(rowOf(name, brotli, without));
  }
  return rows;
}

/**
 * @param {string} name
 * @param {number} bytes
 * @param {string} without
 * @returns {Row}
 */
function rowOf(name, bytes, without) {
  const value = { median: bytes, low: bytes, high: bytes };
  const isOurs = name.startsWith('qtasks-lite');
  return { name, isOurs, without, figures: [{ text: bytes.toLocaleString('en'), value }] };
}

/**
 * @param {{ name: string, beyond?: string, atMost: number }} goal
 * @param {ReadonlyMap<string, number>} ours
 * @returns {Verdict}
 */
function verdictOf({ name, beyond, atMost }, ours) {
  const value = (ours.get(name) ?? Number.NaN) - (beyond ? (ours.get(beyond) ?? 0) : 0);
  const what = budgets.find((budget) => budget.name === name)?.what ?? name;
  return {
    what: beyond ? `${name} beyond the core` : what,
    of: 'qtasks-lite',
    against: '',
    allowed: `≤ ${kilobytes(atMost)}`,
    found: kilobytes(value),
    value,
    isCost: true,
    holds: value <= atMost,
  };
}

const kilobytes = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(2)} kB`;
