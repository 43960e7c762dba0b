/** What an endpoint tells of its other end, whoever else listens to it. */
import { expect, it } from 'vitest';
import { Endpoint } from '../../../adapters/worker/endpoint.js';

/** A worker as browsers have it. */
class BrowserWorker extends EventTarget {
  ends = 0;
  postMessage(): void {}
  terminate(): void {
    this.ends++;
  }
}

it('everybody is told that a worker is terminated, whoever has left before', () => {
  for (const leaver of [0, 1]) {
    const worker = new BrowserWorker();
    const told: number[] = [];
    const stops = [0, 1].map((who) => new Endpoint(worker).onTrouble(() => told.push(who)));
    stops[leaver]?.();
    worker.terminate();
    expect(told).toEqual([1 - leaver]);
    expect(worker.ends).toBe(1);
  }
});

it('a worker that nobody listens to any more is as it was', () => {
  const worker = new BrowserWorker();
  const { terminate } = worker;
  const stops = [0, 1].map(() => new Endpoint(worker).onTrouble(() => {}));
  for (const stop of stops.reverse()) stop();
  expect(worker.terminate).toBe(terminate);
});
