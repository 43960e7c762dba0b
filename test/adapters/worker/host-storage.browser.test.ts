/** The contract of storages between a page and its workers. */
import { indexeddb } from '../../../adapters/indexeddb.js';
import { localstorage } from '../../../adapters/localstorage.js';
import { memory } from '../../../adapters/memory.js';
import { testEnds } from './host-ends.js';
import { testHostStorage, testRemoteStorage } from './host-suite.js';

const start = () => new Worker(new URL('./realm.worker.ts', import.meta.url), { type: 'module' });

testHostStorage(start, 'memory', (clock) => memory({ clock }));
testHostStorage(start, 'localstorage', (clock) => localstorage({ clock }));
testHostStorage(start, 'indexeddb', (clock) => indexeddb({ database: 'host', clock }));
testRemoteStorage(start);
testEnds(start);
