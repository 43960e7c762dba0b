/** Every function of the entry point given wrong arguments: the error comes at once and says what was expected. */
import { describe, expect, test } from 'vitest';
import { connect, hostStorage, serve, transfer } from '../../../adapters/worker/index.js';
import { QTasks, QTasksError } from '../../../src/index.js';

const { port1: port } = new MessageChannel();
const app = new QTasks();
const factory = (): MessagePort => port;

/** Calls by what is wrong with them, and what the message says. */
const mistakes: Readonly<Record<string, readonly [call: () => unknown, message: RegExp]>> = {
  'connect: nothing': [() => connect(undefined as never), /a Worker or a MessagePort.*undefined/],
  'connect: a number': [() => connect(42 as never), /a Worker or a MessagePort.*42/],
  'connect: a URL': [() => connect(new URL('https://app.example') as never), /an object/],
  'connect: null': [() => connect(null as never), /null/],
  'connect: a port that is none': [() => connect({ port: {} } as never), /an object/],
  'connect: no options': [() => connect(port, null as never), /the options must be an object/],
  'connect: an unknown option': [() => connect(port, { sizes: 2 } as never), /no option "sizes"/],
  'connect: no worker': [() => connect(factory, { size: 0 }), /size.*1 or more.*0/],
  'connect: half a worker': [() => connect(factory, { size: 1.5 }), /size.*whole number/],
  'connect: endless workers': [() => connect(factory, { size: Number.POSITIVE_INFINITY }), /size/],
  'connect: a pool of one port': [() => connect(port, { size: 2 }), /a function that makes/],
  'connect: an empty name': [() => connect(factory, { app: '' }), /app.*an empty string/],
  'connect: no time': [() => connect(factory, { readyTimeout: 0 }), /readyTimeout.*more than 0/],
  'connect: less than no grace': [() => connect(factory, { grace: -1 }), /grace.*0 or more/],
  'connect: grace of a day': [() => connect(factory, { grace: '1d' as never }), /a string/],
  'connect: a storage that is none': [
    () => connect(factory, { storage: new Map() as never }),
    /a storage adapter/,
  ],
  'connect: an error for a class': [
    () => connect(factory, { errors: { MyError: new Error('mine') as never } }),
    /classes that extend Error/,
  ],
  'serve: nothing': [() => serve(undefined as never), /must be a QTasks.*undefined/],
  'serve: tasks': [() => serve({} as never), /must be a QTasks.*an object/],
  'serve: an unknown option': [() => serve(app, { ports: port } as never), /no option "ports"/],
  'serve: a port that is none': [() => serve(app, { port: {} as never }), /a MessagePort/],
  'serve: classes that are no errors': [
    () => serve(app, { port, errors: { Map: Map as never } }),
    /classes that extend Error/,
  ],
  'hostStorage: a port that is none': [() => hostStorage({} as never), /a MessagePort/],
  'hostStorage: an adapter': [() => hostStorage('page' as never), /a MessagePort.*a string/],
  'transfer: a primitive': [() => transfer(1 as never, []), /must be an object.*1/],
  'transfer: null': [() => transfer(null as never, []), /null/],
  'transfer: no list': [() => transfer({}, undefined as never), /an array/],
};

describe('wrong arguments', () => {
  test.each(Object.entries(mistakes))('%s', (_what, [call, message]) => {
    let thrown: unknown;
    try {
      call();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(QTasksError);
    expect(thrown).toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(message),
    });
  });
});
