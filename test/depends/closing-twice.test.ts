import { expect, it } from 'vitest';
import { Depends, QTasks } from '../../src/index.js';
import { settle } from '../support/clock.js';
import { gate } from '../support/promises.js';
import { traced } from '../support/traced.js';

it('18 lets the close of a session during that of the app wait for it, too', async () => {
  const log: string[] = [];
  const app = new QTasks();
  const closing = gate();
  const first = Depends(() => traced(log, 'first'), { scope: 'session' });
  const last = Depends(
    { first },
    async function* () {
      yield;
      await closing.promise;
      log.push('last closed');
    },
    { scope: 'session' },
  );
  const ann = app.session('ann');
  await ann.run(app.task('t', { last }, () => {}));
  const ends = [app.close()];
  await settle();
  ends.push(ann.close());
  await settle();
  expect(log).toEqual(['+first']);
  closing.resolve();
  await Promise.all(ends);
  expect(log).toEqual(['+first', 'last closed', '-first']);
});
