/** Who asks: a server with the admin token, or one session with a token of its own. */
import type { Clock } from '../../src/clock.js';
import { unauthorized } from './refusal.js';
import { hmacKey, type KeyRing } from './secret.js';
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

  /** Rejects with a refusal where there is no valid token. */
  async identify(request: Request, url: URL): Promise<Caller> {
    const header = /^bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    const inUrl = url.searchParams.get('_token');
    const token = header ?? inUrl;
    if (!token) throw unauthorized();
    if (await this.#admin?.is(token)) return admin;
    // Addresses end up in logs and histories: a browser's token must not be in one.
    if (inUrl !== null) throw unauthorized();
    const claims = await this.#sessions?.verify(token);
    if (!claims) throw unauthorized();
    return { kind: 'session', name: JSON.stringify([claims.app, claims.session]), claims };
  }
}

/** Compares in constant time: what is compared are signatures with a key that nobody knows. */
class AdminToken {
  readonly #key = hmacKey(crypto.randomUUID());
  readonly #signature: Promise<ArrayBuffer>;

  constructor(token: string) {
    this.#signature = this.#sign(token);
  }

  async is(token: string): Promise<boolean> {
    const [key, signature] = await Promise.all([this.#key, this.#signature]);
    return crypto.subtle.verify('HMAC', key, signature, Buffer.from(token));
  }

  async #sign(token: string): Promise<ArrayBuffer> {
    return crypto.subtle.sign('HMAC', await this.#key, Buffer.from(token));
  }
}
