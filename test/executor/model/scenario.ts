/** What happens in one sequence of the model: an app with its tasks, and what is done to it. */
import * as fc from 'fast-check';

/** What stands around the attempts of a task. */
export interface LayerSpec {
  readonly kind:
    | 'passes'
    | 'comes late'
    | 'throws before'
    | 'throws after'
    | 'swallows'
    | 'answers'
    | 'calls twice'
    | 'does not wait'
    | 'hangs before'
    | 'hangs after';
  readonly time: number;
}

/** The one dependency of a task. */
export interface DependencySpec {
  readonly opening: number;
  readonly closing: number;
  /** Whether its opening ends early as the signal aborts. */
  readonly obeys: boolean;
  readonly fails: 'never' | 'opening' | 'opening at first' | 'opening never ends' | 'closing';
  /** Whether it swallows the error that it is closed with. */
  readonly swallows: boolean;
  /** Whether it starts a run as it closes. */
  readonly starts: boolean;
}

export interface TaskSpec {
  /** `bare` has no needs, and is synchronous where it takes no time. */
  readonly shape: 'bare' | 'plain' | 'stream' | 'sync stream';
  readonly time: number;
  readonly ends: 'value' | 'throws' | 'throws at first' | 'hangs' | 'cancels';
  /** Whether it ends as its signal aborts. */
  readonly obeys: boolean;
  /** What a stream yields, and how long it pauses before each. */
  readonly yields: number;
  readonly pause: number;
  /** Which tasks before it it runs as a part of itself, and whether it waits for them. */
  readonly children: readonly { readonly task: number; readonly isAwaited: boolean }[];
  readonly dependency: DependencySpec | undefined;
  readonly layers: readonly LayerSpec[];
  readonly retry: number;
  readonly timeout: number | undefined;
  readonly grace: number;
  readonly exclusive: boolean;
  readonly priority: number;
}

/** Who reads a stream, and how. */
export interface ReaderSpec {
  readonly kind: 'reads' | 'leaves' | 'stalls';
  /** How long it takes for each value. */
  readonly pause: number;
  /** After how many values it leaves or stalls. */
  readonly count: number;
}

export type Action = {
  /** How much passes after it: nothing, then some microtasks, then time. */
  readonly then: number;
} & (
  | {
      readonly what: 'run';
      readonly task: number;
      readonly session: number;
      readonly id: number | undefined;
      readonly signal: number | undefined;
      readonly reader: ReaderSpec | undefined;
      /** Whether somebody looks at how it ends. */
      readonly looks: boolean;
    }
  | { readonly what: 'cancel'; readonly which: number }
  | { readonly what: 'look'; readonly which: number }
  | { readonly what: 'read'; readonly which: number; readonly reader: ReaderSpec }
  | { readonly what: 'abort'; readonly signal: number }
  | { readonly what: 'close session'; readonly session: number; readonly drain: number }
  | { readonly what: 'close'; readonly drain: number }
);

export const disturbed = [
  'run:start',
  'run:return',
  'run:retry',
  'run:yield',
  'dependency:open',
  'dependency:close',
] as const;

export interface Scenario {
  readonly tasks: readonly TaskSpec[];
  readonly layers: readonly LayerSpec[];
  readonly actions: readonly Action[];
  readonly concurrency: number;
  readonly remember: { readonly limit: number; readonly ttl: number };
  /** A storage whose locks are slow and may fail to be taken or given back, every so many times. */
  readonly locks:
    | { readonly time: number; readonly failing: number; readonly stuck: number }
    | undefined;
  /** Which listener cancels its run from within, every so many times. */
  readonly disturbs:
    | { readonly event: (typeof disturbed)[number]; readonly every: number }
    | undefined;
}

/** Two of them have states of their own, `""` is the default one. */
export const sessions = ['', 'ann', 'bob'] as const;

const duration = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(30));
/** In so many of ten. */
const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 10 - weight, arbitrary: fc.constant(undefined) }, { weight, arbitrary });
const seldom = fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true));

const layer: fc.Arbitrary<LayerSpec> = fc.record({
  kind: fc.constantFrom<LayerSpec['kind'][]>(
    'passes',
    'passes',
    'passes',
    'comes late',
    'throws before',
    'throws after',
    'swallows',
    'answers',
    'calls twice',
    'does not wait',
    'hangs before',
    'hangs after',
  ),
  time: duration,
});
const layers = (maxLength: number) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(layer, { maxLength }));

const dependency: fc.Arbitrary<DependencySpec> = fc.record({
  opening: duration,
  closing: duration,
  obeys: fc.boolean(),
  fails: fc.constantFrom<DependencySpec['fails'][]>(
    'never',
    'never',
    'never',
    'opening',
    'opening at first',
    'opening never ends',
    'closing',
    'closing',
  ),
  swallows: fc.boolean(),
  starts: seldom,
});

const task: fc.Arbitrary<TaskSpec> = fc.record({
  shape: fc.constantFrom<TaskSpec['shape'][]>('bare', 'plain', 'plain', 'stream', 'sync stream'),
  time: duration,
  ends: fc.constantFrom<TaskSpec['ends'][]>(
    'value',
    'value',
    'throws',
    'throws at first',
    'throws at first',
    'hangs',
    'cancels',
  ),
  obeys: fc.boolean(),
  yields: fc.nat(24),
  pause: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(3)),
  children: fc.array(fc.record({ task: fc.nat(9), isAwaited: fc.boolean() }), { maxLength: 2 }),
  dependency: often(6, dependency),
  layers: layers(2),
  retry: fc.nat(2),
  timeout: often(3, fc.integer({ min: 1, max: 30 })),
  grace: duration,
  exclusive: seldom,
  priority: fc.nat(2),
});

const reader: fc.Arbitrary<ReaderSpec> = fc.record({
  kind: fc.constantFrom<ReaderSpec['kind'][]>('reads', 'reads', 'leaves', 'stalls'),
  pause: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(4)),
  count: fc.nat(20),
});

const session = fc.nat(sessions.length - 1);
const which = fc.nat(9);
const then = fc.oneof({ weight: 2, arbitrary: fc.nat(12) }, fc.nat(40));
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      what: fc.constant('run' as const),
      then,
      task: which,
      session,
      id: often(4, fc.nat(1)),
      signal: often(3, fc.nat(1)),
      reader: often(6, reader),
      looks: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.oneof(
      fc.record({ what: fc.constant('cancel' as const), then, which }),
      fc.record({ what: fc.constant('look' as const), then, which }),
    ),
  },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('read' as const), then, which, reader }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('abort' as const), then, signal: fc.nat(1) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('close session' as const),
      then,
      session: fc.integer({ min: 1, max: sessions.length - 1 }),
      drain: duration,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('close' as const), then, drain: duration }),
  },
);

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  tasks: fc.array(task, { minLength: 1, maxLength: 4 }),
  layers: layers(2),
  actions: fc.array(action, { minLength: 1, maxLength: 14 }),
  concurrency: fc.constantFrom(1, 2, 3, 4, Number.POSITIVE_INFINITY),
  remember: fc.record({ limit: fc.nat(2), ttl: fc.constantFrom(0, 20, 1_000) }),
  locks: often(
    4,
    fc.record({
      time: duration,
      failing: fc.integer({ min: 1, max: 6 }),
      stuck: fc.integer({ min: 1, max: 6 }),
    }),
  ),
  disturbs: often(
    3,
    fc.record({
      event: fc.constantFrom(...disturbed),
      every: fc.integer({ min: 1, max: 4 }),
    }),
  ),
});
