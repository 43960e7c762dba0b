/** Part of `npm run bench -- core`: events. */
import { EventEmitter as NodeEmitter } from 'node:events';
import { EventEmitter } from 'eventemitter3';
// no entry point exports it; the build transpiles each file by itself, as this does
import { Events } from '../../src/events.js';
import { type Contestant, measure } from '../harness/measure.js';

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
