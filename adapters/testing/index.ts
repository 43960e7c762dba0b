/** The entry point `qtasks-lite/testing`: what tests of storage adapters need. */
export type { StorageFactory, StorageSource } from './storage/arena.js';
export { type StorageGaps, type TestFunction, testStorage } from './storage/suite.js';
