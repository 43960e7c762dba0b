/** What Node is told of a failure that nobody sees. */
import { describe, expect, it } from 'vitest';
import { QTasks } from '../src/index.js';
import { settle } from './support/clock.js';
import { rejection, turn } from './support/promises.js';
import { collectUnhandled } from './support/unhandled.js';

describe('a failure that nobody sees and no listener hears of', () => {
  const rejections = collectUnhandled();

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
