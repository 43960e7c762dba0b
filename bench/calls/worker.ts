/** `npm run bench -- worker`: workers of a page. */
import { calls } from './calls.js';

await calls({
  name: 'in Chromium',
  start(script) {
    const worker = new Worker(`/workers/${script}.js`, { type: 'module' });
    return {
      worker,
      endpoint: worker,
      post: (message, transfer) => worker.postMessage(message, transfer as ArrayBuffer[]),
      listen: (take) => worker.addEventListener('message', ({ data }) => take(data)),
      end: () => worker.terminate(),
    };
  },
  pools: [],
  columns: ['time'],
  atMost: { sequential: 1.15, concurrent: 0.15 },
});
document.title = 'done';
