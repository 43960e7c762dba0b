/** What Node is told of a failure that nobody sees. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QTasks } from '../src/index.js';
import { settle } from './support/clock.js';
import { rejection, turn } from './support/promises.js';

describe('a failure that nobody sees and no listener hears of', () => {
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

  it('becomes one unhandled rejection with the very error object', async () => {
    const app = new QTasks();
    const no = new Error('no');
    const fails = app.task('fails', () => {
      throw no;
    });
    void fails();
    await turn();
    expect(rejections).toHaveLength(1);
    expect(rejections[0]).toBe(no);
  });

  it('becomes none where it is awaited, cancelled, or told as an event', async () => {
    const app = new QTasks();
    const fails = app.task('fails', async () => {
      await settle();
      throw new Error('no');
    });
    await rejection(fails());
    await fails().settled;
    fails().cancel();
    const stop = app.on('error', () => {});
    void fails();
    await settle();
    await turn();
    stop();
    await turn();
    expect(rejections).toEqual([]);
  });

  it('becomes one again once the last listener has stopped', async () => {
    const app = new QTasks();
    const stop = app.on('error', () => {});
    stop();
    void app.task('fails', () => Promise.reject('no'))();
    await settle();
    await turn();
    expect(rejections).toEqual(['no']);
  });

  it('leaves the derived promise to its owner, as promises do', async () => {
    const app = new QTasks();
    const fails = app.task('fails', () => Promise.reject('no'));
    void fails().then(() => {});
    await settle();
    await turn();
    expect(rejections).toEqual(['no']);
  });
});
