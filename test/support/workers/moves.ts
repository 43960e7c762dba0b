/** Tasks that move buffers instead of copying them. */
import { transfer } from '../../../adapters/worker/index.js';
import { task } from '../../../src/index.js';

/** How many bytes a buffer has in this thread once it was given away. */
let left: number[] = [];

const filled = (byte: number): ArrayBuffer => new Uint8Array(4).fill(byte).buffer;

/** Adds one to each byte and gives the same buffer back. */
export const moveBack = task('moveBack', (buffer: ArrayBuffer) => {
  const bytes = new Uint8Array(buffer);
  for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] ?? 0) + 1;
  return transfer({ buffer }, [buffer]);
});
export const moveMany = task('moveMany', async function* (count: number) {
  const buffers: ArrayBuffer[] = [];
  for (let byte = 0; byte < count; byte++) {
    const buffer = filled(byte);
    buffers.push(buffer);
    yield transfer([buffer], [buffer]);
  }
  left = buffers.map(({ byteLength }) => byteLength);
});
export const readLeft = task('readLeft', () => left);
/** Gives a port away, on which it answers. */
export const openPort = task('openPort', () => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => {
    port1.postMessage(`got ${data}`);
    port1.close();
  };
  return transfer(port2, [port2]);
});
/** Wants to move what is no buffer. */
export const moveWrong = task('moveWrong', () => {
  const value = { a: 1 };
  return transfer(value, [value]);
});
