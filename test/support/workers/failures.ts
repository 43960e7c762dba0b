/** Tasks that fail, each kind in its own way. */
import { Depends, task } from '../../../src/index.js';
import { HttpError } from './errors.js';

class Unregistered extends Error {
  override readonly name = 'Unregistered';
  readonly code = 'E_ODD';
}

const kinds = {
  registered: () =>
    new HttpError('no answer', 503, { cause: new TypeError('offline', { cause: 'cable' }) }),
  unregistered: () => Object.assign(new Unregistered('odd'), { at: new Date(7), call() {} }),
  abort: () => new DOMException('stopped', 'AbortError'),
  timeout: () => new DOMException('too slow', 'TimeoutError'),
  value: () => ({ reason: 'no error at all' }),
  nothing: () => undefined,
  function: () => () => {},
};

/** What {@link fail} can throw. */
export type Failure = keyof typeof kinds;

export const fail = task('fail', (kind: Failure): void => {
  throw kinds[kind]();
});

let attempts = 0;

/** Fails until its third attempt, if its errors are of the kind that it is retried for. */
export const flaky = task(
  'flaky',
  (kind: Failure) => {
    attempts++;
    if (attempts < 3) throw kinds[kind]();
    return attempts;
  },
  { retry: { limit: 2, delay: 1, when: [HttpError] } },
);

const leaky = Depends(function* () {
  try {
    yield;
  } finally {
    // biome-ignore lint/correctness/noUnsafeFinally: a teardown that fails, whatever has gone before
    throw new RangeError('leak');
  }
});

/** Succeeds, but its dependency does not close. */
export const unclean = task('unclean', { leaky }, () => 'value');
/** Fails, and its dependency does not close either. */
export const foul = task('foul', { leaky }, (): void => {
  throw new TypeError('foul');
});

const stubborn = Depends(
  function* () {
    yield;
    throw new RangeError('stubborn');
  },
  { scope: 'worker' },
);

/** Leaves something open that does not close with the app. */
export const useStubborn = task('useStubborn', { stubborn }, (): void => {});
