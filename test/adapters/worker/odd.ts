/** A storage that fails in odd ways: the state names which. */
import { QTasksError } from '../../../src/errors.js';
import type { BucketId, StorageAdapter } from '../../../src/storage.js';

const failures: Readonly<Record<string, () => never>> = {
  function: () => {
    throw () => {};
  },
  text: () => {
    throw 'text';
  },
  undefined: () => {
    throw undefined;
  },
  quota: () => {
    const cause = new RangeError('the disk is full');
    throw new QTasksError('STORAGE_QUOTA', 'no room', { cause, data: { bytes: 7 } });
  },
  getter: () => {
    throw Object.defineProperty(new Error('a'), 'message', {
      get() {
        throw new Error('b');
      },
    });
  },
};

const fail = (id: BucketId): never => {
  const failure = failures[id.state];
  if (failure) return failure();
  throw new Error(`no failure "${id.state}"`);
};

/** Has neither locks nor watches. */
export function odd(): StorageAdapter {
  return {
    name: 'odd',
    scope: 'shared',
    // Throws at once, and what no message carries comes back.
    read: (id) => (id.state === 'odd result' ? never(() => {}) : fail(id)),
    commit: async (id) => fail(id),
    async *list() {
      yield { app: 'app', session: '', state: 'one' };
      throw new TypeError('no more');
    },
    close: async () => {},
  };
}

/** A promise of what no adapter should give. */
const never = (value: unknown): Promise<never> => Promise.resolve(value as never);
