/** `testApp`: an app for tests of tasks, on its own time and with a worker's boundary around it. */
import { BOUNDARY, type Boundary } from '../../src/boundary.js';
import { eventNames } from '../../src/event-names.js';
import { type EventMap, type EventName, QTasks, type QTasksOptions } from '../../src/index.js';
import { checkOptions, type Kind, kinds } from '../../src/options.js';
import { memory } from '../memory.js';
import { type ErrorClasses, errorClassesKind, packError, unpackError } from '../worker/errors.js';
import { cloneValue } from '../worker/values.js';
import { ManualClock } from './clock.js';

/** Options of {@link testApp}: those of an app, but for `clock`. */
export interface TestOptions<Tasks extends object> extends Omit<QTasksOptions<Tasks>, 'clock'> {
  /**
   * Whether arguments, results, yields and errors pass through what a worker would do to them. Default
   * `true`; with `false` they are the very same objects, as in an app of one thread.
   */
  readonly parity?: boolean;
  /**
   * Classes of errors that stay themselves on their way, like `{ MyError }`: under the same names as in
   * `connect` and `serve`. Of others an `Error` with their name, message, stack and fields arrives.
   */
  readonly errors?: ErrorClasses;
}

/** One of {@link TestApp.events}; its `type` tells which. */
export type TestEvent = EventMap[Exclude<EventName, 'error'>];

/** `new QTasks` looks at their values. */
const ofApp: Kind = ['anything', () => true];

const optionKinds: Readonly<Record<Exclude<keyof TestOptions<object>, symbol>, Kind>> = {
  parity: kinds.boolean,
  errors: errorClassesKind,
  name: ofApp,
  tasks: ofApp,
  storage: ofApp,
  concurrency: ofApp,
  grace: ofApp,
  remember: ofApp,
  middleware: ofApp,
  logger: ofApp,
};

/**
 * Makes an app for tests of tasks. Its time stands still until it is advanced, so that retries, timeouts,
 * `ctx.sleep` and the `ttl` of states need no waiting; a retry with jitter waits its longest delay. Unless
 * another `storage` is given, states live in a `memory()` of its own, on the same clock.
 *
 * What passes between a caller and a task is copied as it would be on its way to a worker and back: so what
 * a worker could not take is `VALUE_UNSUPPORTED` here too, class instances arrive as plain objects, and
 * errors as copies of themselves. Of an error's fields, `omittedFields` names those that were left behind.
 * Child runs (`ctx.run`), states and events stay on one side.
 *
 * `close` waits by this clock too: advance it while there are runs to abort.
 *
 * @throws OPTION_INVALID, and what registering the tasks throws
 * @example
 * const app = testApp({ tasks });
 * const run = app.run('remind', 'ann'); // sleeps for an hour
 * await app.clock.advance(3_600_000);
 * assert.equal(await run, 'reminded');
 * assert.deepEqual(app.events.map(({ type }) => type), ['run:start', 'run:return', 'run:success']);
 */
export function testApp<Tasks extends object = Record<never, never>>(
  options: TestOptions<Tasks> = {},
): TestApp<Tasks> {
  checkOptions('testApp', options, optionKinds);
  const clock = new ManualClock();
  const { parity = true, errors = {}, storage = memory({ clock }), ...others } = options;
  const boundary = parity ? { [BOUNDARY]: boundaryWith(errors) } : {};
  return new TestApp({ ...others, ...boundary, storage, clock });
}

/** An app that {@link testApp} has made. */
export class TestApp<out Tasks extends object> extends QTasks<Tasks> {
  /** The app's time: it stands still until `await app.clock.advance(…)`. */
  readonly clock: ManualClock;
  /**
   * Every event so far, in order; the list grows as things happen. All but `"error"`: who listens to
   * that takes failures that nobody looks at upon himself, and here they have to fail the test.
   */
  readonly events: readonly TestEvent[];

  /** @internal */
  constructor(options: QTasksOptions<Tasks> & { readonly clock: ManualClock }) {
    super(options);
    this.clock = options.clock;
    const events: TestEvent[] = [];
    for (const name of Object.keys(eventNames) as EventName[]) {
      if (name !== 'error') this.on(name, (event) => events.push(event));
    }
    this.events = events;
  }
}

/** Does to values what a worker would. */
function boundaryWith(classes: ErrorClasses): Boundary {
  return {
    args: (task, args, transfer) =>
      cloneValue(args, { task, from: 'args', transfer }) as readonly unknown[],
    value: (task, from, value) => cloneValue(value, { task, from }),
    error: (error) => unpackError(packError(error, classes), classes),
  };
}
