/** What is imported together, how much of it there may be in bytes of brotli, and what must not be in it. */

/** What every storage is measured with. */
const state = `export { QTasks, task, Depends, AsyncState } from 'qtasks-lite'`;

/**
 * @type {readonly { name: string, what: string, code: string, limit: number, external?: string[], never: RegExp }[]}
 */
export const budgets = [
  {
    name: 'tasks',
    what: 'tasks and Depends',
    code: `export { QTasks, task, Depends } from 'qtasks-lite'`,
    limit: 14_500,
    never: /adapters|lru-cache|src\/(codec|bucket|state|context)/,
  },
  {
    name: 'state',
    what: 'with AsyncState, without a storage',
    code: state,
    limit: 20_300,
    never: /adapters|lru-cache/,
  },
  {
    name: 'memory',
    what: 'with AsyncState and memory',
    code: `${state}; export { memory } from 'qtasks-lite/memory'`,
    limit: 22_000,
    external: ['lru-cache'],
    never: /testing/,
  },
  {
    name: 'indexeddb',
    what: 'with AsyncState and indexeddb',
    code: `${state}; export { indexeddb } from 'qtasks-lite/indexeddb'`,
    limit: 24_600,
    never: /testing|lru-cache/,
  },
  {
    name: 'localstorage',
    what: 'with AsyncState and localstorage',
    code: `${state}; export { localstorage } from 'qtasks-lite/localstorage'`,
    limit: 23_500,
    never: /testing|lru-cache|idb-keyval/,
  },
  {
    name: 'redis',
    what: 'with AsyncState and redis',
    code: `${state}; export { redis } from 'qtasks-lite/redis'`,
    limit: 27_100,
    never: /testing|lru-cache|idb-keyval|ioredis/,
  },
  {
    name: 'connect',
    what: 'connect to a worker',
    code: `export { connect } from 'qtasks-lite/worker'`,
    limit: 14_500,
    never:
      /testing|lru-cache|idb-keyval|worker\/(serve|connection|served-call|host-storage)|src\/(app|core|executor|attempt|resolver|plan|task|bucket|codec|state|context)\.js/,
  },
  {
    name: 'serve',
    what: 'serve in a worker',
    code: `export { serve } from 'qtasks-lite/worker'`,
    limit: 9_100,
    never:
      /testing|lru-cache|idb-keyval|worker\/(connect|pool|place|link|call|states)\.js|src\/(app|core|executor|attempt|resolver|plan|task|bucket|codec|state|context)\.js/,
  },
  {
    name: 'hostStorage',
    what: 'with AsyncState and hostStorage',
    code: `${state}; export { hostStorage } from 'qtasks-lite/worker'`,
    limit: 23_300,
    never: /testing|lru-cache|idb-keyval|worker\/(connect|pool|serve|connection)\.js/,
  },
  {
    name: 'comlink',
    what: 'wrap of comlink, to compare',
    code: `export { wrap } from 'comlink'`,
    limit: 2_000,
    never: /qtasks/,
  },
  {
    name: 'nothing',
    what: 'imported, not used',
    code: `import 'qtasks-lite'`,
    limit: 0,
    never: /./,
  },
];
