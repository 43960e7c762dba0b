/** Texts that stand for ids in maps: different ids have different ones, whatever they contain. */
import type { BucketId } from '../../src/storage.js';

const sessionKeys = new WeakMap<BucketId, string>();

/** JSON makes one text of the parts that no other parts make. The engine's ids are frozen and stay. */
export function sessionKey(id: BucketId): string {
  const known = sessionKeys.get(id);
  if (known !== undefined) return known;
  const key = JSON.stringify([id.app, id.session]);
  if (Object.isFrozen(id)) sessionKeys.set(id, key);
  return key;
}

/** No such JSON is the beginning of another one, so whatever follows it cannot be mistaken. */
export const bucketKey = (id: BucketId): string => sessionKey(id) + id.state;
