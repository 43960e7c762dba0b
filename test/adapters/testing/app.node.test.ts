/** What a test runner in Node is told of failures in a test app that nobody looks at. */
import { describe, expect, it } from 'vitest';
import { testApp } from '../../../adapters/testing/index.js';
import { rejection, turn } from '../../support/promises.js';
import { collectUnhandled } from '../../support/unhandled.js';

describe('a failure in a test app that nobody looks at', () => {
  const rejections = collectUnhandled();

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
