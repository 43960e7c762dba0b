/** Replies of Redis as JSON, by the rules of the Upstash REST protocol. */

/**
 * What Redis answered: bytes of a text, the digits of an integer (so that none is rounded), nothing, a
 * list, or an error within a list.
 */
export type Reply = Buffer | string | number | null | Error | readonly Reply[];

/** What a client is told of one command. */
export type Outcome = { readonly result: Reply } | { readonly error: string };

/** Writes outcomes; with `base64` every text in them is encoded, but for a bare `OK`. */
export class ReplyWriter {
  readonly #base64: boolean;

  constructor(base64: boolean) {
    this.#base64 = base64;
  }

  outcome(outcome: Outcome): string {
    if ('error' in outcome) return JSON.stringify({ error: outcome.error });
    const { result } = outcome;
    // In a list it has to be encoded: clients decode lists whatever is in them.
    const isOk = Buffer.isBuffer(result) && result.equals(ok);
    return `{"result":${isOk ? '"OK"' : this.#value(result)}}`;
  }

  outcomes(outcomes: readonly Outcome[]): string {
    return `[${outcomes.map((outcome) => this.outcome(outcome)).join(',')}]`;
  }

  #value(reply: Reply): string {
    if (reply === null) return 'null';
    // ioredis gives integers as texts of digits, and texts as bytes.
    if (typeof reply === 'string' || typeof reply === 'number') return String(reply);
    if (Buffer.isBuffer(reply)) {
      return JSON.stringify(reply.toString(this.#base64 ? 'base64' : 'utf8'));
    }
    if (reply instanceof Error) return JSON.stringify({ error: reply.message });
    return `[${reply.map((each) => this.#value(each)).join(',')}]`;
  }
}

const ok = Buffer.from('OK');
