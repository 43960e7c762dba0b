/** What can go wrong between a client and a REST interface. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './redis-rest.js';

/** The connection breaks before anything happens. */
export const drop: Fault = ({ response }) => response.destroy();

/** Redis has done it, but the connection breaks before the answer. */
export const dropReply: Fault = async ({ pass, response }) => {
  await pass();
  response.destroy();
};

/** Redis has done it, and half of the answer comes. */
export const truncate: Fault = async ({ pass, response }) => {
  const text = await pass();
  response.writeHead(200, { 'content-length': Buffer.byteLength(text) });
  response.write(text.slice(0, text.length / 2), () => response.destroy());
};

/** Redis has done it; the answer ends early and looks complete. */
export const shorten: Fault = async ({ pass, response }) => {
  const text = await pass();
  response.end(text.slice(0, text.length / 2));
};

/** Redis has done it, and something in between answers with a page of its own. */
export const page: Fault = async ({ pass, response }) => {
  await pass();
  response.end('<html>Welcome to the hotel</html>');
};

/** Something answers with JSON that is none of a pipeline. */
export const otherJson: Fault = ({ response }) => response.end('{"result":"OK"}');

/** Another status, before or after Redis has done it. */
export const status =
  (code: number, { headers = {}, body = '{}', isDone = false } = {}): Fault =>
  async ({ pass, response }) => {
    if (isDone) await pass();
    response.writeHead(code, headers).end(body);
  };

/** Redis refuses each command with this text. */
export const refuse =
  (error: string): Fault =>
  ({ body, response }) =>
    response.end(JSON.stringify(JSON.parse(body).map(() => ({ error }))));

/** The answer takes its time, before or after Redis has done it. */
export const delay =
  (before: number, after = 0): Fault =>
  async ({ pass, response }) => {
    await sleep(before);
    const text = await pass();
    await sleep(after);
    response.end(text);
  };

/** The same misfortune each time the test runs. */
export function mishaps(seed: number): Fault {
  const every: (Fault | undefined)[] = [
    drop,
    dropReply,
    truncate,
    shorten,
    status(502),
    status(502, { isDone: true }),
    delay(20),
    delay(0, 20),
    page,
    status(429),
  ];
  let state = seed;
  return (exchange) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    // A third of all requests fail.
    return every[Math.floor((state / 2 ** 31) * every.length * 3)]?.(exchange);
  };
}
