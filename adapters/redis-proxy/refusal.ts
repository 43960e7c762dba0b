/** Why a request is not answered as it asks: thrown anywhere in the proxy, made a response in one place. */
import type { Milliseconds } from '../../src/types.js';

/** A refusal with its HTTP status. Its message goes to the client, so it never quotes a request. */
export class Refusal extends Error {
  readonly status: number;
  /** After how long the client may ask again. */
  readonly retryAfter: Milliseconds | undefined;

  constructor(status: number, message: string, retryAfter?: Milliseconds) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** No token, or none that is valid now: why is nobody's business. */
export const unauthorized = (): Refusal =>
  new Refusal(401, 'WRONGPASS invalid or missing auth token');

/** The one answer to all that a session token may not do, so that it tells nothing about what there is. */
export const forbidden = (): Refusal => new Refusal(400, 'NOPERM this token may not do that');

/** What is wrong with how a request is written. */
export const malformed = (message: string): Refusal => new Refusal(400, `ERR ${message}`);

/** More than a limit allows, or than can be read. */
export const tooLarge = (): Refusal => new Refusal(413, 'ERR max request size exceeded');

/** Redis cannot be reached, or did not answer: what was sent may have been done, or not. */
export const unavailable = (): Refusal => new Refusal(503, 'ERR Redis is not available');
