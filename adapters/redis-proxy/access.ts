/** Who asks: a server with the admin token, or one session with a token of its own. */
import type { Clock } from '../../src/clock.js';
import { unauthorized } from './refusal.js';
import { isSignature, type KeyRing, signatureOf } from './secret.js';
import { type Claims, TokenVerifier } from './token.js';

/** Who asks. `name` tells callers apart where they are counted. */
export type Caller =
  | { readonly kind: 'admin'; readonly name: string }
  | { readonly kind: 'session'; readonly name: string; readonly claims: Claims };

/** What the proxy was given to know its callers by. */
export interface AccessOptions {
  readonly ring: KeyRing | undefined;
  readonly adminToken: string | undefined;
  readonly clock: Clock;
}

const admin: Caller = { kind: 'admin', name: 'admin' };

/** Knows callers by the tokens of their requests. */
export class Access {
  readonly #sessions: TokenVerifier | undefined;
  readonly #admin: AdminToken | undefined;

  constructor({ ring, adminToken, clock }: AccessOptions) {
    this.#sessions = ring && new TokenVerifier(ring, clock);
    this.#admin = adminToken === undefined ? undefined : new AdminToken(adminToken);
  }

  /** Throws a refusal where there is no valid token. */
  identify(request: Request, url: URL): Caller {
    const header = /^bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    const inUrl = url.searchParams.get('_token');
    const token = header ?? inUrl;
    if (!token) throw unauthorized();
    if (this.#admin?.is(token)) return admin;
    // Addresses end up in logs and histories: a browser's token must not be in one.
    if (inUrl !== null) throw unauthorized();
    const claims = this.#sessions?.verify(token);
    if (!claims) throw unauthorized();
    return { kind: 'session', name: JSON.stringify([claims.app, claims.session]), claims };
  }
}

/** Compares in constant time: what is compared are signatures with a key that nobody knows. */
class AdminToken {
  readonly #key = crypto.randomUUID();
  readonly #signature: Uint8Array;

  constructor(token: string) {
    this.#signature = signatureOf(this.#key, token);
  }

  is(token: string): boolean {
    return isSignature(this.#signature, this.#key, token);
  }
}
