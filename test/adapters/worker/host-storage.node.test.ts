/** The contract of storages between threads of Node. */
import { memory } from '../../../adapters/memory.js';
import { startModule } from '../../support/threads.js';
import { testEnds } from './host-ends.js';
import { testHostStorage, testRemoteStorage } from './host-suite.js';

const start = () => startModule('test/adapters/worker/realm.worker.ts');

testHostStorage(start, 'memory', (clock) => memory({ clock }));
testRemoteStorage(start);
testEnds(start);
