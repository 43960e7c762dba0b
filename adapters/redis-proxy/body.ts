/** Reads the body of a request within bounds, whatever the client goes on to send. */
import { atMost, type Clock } from '../../src/clock.js';
import type { Milliseconds } from '../../src/types.js';
import type { Limits } from './limits.js';
import { malformed, Refusal, tooLarge } from './refusal.js';

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** How much longer is read what nobody wants, so that the client, still sending, sees the answer. */
const patience: Milliseconds = 1000;

/** The bytes of a body; rejects with a refusal where they are too many, or too slow. */
export async function readBody(
  request: Request,
  limits: Limits,
  clock: Clock,
): Promise<Uint8Array> {
  if (!request.body) return new Uint8Array();
  // Said beforehand, it need not be found out.
  if (Number(request.headers.get('content-length')) > limits.bodyBytes) throw tooLarge();
  const reader: Reader = request.body.getReader();
  const reading = collect(reader, limits.bodyBytes);
  let refusal: Refusal;
  try {
    if (await atMost(limits.bodyTimeout, reading, clock)) return await reading;
    refusal = new Refusal(408, 'ERR the request took too long');
  } catch (error) {
    refusal = error instanceof Refusal ? error : malformed('the request ended early');
  }
  // To be looked at by nobody, once the answer is decided.
  reading.catch(() => {});
  void discard(reader, clock);
  throw refusal;
}

/** Lets the client send what nobody wants for a while, then stops it. */
export function discardBody(request: Request, clock: Clock): void {
  if (request.body && !request.bodyUsed) void discard(request.body.getReader(), clock);
}

async function collect(reader: Reader, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks, size);
    size += value.byteLength;
    if (size > limit) throw tooLarge();
    chunks.push(value);
  }
}

async function discard(reader: Reader, clock: Clock): Promise<void> {
  try {
    const until = clock.now() + patience;
    const rest = async (): Promise<void> => {
      while (clock.now() < until && !(await reader.read()).done);
    };
    await atMost(patience, rest(), clock);
    await reader.cancel();
  } catch {
    // The client has gone: there is nothing left to discard.
  }
}
