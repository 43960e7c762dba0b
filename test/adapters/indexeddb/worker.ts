/** The driver in a dedicated, a shared or a service worker: a message names a method and brings a port. */
import { driver } from './driver.js';

interface Call {
  readonly method: 'add' | 'addAlone';
  readonly times: number;
}

async function call({ data: { method, times }, ports }: MessageEvent<Call>): Promise<void> {
  await driver[method](times);
  ports[0]?.postMessage(globalThis.constructor.name);
}

/** A service worker lives as long as the event that it answers. */
interface MaybeExtendable {
  waitUntil?(end: Promise<void>): void;
}

addEventListener('message', (event: MessageEvent<Call> & MaybeExtendable) => {
  const end = call(event);
  event.waitUntil?.(end);
});
addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports;
  if (port) port.onmessage = call;
});
