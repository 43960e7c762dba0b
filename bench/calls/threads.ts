/** `npm run bench -- threads`: workers of node:worker_threads. */
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { Piscina } from 'piscina';
import workerpool from 'workerpool';
import { type Caller, calls } from './calls.js';

const fileOf = (script: string): string => resolve('node_modules/.cache/workers', `${script}.cjs`);

function piscina(): Caller {
  const filename = fileOf('piscina');
  const pool = new Piscina({ filename, minThreads: 1, maxThreads: 1 });
  return {
    add: (a, b) => pool.run([a, b], { name: 'add' }),
    size: (buffer) => pool.run(buffer, { name: 'size', transferList: [buffer] }),
    echo: (value) => pool.run(value, { name: 'echo' }),
    end: () => pool.destroy(),
  };
}

function workerPool(): Caller {
  const pool = workerpool.pool(fileOf('workerpool'), { maxWorkers: 1, workerType: 'thread' });
  return {
    add: (a, b) => pool.exec('add', [a, b]),
    size: (buffer) => pool.exec('size', [buffer], { transfer: [buffer] }),
    echo: (value) => pool.exec('echo', [value]),
    end: () => pool.terminate(true),
  };
}

await calls({
  name: 'in worker_threads',
  start(script) {
    const worker = new Worker(fileOf(script));
    return {
      worker,
      endpoint: nodeEndpoint(worker),
      post: (message, transfer) => worker.postMessage(message, transfer),
      listen: (take) => worker.on('message', take),
      end: () => worker.terminate(),
    };
  },
  pools: [
    ['piscina', 'streams', piscina],
    ['workerpool', 'order', workerPool],
  ],
  columns: ['time', 'processor'],
  atMost: { sequential: 1.15, concurrent: 0.9 },
});
