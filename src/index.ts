/** The entry point `qtasks-lite`: tasks, dependencies and states, without any storage. */
/// <reference lib="esnext.disposable" preserve="true" />
export { type Opening, type Override, QTasks, type QTasksOptions } from './app.js';
export type { CloseOptions, RunSettings, RunTask, TaskClient } from './client.js';
export type { Clock } from './clock.js';
export { Context, type RunChild } from './context.js';
export {
  type Declare,
  type Dependency,
  Depends,
  type DependsFunction,
  type DependsOptions,
  type Disposing,
  type Need,
  type Needs,
} from './depends.js';
export {
  type ErrorCode,
  type ErrorData,
  isQTasksError,
  QTasksError,
  type QTasksErrorOptions,
} from './errors.js';
export type {
  BaseEvent,
  DependencyCloseEvent,
  DependencyErrorEvent,
  DependencyEvent,
  DependencyOpenEvent,
  EventMap,
  EventName,
  RunCancelEvent,
  RunErrorEvent,
  RunEvent,
  RunRetryEvent,
  RunReturnEvent,
  RunStartEvent,
  RunSuccessEvent,
  RunYieldEvent,
  StateChangeEvent,
  UnhandledErrorEvent,
  WorkerLostEvent,
  WorkerStartEvent,
} from './events.js';
export type { RunCounts } from './executor.js';
export type { DependencyInspection, Inspection, RunInspection, TaskInspection } from './inspect.js';
export type { Logger } from './logger.js';
export type { Middleware, MiddlewareRun } from './middleware.js';
export type { ErrorClass, RetryOptions, SchemaTaskOptions, TaskOptions } from './policy.js';
export type { RememberOptions } from './remembered.js';
export type { Run, RunStatus, Settled } from './run.js';
export type { Scope } from './scopes.js';
export type { AnyTask, BoundTask, Task } from './signature.js';
export { AsyncState, type StateChange, type StateFields, type StateInitial } from './state.js';
export type {
  AbortOptions,
  BucketId,
  Change,
  Commit,
  CommitResult,
  LockPlace,
  ReadOptions,
  Revision,
  Snapshot,
  StorageAdapter,
} from './storage.js';
export { type DefineTask, task } from './task.js';
export type { EpochMs, Milliseconds, SchemaIssue, StandardSchema } from './types.js';
