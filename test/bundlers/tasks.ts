/** What only the worker's bundle may have. */
import { AsyncState, Depends, task } from 'qtasks-lite';

class Visits extends AsyncState<{ count: number }> {
  static readonly id = 'visits';
}

const greeting = Depends(async function* () {
  yield (name: string) => `nobody but the worker can greet ${name}`;
});

export const visit = task(
  'visit',
  { visits: Visits, greeting },
  async ({ visits, greeting }, name: string) => {
    const { count } = await visits.update(({ count = 0 }) => ({ count: count + 1 }));
    return `${greeting(name)}, visit ${count}`;
  },
);

export const countTo = task('countTo', function* (last: number) {
  for (let number = 1; number <= last; number++) yield number;
});

export const fail = task('fail', (): never => {
  throw new RangeError('as it has to');
});

/** What needs special headers is not there. */
export const surroundings = task(
  'surroundings',
  () => `isolated ${crossOriginIsolated}, SharedArrayBuffer ${typeof SharedArrayBuffer}`,
);
