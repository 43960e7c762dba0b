/** `npm run bench -- codec`: what becomes of a value on its way into a storage and back. */
import * as devalue from 'devalue';
import superjson from 'superjson';
// no entry point exports these two; the build transpiles each file by itself, as this does
import { decode, encode } from '../../src/codec.js';
import { type Contestant, measure } from '../harness/measure.js';

const plain = {
  id: 4711,
  name: 'Ann Example',
  active: true,
  score: 0.25,
  nothing: null,
  tags: ['a', 'b', 'c'],
  items: Array.from({ length: 12 }, (_, index) => ({
    sku: `item-${index}`,
    count: index,
    price: index * 1.5,
    note: 'as the customer wrote it',
  })),
};
const rich = {
  ...plain,
  at: new Date(0),
  seen: new Set([1, 2, 3]),
  by: new Map([['ann', 1n]]),
};
const contestant = (
  name: string,
  without: string,
  copy: (value: unknown) => unknown,
  values: readonly unknown[] = [plain, rich],
): Contestant => ({
  name,
  without,
  cases: values.map((value) => ({
    call: () => copy(value),
    check: (_, last) =>
      devalue.stringify(last) === devalue.stringify(value) ? undefined : 'the copy differs',
  })),
});
await measure({
  title: `Codec: encode and decode an object of ${JSON.stringify(plain).length} bytes`,
  columns: ['plain', 'with Date, Map, Set, BigInt'],
  calls: 1000,
  sync: true,
  contestants: [
    contestant('structuredClone', 'make text', structuredClone),
    contestant('qtasks-lite', '', (value) => decode(encode(value, 'field'), 'field')),
    contestant('JSON', 'rich values', (value) => JSON.parse(JSON.stringify(value)), [plain]),
    contestant('devalue', '', (value) => devalue.parse(devalue.stringify(value))),
    contestant('superjson', '', (value) => superjson.parse(superjson.stringify(value))),
  ],
});
