import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bucketKey,
  fromField,
  fromKey,
  fromText,
  lockKey,
  mark,
  sessionPrefix,
  toField,
  toText,
} from '../../../adapters/redis/keys.js';

/** Any UTF-16 at all, and often what the encodings use themselves. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom('\u0001', '\ufffd', '\ud83d', '\ude00', ':', '{', '}', '%', '*', ',', 'a'),
      fc.nat(0xffff).map((code) => String.fromCharCode(code)),
    ),
  )
  .map((units) => units.join(''));
const name = text.filter((some) => some !== '');
const id = fc.record({ app: name, session: text, state: name });

const throughUtf8 = (some: string): string =>
  new TextDecoder().decode(new TextEncoder().encode(some));

test('a key is readable', () => {
  const ann = { app: 'shop', session: 'ann', state: 'cart' };
  expect(bucketKey(ann)).toBe('qt:{shop:ann:cart}');
  expect(bucketKey({ app: 'a:b', session: '', state: '}%' })).toBe('qt:{a%3Ab::%7D%25}');
  expect(lockKey(ann)).toBe('qt:{shop:ann:cart}:lock');
  expect(lockKey({ app: 'shop', session: 'ann' })).toBe('qt:{shop:ann:}:lock');
});

test('every id comes back from its key', () => {
  fc.assert(
    fc.property(id, (some) => {
      expect(fromKey(bucketKey(some))).toEqual(some);
    }),
  );
});

test('a session’s keys begin with its prefix, and no other session’s do', () => {
  fc.assert(
    fc.property(id, id, (one, other) => {
      const prefix = sessionPrefix(one.app, one.session);
      const isSame = one.app === other.app && one.session === other.session;
      expect(bucketKey(one).startsWith(prefix) && lockKey(one).startsWith(prefix)).toBe(true);
      expect(bucketKey(other).startsWith(prefix)).toBe(isSame);
      expect(lockKey(other).startsWith(prefix)).toBe(isSame);
    }),
  );
});

test('every text survives UTF-8, and every name of a field', () => {
  fc.assert(
    fc.property(text, (some) => {
      expect(fromText(throughUtf8(toText(some)))).toBe(some);
      expect(fromField(throughUtf8(toField(some)))).toBe(some);
    }),
  );
});

test('no field of a user is the adapter’s own', () => {
  expect(mark).toBe('\u0001');
  expect(toField('\u0001')).toBe('\u0001\u0001');
});

test.each(['', 'qt:', 'qt:{a}', 'qt:{a:b:c:d}', 'qt:{a:b:%zz}', 'qt:{a:b:c}:lock', 'xx:{a:b:c}'])(
  'a key that is none of a bucket is passed over: "%s"',
  (key) => {
    expect(fromKey(key)).toBeUndefined();
  },
);
