/** The secrets that session tokens are signed with, and how they are replaced without ending sessions. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { QTasksError } from '../../src/errors.js';
import { check, isRecord, kinds } from '../../src/options.js';

/**
 * What session tokens are signed with: one secret, or several with names of which one is current.
 *
 * To replace a secret, add a new one, make it current, and drop the old one when the last token that it
 * signed has expired. A secret without a name has the name `"default"`. Each has at least 32 characters,
 * of at least 128 bits of chance: whoever has a token can try secrets at leisure.
 */
export type Secret =
  | string
  | { readonly current: string; readonly keys: Readonly<Record<string, string>> };

/** Either form of a secret; what is in it {@link keyRing} checks. */
export const secretKind = [
  'a string or an object { current, keys }',
  (value: unknown) => typeof value === 'string' || isRecord(value),
] as const;

/** Secrets by name, and which one signs. */
export interface KeyRing {
  readonly current: string;
  readonly keys: ReadonlyMap<string, string>;
}

const keyKind = [
  'a string of at least 32 characters',
  (value: unknown) => typeof value === 'string' && value.length >= 32,
] as const;

/** @throws OPTION_INVALID */
export function keyRing(where: string, secret: unknown): KeyRing {
  const what = `${where}: option "secret"`;
  if (!isRecord(secret)) {
    check(what, secret, keyKind);
    return { current: 'default', keys: new Map([['default', String(secret)]]) };
  }
  const { current, keys } = secret;
  check(`${what}.keys`, keys, kinds.object);
  const named = new Map<string, string>();
  for (const [name, key] of Object.entries(Object(keys))) {
    check(`${what}: each of its keys`, key, keyKind);
    named.set(name, String(key));
  }
  check(`${what}.current`, current, kinds.name);
  return { current: nameOf(where, { current: '', keys: named }, String(current)), keys: named };
}

/** @throws OPTION_INVALID where there is no secret of that name */
export function nameOf(where: string, ring: KeyRing, name: string = ring.current): string {
  if (ring.keys.has(name)) return name;
  const message = `${where}: there is no secret of that name; expected one of ${[...ring.keys.keys()].join(', ')}`;
  throw new QTasksError('OPTION_INVALID', message);
}

/** The HMAC-SHA256 of a text. */
export const signatureOf = (secret: string, text: string): Buffer =>
  createHmac('sha256', secret).update(text).digest();

/** Whether a signature is that of a text, in a time that tells nothing about it. */
export function isSignature(signature: Uint8Array, secret: string, text: string): boolean {
  const right = signatureOf(secret, text);
  return signature.length === right.length && timingSafeEqual(signature, right);
}
