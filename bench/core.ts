/** Part of `npm run bench -- core`: events and the codec. */
import { EventEmitter as NodeEmitter } from 'node:events';
import * as devalue from 'devalue';
import { EventEmitter } from 'eventemitter3';
import superjson from 'superjson';
// no entry point exports these two; the build transpiles each file by itself, as this does
import { decode, encode } from '../src/codec.js';
import { Events } from '../src/events.js';
import { type Contestant, measure } from './measure.js';

async function events(): Promise<void> {
  const event = { type: 'run:start', at: 0, run: '', task: '', session: '', attempt: 1 } as const;
  /** @param connect takes the listener and gives what emits */
  const contestant = (
    name: string,
    without: string,
    connect: (listener: (given: unknown) => void) => () => unknown,
  ): Contestant => {
    let heard = 0;
    const call = connect(() => {
      heard++;
    });
    const check = (calls: number) => {
      const wrong = heard === calls ? undefined : `${heard} of ${calls} were heard`;
      heard = 0;
      return wrong;
    };
    return { name, without, cases: [{ call, check }] };
  };
  await measure({
    title: 'Events with one listener',
    columns: ['emit'],
    calls: 1_000_000,
    sync: true,
    contestants: [
      contestant('functions in an array', 'guard', (listener) => {
        const listeners = [listener];
        return () => {
          for (const each of listeners) each(event);
        };
      }),
      contestant('qtasks-lite', '', (listener) => {
        const emitter = new Events(console.error);
        emitter.on('run:start', listener);
        return () => {
          if (emitter.has('run:start')) emitter.emit(event);
        };
      }),
      contestant('eventemitter3', 'guard', (listener) => {
        const emitter = new EventEmitter();
        emitter.on('run:start', listener);
        return () => emitter.emit('run:start', event);
      }),
      contestant('node:events', 'guard', (listener) => {
        const emitter = new NodeEmitter();
        emitter.on('run:start', listener);
        return () => emitter.emit('run:start', event);
      }),
      contestant('EventTarget', '', (listener) => {
        const target = new EventTarget();
        target.addEventListener('run:start', listener);
        return () => target.dispatchEvent(new Event('run:start'));
      }),
    ],
  });
}

async function codec(): Promise<void> {
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
}

await events();
await codec();
