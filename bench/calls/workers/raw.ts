/** A worker that knows nothing but `postMessage`. */
import { ADD, COUNT, ECHO, SIZE } from './messages.js';
import { add, echo, size } from './tasks.js';

const port = globalThis.process?.getBuiltinModule('node:worker_threads').parentPort;
const post: (message: unknown) => void = port
  ? (message) => port.postMessage(message)
  : (message) => globalThis.postMessage(message);

function take(message: readonly [kind: number, ...fields: never[]]): void {
  const [kind, id, value] = message;
  if (kind === ADD) {
    const answer: number[] = [];
    for (let at = 1; at < message.length; at += 3) {
      answer.push(message[at] as number, add(message[at + 1] as number, message[at + 2] as number));
    }
    post(answer);
  } else if (kind === SIZE) post([id, size(value as unknown as ArrayBuffer)]);
  else if (kind === ECHO) post([id, echo(value)]);
  else if (kind === COUNT) count(id as unknown as number, value as unknown as number);
}

function count(many: number, batch: number): void {
  if (batch === 1) for (let n = 0; n < many; n++) post(n);
  else {
    for (let n = 0; n < many; n += batch)
      post(Array.from({ length: Math.min(batch, many - n) }, (_, index) => n + index));
  }
}

if (port) port.on('message', take);
else globalThis.addEventListener('message', ({ data }) => take(data));
