/** What the compiler knows of `qtasks-lite/testing`, and which mistakes must not compile. */
import { describe, expectTypeOf, test } from 'vitest';
import {
  ManualClock,
  type TestApp,
  type TestEvent,
  testApp,
} from '../../adapters/testing/index.js';
import {
  type Clock,
  type EventMap,
  QTasks,
  type Run,
  type RunStartEvent,
  type TaskClient,
  task,
} from '../../src/index.js';
import * as tasks from './tasks.js';

const app = testApp({ tasks });

describe('testApp', () => {
  test('is an app of its tasks', () => {
    expectTypeOf(app).toExtend<QTasks<typeof tasks>>();
    expectTypeOf(app).toExtend<TaskClient<typeof tasks>>();
    expectTypeOf(app).toEqualTypeOf<TestApp<typeof tasks>>();
    expectTypeOf(testApp()).toEqualTypeOf<TestApp<Record<never, never>>>();
    expectTypeOf(testApp({ parity: false })).toEqualTypeOf<TestApp<Record<never, never>>>();
  });

  test('types runs by name, by task and through a session', () => {
    expectTypeOf(app.run('step1')).toEqualTypeOf<Run<'ok', never>>();
    expectTypeOf(app.run('step2', '+351')).toEqualTypeOf<Run<{ rows: number }, never>>();
    expectTypeOf(app.session('ann').run(tasks.sumAll, 1, 2)).toEqualTypeOf<Run<number, never>>();
    const bound = app.task('bound', (phone: string) => phone.length);
    expectTypeOf(bound('+351')).toEqualTypeOf<Run<number, never>>();
  });

  test('takes the options of an app, and its own', () => {
    class Full extends Error {
      readonly limit: number;
      constructor(limit: number) {
        super();
        this.limit = limit;
      }
    }
    testApp({ tasks, name: 'shop', parity: true, errors: { Full, TypeError }, concurrency: 2 });
  });

  test('has a manual clock, which an app takes as well', () => {
    expectTypeOf(app.clock).toEqualTypeOf<ManualClock>();
    expectTypeOf(app.clock).toExtend<Clock>();
    expectTypeOf(app.clock.advance(1_000)).toEqualTypeOf<Promise<void>>();
    expectTypeOf(app.clock.pending).toEqualTypeOf<number>();
    new QTasks({ clock: new ManualClock() });
  });

  test('has events that their type tells apart', () => {
    expectTypeOf(app.events).toEqualTypeOf<readonly TestEvent[]>();
    expectTypeOf<TestEvent['type'] | 'error'>().toEqualTypeOf<keyof EventMap>();
    for (const event of app.events) {
      if (event.type === 'run:start') expectTypeOf(event).toEqualTypeOf<RunStartEvent>();
      if (event.type === 'run:error') expectTypeOf(event.error).toEqualTypeOf<unknown>();
      if (event.type === 'state:change') {
        expectTypeOf(event.changed).toEqualTypeOf<readonly string[]>();
      }
    }
  });
});

describe('testApp refuses', () => {
  test('an option that does not exist, a clock among them', () => {
    // @ts-expect-error
    testApp({ task: tasks });
    // @ts-expect-error
    testApp({ clock: new ManualClock() });
    // @ts-expect-error
    testApp('shop');
  });

  test('an option of the wrong type', () => {
    // @ts-expect-error
    testApp({ parity: 'yes' });
    // @ts-expect-error
    testApp({ concurrency: '4' });
    // @ts-expect-error
    testApp({ tasks: null });
    // @ts-expect-error
    testApp({ storage: new Map() });
  });

  test('what is no class of errors', () => {
    // @ts-expect-error
    testApp({ errors: [TypeError] });
    // @ts-expect-error
    testApp({ errors: { Map } });
    // @ts-expect-error
    testApp({ errors: { failed: new Error('no') } });
  });

  test('to run what its tasks do not have, or with other arguments', () => {
    // @ts-expect-error
    void app.run('step3');
    // @ts-expect-error
    void app.run('step2');
    // @ts-expect-error
    void app.run('step2', 351);
    // @ts-expect-error
    void testApp().run('step1');
    // @ts-expect-error
    void testApp({ tasks: { own: task('own', () => 1) } }).run('step1');
  });

  test('to have its clock or its events changed', () => {
    // @ts-expect-error
    app.clock = new ManualClock();
    // @ts-expect-error
    app.events = [];
    // @ts-expect-error
    app.events.pop();
  });

  test('to be read for what an event may not have', () => {
    // @ts-expect-error
    app.events[0]?.error;
    // @ts-expect-error
    app.events.filter(({ type }) => type === 'error');
    // @ts-expect-error
    app.events.find((event) => event.type === 'run:done');
  });

  test('a duration that is no number', () => {
    // @ts-expect-error
    void app.clock.advance('1h');
    // @ts-expect-error
    void app.clock.advance();
  });
});
