/** The contract of storages between threads of Node. */
import { memory } from '../../../adapters/memory.js';
import { startThread, threadScript } from '../../support/threads.js';
import { testEnds } from './host-ends.js';
import { testHostStorage, testRemoteStorage } from './host-suite.js';

const script = await threadScript('test/adapters/worker/realm.worker.ts');
const start = () => startThread(script);

testHostStorage(start, 'memory', (clock) => memory({ clock }));
testRemoteStorage(start);
testEnds(start);
