/**
 * Session tokens: `base64url(JSON of the claims).base64url(HMAC-SHA256)`.
 *
 * There is one algorithm, so a token names none; `kid` only chooses among secrets that the proxy has.
 */
import { type Clock, systemClock } from '../../src/clock.js';
import { check, checkOptions, isRecord, kinds } from '../../src/options.js';
import type { EpochMs, Milliseconds } from '../../src/types.js';
import {
  isSignature,
  type KeyRing,
  keyRing,
  nameOf,
  type Secret,
  secretKind,
  signatureOf,
} from './secret.js';

/** Options of {@link signSession}. */
export interface SignSessionOptions {
  /** What the proxy has as its `secret`. */
  readonly secret: Secret;
  /** The name of the app whose states the token opens. */
  readonly app: string;
  /** The session whose states the token opens; `""` is the session that an app has without one. */
  readonly session: string;
  /** `"r"`: read and watch; `"rw"`: also write and lock. Default `"rw"`. */
  readonly ops?: 'r' | 'rw';
  /** How long the token is valid from now on. It cannot be revoked, so rather minutes than days. */
  readonly expiresIn: Milliseconds;
  /** Which of the secrets signs. Default: the current one. */
  readonly kid?: string;
  /** Default: the runtime's own. */
  readonly clock?: Clock;
}

/** What a session token says. */
export interface Claims {
  readonly app: string;
  readonly session: string;
  readonly ops: 'r' | 'rw';
  /** Valid from this instant on. */
  readonly nbf: EpochMs;
  /** Not valid from this instant on. */
  readonly exp: EpochMs;
}

const opsKind = ['"r" or "rw"', (value: unknown) => value === 'r' || value === 'rw'] as const;
const expiryKind = [
  'milliseconds, more than 0 and finite',
  (value: unknown) => Number.isFinite(value) && Number(value) > 0,
] as const;

/** What is signed begins with this, so that the same secret in another use makes no session token. */
const domain = 'qtasks-lite session token 1:';
/** A clock that signs may be this much ahead of one that verifies. */
const leeway: Milliseconds = 10_000;
/** Longer than any that fits into the headers of a request. */
const longest = 65_536;

/**
 * Makes a token for one session of one app: whoever has it reads and writes the states of that session
 * through the proxy, and nothing else. Sign where you know who asks, on your server.
 *
 * @throws OPTION_INVALID
 * @example
 * const token = await signSession({ secret, app: "signup", session: user.id, expiresIn: 900_000 });
 */
export async function signSession(options: SignSessionOptions): Promise<string> {
  const where = 'signSession';
  checkOptions(where, options, {
    secret: secretKind,
    app: kinds.string,
    session: kinds.string,
    ops: opsKind,
    expiresIn: expiryKind,
    kid: kinds.name,
    clock: kinds.clock,
  });
  const { app, session, ops = 'rw', expiresIn, clock = systemClock } = options;
  check(`${where}: option "app"`, app, kinds.string);
  check(`${where}: option "session"`, session, kinds.string);
  check(`${where}: option "expiresIn"`, expiresIn, expiryKind);
  const ring = keyRing(where, options.secret);
  const kid = nameOf(where, ring, options.kid);
  const now = clock.now();
  const claims = { v: 1, kid, app, session, ops, nbf: now, exp: now + expiresIn };
  const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
  const signature = signatureOf(ring.keys.get(kid) ?? '', domain + body);
  return `${body}.${signature.toString('base64url')}`;
}

/** Verifies session tokens of one set of secrets. */
export class TokenVerifier {
  readonly #ring: KeyRing;
  readonly #clock: Clock;

  constructor(ring: KeyRing, clock: Clock) {
    this.#ring = ring;
    this.#clock = clock;
  }

  /** What a token says if it is one of ours and valid now. */
  verify(token: string): Claims | undefined {
    if (token.length > longest) return undefined;
    const [body = '', signature = '', ...rest] = token.split('.');
    const payload = parse(decode(body));
    const bytes = decode(signature);
    const secret = this.#ring.keys.get(String(payload?.kid));
    if (!payload || !bytes || secret === undefined || rest.length > 0) return undefined;
    if (!isSignature(bytes, secret, domain + body)) return undefined;
    const claims = claimsOf(payload);
    const now = this.#clock.now();
    return claims && claims.nbf <= now + leeway && now < claims.exp ? claims : undefined;
  }
}

/** The bytes of base64url, if it is written as we write it: one token has one text. */
function decode(part: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return part !== '' && bytes.toString('base64url') === part ? new Uint8Array(bytes) : undefined;
}

function parse(bytes: Uint8Array | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function claimsOf(payload: Readonly<Record<string, unknown>>): Claims | undefined {
  const { v, app, session, ops, nbf, exp } = payload;
  if (v !== 1 || typeof app !== 'string' || typeof session !== 'string') return undefined;
  if (ops !== 'r' && ops !== 'rw') return undefined;
  if (typeof nbf !== 'number' || typeof exp !== 'number') return undefined;
  return { app, session, ops, nbf, exp };
}
