/** The entry point `qtasks-lite/testing`: what tests of tasks and of storage adapters need. */
export { type TestApp, type TestEvent, type TestOptions, testApp } from './app.js';
export { ManualClock } from './clock.js';
export type { StorageFactory, StorageSource } from './storage/arena.js';
export { type StorageGaps, type TestFunction, testStorage } from './storage/suite.js';
