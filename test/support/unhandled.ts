import { afterEach, beforeEach } from 'vitest';

/** Collects, for the tests of the surrounding block, what Node would end the process for. */
export function collectUnhandled(): readonly unknown[] {
  const rejections: unknown[] = [];
  const note = (error: unknown) => void rejections.push(error);
  let listeners: ((...args: unknown[]) => void)[] = [];

  // The test runner listens too, and would fail the test.
  beforeEach(() => {
    listeners = process.listeners('unhandledRejection') as typeof listeners;
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', note);
    rejections.length = 0;
  });
  afterEach(() => {
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  });
  return rejections;
}
