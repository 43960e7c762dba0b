/** What a test runner in Node is told of failures in a test app that nobody looks at. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testApp } from '../../../adapters/testing/index.js';
import { rejection, turn } from '../../support/promises.js';

describe('a failure in a test app that nobody looks at', () => {
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

  it.each([true, false])('fails the test, once, with parity: %s', async (parity) => {
    const app = testApp({ parity });
    void app.task('fails', () => Promise.reject(new TypeError('no')))();
    await turn();
    expect(rejections).toEqual([new TypeError('no')]);
    expect(rejections[0]).toBeInstanceOf(TypeError);
  });

  it('fails the test also where it is only that a value could not be sent', async () => {
    const app = testApp();
    void app.task('result', () => () => {})();
    await turn();
    void app.task('args', (_callback: () => void) => {})(() => {});
    await turn();
    expect(rejections).toEqual([
      expect.objectContaining({ code: 'VALUE_UNSUPPORTED', data: { path: ['result'] } }),
      expect.objectContaining({ code: 'VALUE_UNSUPPORTED', data: { path: ['args', 0] } }),
    ]);
  });

  it('is told after the time that was passing, when a test looks at its runs', async () => {
    const app = testApp();
    for (let delay = 1; delay <= 20; delay++) app.clock.setTimeout(() => {}, delay);
    const fails = app.task('fails', () => Promise.reject('no'));
    const [seen, unseen] = [fails(), fails()];
    await app.clock.advance(10);
    await app.clock.advance(10);
    expect(await rejection(seen)).toBe('no');
    expect(rejections).toEqual([]);
    await turn();
    expect(rejections).toEqual(['no']);
    expect(unseen.status).toBe('error');
  });

  it('is none where somebody looks', async () => {
    const app = testApp();
    const { settled } = app.task('fails', () => Promise.reject('no'))();
    await turn();
    expect((await settled).status).toBe('error');
    expect(rejections).toEqual([]);
  });
});
