/** A worker of comlink. */
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { add, echo, size } from './tasks.js';

const port = globalThis.process?.getBuiltinModule('node:worker_threads').parentPort;
expose({ add, echo, size }, port ? nodeEndpoint(port) : undefined);
