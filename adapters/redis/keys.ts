/** The names of keys, channels and fields in Redis, for the adapter and for the proxy that checks them. */
import type { BucketId, LockPlace } from '../../src/storage.js';

/** The field that is the adapter's own. A user's name that begins with it gets one more. */
export const mark = '\u0001';

/**
 * A text that UTF-8 keeps: what it cannot carry, a surrogate without its other half, becomes U+FFFD and
 * four hexadecimal digits. So does U+FFFD itself, and different texts stay different.
 */
export const toText = (text: string): string =>
  text.replace(/[\p{Cs}\ufffd]/gu, (unit) => `\ufffd${unit.charCodeAt(0).toString(16)}`);

/** The text that {@link toText} was given. */
export const fromText = (text: string): string =>
  text.replace(/\ufffd(.{4})/g, (_, hex: string) => String.fromCharCode(Number(`0x${hex}`)));

/** A part of a key: it has none of `:`, `{`, `}`, `,`, which stand between the parts. */
const toPart = (name: string): string => encodeURIComponent(toText(name));

/** What the keys and channels of a session begin with, and no others. */
export const sessionPrefix = (app: string, session: string): string =>
  `qt:{${toPart(app)}:${toPart(session)}:`;

const bucketKeys = new WeakMap<BucketId, string>();

/** The key of a bucket. What is in braces chooses the node of a cluster, for the lock's key too. */
export function bucketKey(id: BucketId): string {
  const known = bucketKeys.get(id);
  if (known !== undefined) return known;
  const key = `${sessionPrefix(id.app, id.session)}${toPart(id.state)}}`;
  // The engine's ids are frozen and stay.
  if (Object.isFrozen(id)) bucketKeys.set(id, key);
  return key;
}

/** The channel that tells of the commits of the bucket with this key. */
export const channelOf = (key: string): string => `${key}:changes`;

/** The key of a lock: no state has an empty name, so a session's own lock is none of a state's. */
export const lockKey = ({ app, session, state = '' }: LockPlace): string =>
  lockOf(bucketKey({ app, session, state }));

/** The key of the lock of the bucket with this key. */
export const lockOf = (key: string): string => `${key}:lock`;

/** What `SCAN` has to match to find the keys of an app's buckets, and maybe some of others. */
export const scanPattern = (app: string, session: string | undefined): string =>
  session === undefined ? `qt:{${toPart(app)}:*}` : `${sessionPrefix(app, session)}*}`;

/** The bucket with this key; `undefined` where the key is none of a bucket. */
export function fromKey(key: string): BucketId | undefined {
  try {
    const parts = key.slice('qt:{'.length, -1).split(':');
    const [app, session, state] = parts.map((part) => fromText(decodeURIComponent(part)));
    if (app === undefined || session === undefined || state === undefined) return undefined;
    const id = { app, session, state };
    return bucketKey(id) === key ? id : undefined;
  } catch {
    // Somebody else's key, with a percent sign that stands for nothing.
    return undefined;
  }
}

/** The name of a user's field as it is stored. */
export const toField = (name: string): string => (name.startsWith(mark) ? mark : '') + toText(name);

/** The name of a user's field that is stored as this one. */
export const fromField = (field: string): string =>
  fromText(field.startsWith(mark) ? field.slice(1) : field);
