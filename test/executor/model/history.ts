/** What the model sees happen from outside the library: facts in their order, by run and attempt. */
import type { Context, MiddlewareRun, Run } from '../../../src/index.js';
import type { DependencySpec, LayerSpec, ReaderSpec, TaskSpec } from './scenario.js';

/** When something was seen. */
export interface Fact {
  readonly seq: number;
  /** Grows whenever everything that waits for nothing but promises has happened. */
  readonly epoch: number;
  readonly time: number;
}

/** How something ended. */
export interface Ended extends Fact {
  readonly failed: boolean;
  /** What it gave, or what it threw. */
  readonly value: unknown;
}

/** Somebody cancelled a run that was not over. */
export interface Cancel extends Fact {
  isReason(error: unknown): boolean;
}

export interface LayerLog {
  readonly spec: LayerSpec;
  /** What `next()` gave it the first time, and how it ended. */
  next: Ended | undefined;
  end: Ended | undefined;
}

export interface DependencyLog {
  readonly spec: DependencySpec;
  /** How its opening ended. */
  opened: Ended | undefined;
  /** What it was told as it was to close. */
  told: Ended | undefined;
  closed: Fact | undefined;
}

/** One attempt. */
export interface AttemptLog {
  readonly run: RunLog;
  readonly number: number;
  readonly start: Fact;
  /** When the attempt itself began, inside its layers. */
  inner: Fact | undefined;
  /** Who called the body, and how that ended. */
  called: Fact | undefined;
  body: Ended | undefined;
  readonly layers: LayerLog[];
  dependency: DependencyLog | undefined;
  /** What its teardown threw. */
  readonly thrown: unknown[];
  readonly children: RunLog[];
  /** What the app told that it yielded. */
  readonly yielded: unknown[];
  ctx: Context | undefined;
  view: MiddlewareRun | undefined;
  /** It was followed by a backoff or the end of the run. */
  over: Fact | undefined;
  isRetried: boolean;
}

export interface ReaderLog {
  readonly spec: ReaderSpec;
  /** Which attempt went on as it came, and from which of its values on it has to get them. */
  readonly attempt: number;
  readonly from: number;
  readonly received: { readonly value: unknown; readonly at: Fact }[];
  end: Ended | undefined;
}

/** One run that was called for: also one that was refused. */
export interface RunLog {
  readonly spec: TaskSpec;
  readonly session: string;
  readonly id: string | undefined;
  readonly parent: AttemptLog | undefined;
  readonly start: Fact;
  /** There if it has to be refused: tells whether it ends as it has to. */
  readonly refusal: ((status: string, error: unknown) => boolean) | undefined;
  run: Run<unknown, unknown> | undefined;
  readonly attempts: AttemptLog[];
  readonly cancels: Cancel[];
  /** What was told of its end. */
  readonly ends: (Ended & { readonly type: string })[];
  /** When somebody first looked at how it ends, and what those got. */
  looked: Fact | undefined;
  readonly outcomes: unknown[];
  reader: ReaderLog | undefined;
  /** How often its failure was told because nobody had looked. */
  unseen: number;
}

export const isOver = (log: RunLog): boolean => log.ends.length > 0;

/** The run that it is a part of in the end, or itself. */
export const rootOf = (log: RunLog): RunLog => (log.parent ? rootOf(log.parent.run) : log);

/** Whether it holds its session by itself, not by a run that it is a part of. */
export function takesHold({ spec, parent }: RunLog): boolean {
  if (!spec.exclusive) return false;
  for (let run = parent?.run; run; run = run.parent?.run) if (run.spec.exclusive) return false;
  return true;
}

/** Whether it cannot end by itself. */
export function mayHang({ spec, attempts, reader }: RunLog, layers: readonly LayerSpec[]): boolean {
  const isStalled = reader?.spec.kind === 'stalls' && spec.shape.endsWith('stream');
  const hasHangingLayer = [...layers, ...spec.layers].some(({ kind }) => kind.startsWith('hangs'));
  const isOpening = spec.dependency?.fails === 'opening never ends';
  return (
    attempts.length > 0 && (spec.ends === 'hangs' || hasHangingLayer || isOpening || isStalled)
  );
}
